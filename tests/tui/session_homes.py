"""Homes with real sessions, for the tests of their list."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from watching_app import until

from core.clock import MICROSECONDS, VirtualClock
from core.events import (
    Draft,
    GuidanceDelivered,
    SessionContinued,
    SessionFinished,
    SessionOpened,
    SessionPaused,
    ToolStarted,
)
from core.journal import Journal
from core.journal.catalogue import session_folder
from core.journal.schema import database
from core.journal.trash import folder_size
from tui.box_rows import Boxes
from tui.screens.sessions import SessionsScreen
from tui.session_rows import SessionHome, Sizes
from tui.sessions_app import SessionsApp

NOW_US = 1_767_225_600 * MICROSECONDS
PAUSED, NEEDED = Draft(SessionPaused(reason="operator")), Draft(SessionPaused(reason="budget", detail="All is spent."))
CONTINUED, DONE = Draft(SessionContinued()), Draft(SessionFinished(state="finished", reason="done"))


def called(number: int) -> Draft:
    call = ToolStarted(name="run_command", use_id=f"t{number}", arguments={"n": number}, effect="command")
    return Draft(call, key=f"c{number}")


async def add(folder: Path, *drafts: Draft, ago_s: int = 0) -> None:
    """Go on with a session, so long before now."""
    async with await Journal.open(folder, VirtualClock(NOW_US - ago_s * MICROSECONDS)) as journal:
        await journal.append(*drafts)


async def make(home: Path, session: str, name: str, *drafts: Draft, ago_s: int = 60, task: str = "Do it.") -> Path:
    """A session whose last event happened `ago_s` seconds before now."""
    folder = session_folder(home, session)
    opened = SessionOpened(
        session=session,
        name=name,
        task=task,
        workspace=f"/work/{name}",
        model="simulated/auditor",
        endpoint="simulated/auditor",
        profile="simulated",
        app_version="1",
    )
    async with await Journal.create(folder, VirtualClock(NOW_US - ago_s * MICROSECONDS)) as journal:
        await journal.append(Draft(opened, actor="user"), *drafts)
    return folder


async def assorted(home: Path) -> dict[str, Path]:
    """One session of each kind, by name; `parser` is to be held by a lease to be running."""
    folders = {
        "audit": await make(home, "01a", "audit", called(1), called(2), DONE, ago_s=3_600, task="Audit the package."),
        "port": await make(home, "01b", "port", NEEDED, ago_s=7_200, task="Port the service."),
        "parser": await make(home, "01c", "parser", Draft(GuidanceDelivered(text="x")), ago_s=90_000),
        "tests": await make(home, "01d", "tests", PAUSED, ago_s=600),
        "upgrade": await make(home, "01e", "upgrade", called(1), ago_s=1_200),
    }
    broken = session_folder(home, "01f")
    broken.mkdir()
    database(broken).write_text("junk")
    os.utime(database(broken), (NOW_US // MICROSECONDS - 99_000,) * 2)
    return folders


@asynccontextmanager
async def listed(
    home: Path,
    size: tuple[int, int] = (100, 30),
    *,
    ready: bool = True,
    boxes: Boxes | None = None,
    measure: Callable[[Path], int] = folder_size,
    **options: Any,
) -> AsyncIterator[Pilot[Any]]:
    """The list of a home, read to the end if it can be; its clock is `pilot.app.clock`."""
    clock = VirtualClock(NOW_US)
    app = SessionsApp(SessionHome(home, clock, boxes, Sizes(clock, measure)), **options)
    app.clock = clock  # type: ignore[attr-defined]
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, SessionsScreen) and (app.screen.complete or not ready))
        yield pilot


def names(pilot: Pilot[Any]) -> list[str]:
    """The names of the sessions that are shown, in order."""
    return [row.name for row in pilot.app.screen._rows.rows]


def told(pilot: Pilot[Any]) -> list[str]:
    """Everything that was said in the corner."""
    return [notice.message for notice in pilot.app._notifications]
