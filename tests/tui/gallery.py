"""Every view of the product, for its goldens: which keys show it, and which words tell that it is there.

A tour is one app that shows several views one after the other, each at every size.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sample_sessions import Log, audit_session
from session_homes import assorted, listed
from textual.pilot import Pilot
from watching_app import Mark, app_over, read, screen_text, until

from core.clock import MICROSECONDS
from core.events import ApprovalAsked, BudgetCrossed, ContextPolicy, MemoryWritten, SessionPaused
from core.journal.catalogue import session_folder
from core.journal.lease import acquire
from tui.attention import Sight
from tui.screens.watch import WatchScreen
from tui.widgets.line_list import LineList

SIZES = ((80, 24), (120, 40), (200, 50))
STILL_FRAMES, FRAME_S = 2, 0.02
MIDDLE = 90
HOUR_US = 3_600 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class View:
    """`keys` show it, `words` tell that it is there, `leave` goes back to where the next view starts."""

    name: str
    keys: tuple[str, ...]
    words: str
    leave: tuple[str, ...] = ("escape",)


def pane(name: str, key: str, words: str) -> View:
    """A pane alone on the screen."""
    return View(name, (key, "z"), words, ("z", "1"))


PANES = (
    View("watch", (), "● running", ()),
    pane("conversation", "1", "The tests again"),
    pane("tool-calls", "2", "running"),
    pane("context", "3", "free"),
    pane("memory", "4", "m1"),
    pane("cost", "5", "spent"),
    pane("plan", "6", "AUDIT.md"),
)
DIALOGS = (
    View("guide", ("g",), "Guide"),
    View("compress", ("c",), "survive"),
    View("rewind", ("r", "down"), "by hand"),
    View("budget", ("b",), "Budget: dollars"),
    View("model", ("M", "down", "down"), "reads about"),
    View("bookmark", ("m",), "ookmark"),
    View("fork", ("B",), "Branch into"),
    View("evict", ("3", *["down"] * 4, "E"), "Evict from", ("escape", "1")),
    View("memory-dialog", ("W",), "Memory"),
    View("policy", ("P",), "window"),
    View("stop", ("ctrl+x",), "Stop this session"),
    View("search", ("/", *"store"), "store"),
    View("help", ("?", *"memory"), "Look at the memory", ("escape", "escape")),
    View("palette", ("z", "ctrl+p", *"checkpoint"), "Go back to a checkpoint", ("escape", "z")),
)
FINDING = View("find", ("F", *"store"), "found")
READING = (
    FINDING,
    View("reader", ("2", "home", *["down"] * 12, "enter"), "updated: sha256", ("escape",)),
)
FILM = (View("replay", (), f"#{MIDDLE} of", ()),)
LISTED = (
    View("sessions", (), "needs you", ()),
    View("sessions-search", ("/", *"aud"), "aud"),
    View("report", ("home", "R"), "Tool calls"),
    View("compare", ("home", "c", "down", "c"), "the same"),
)


def waiting_session() -> Log:
    """A session that has stopped for its user."""
    log = audit_session()
    log.add(BudgetCrossed(percent=95, spent="4.80", budget="5.00"), key="5.00@95")
    log.add(ContextPolicy(policy="off", tokens=90_000, reason="Two compressions in a row freed too little."))
    log.add(MemoryWritten(text="Keep the public names.", category="decision"), key="m9")
    log.add(SessionPaused(reason="refusal", detail="The model declined to go on with the loader"))
    return log


def asking_session() -> Log:
    """A session that asks whether it may push."""
    log = audit_session()
    asked = ApprovalAsked(
        name="run_command",
        use_id="t",
        arguments={"command": "git push origin main"},
        effect="command",
        reason="git push reaches other repositories or changes how git works.",
        facts=["in: /home/dev/inventory", "outside: github.com"],
        rules=["run_command: git push origin main"],
    )
    log.add(asked, key="r99.1.0")
    return log


@asynccontextmanager
async def watched(log: Log, **options: Any) -> AsyncIterator[Pilot[Any]]:
    """The watch screen over a log that is read to its end."""
    async with app_over(log, **options).run_test(size=SIZES[0]) as pilot:
        await read(pilot)
        yield pilot


@asynccontextmanager
async def returned() -> AsyncIterator[Pilot[Any]]:
    """Somebody comes back after three hours."""
    log = waiting_session()
    mark = Mark(20, log.at_us - 3 * HOUR_US)
    app = app_over(log, sight=Sight(mark))
    app.watch_screen.grace_s = 0.0
    app.watch_screen.grace_s = 0.0  # Else the time that a look takes decides what the last line says.
    async with app.run_test(size=SIZES[0]) as pilot:
        yield pilot


@asynccontextmanager
async def shown(pilot: Pilot[Any], view: View) -> AsyncIterator[None]:
    """The view is there, in the smallest size; afterwards it is gone again."""
    await pilot.press(*view.keys)
    await until(pilot, lambda: view.words in screen_text(pilot))
    yield
    await text_at(pilot, SIZES[0])
    await pilot.press(*view.leave)
    await settled(pilot)


async def text_at(pilot: Pilot[Any], size: tuple[int, int]) -> str:
    """What is on the screen in a terminal of that size."""
    if pilot.app.size != size:
        await pilot.resize_terminal(*size)
    await until(pilot, lambda: laid_out(pilot, size))
    return await settled(pilot)


def laid_out(pilot: Pilot[Any], size: tuple[int, int]) -> bool:
    """Whether all that is seen has been arranged for that size: a screen knows its new size some time before."""
    seen = (pilot.app.screen, *pilot.app._background_screens)
    return all(screen.size == size and screen._compositor.size == size for screen in seen)


async def settled(pilot: Pilot[Any]) -> str:
    """What is on the screen once a second has passed by its clock, and it stays the same for a few frames.

    Lists that follow do so by strides, which depend on the sizes that they had on the way: here they come to rest.
    """
    for screen in pilot.app.screen_stack:
        if isinstance(screen, WatchScreen):
            screen._second()
            for lines in screen.query(LineList):
                lines.come_to_rest()
    text, same = screen_text(pilot), 0
    while same < STILL_FRAMES:
        await pilot.pause(FRAME_S)
        before, text = text, screen_text(pilot)
        same = same + 1 if text == before else 0
    return text


@asynccontextmanager
async def listing(home: Path) -> AsyncIterator[Pilot[Any]]:
    """The list of a home with a session in each state, but for a damaged one, which shows its path."""
    folders = await assorted(home)
    shutil.rmtree(session_folder(home, "01f"))
    with acquire(folders["parser"]):
        async with listed(home, SIZES[0], measure=lambda folder: 4_200_000) as pilot:
            yield pilot


Tour = tuple[Callable[[Path], AbstractAsyncContextManager[Pilot[Any]]], tuple[View, ...]]

TOURS: dict[str, Tour] = {
    "panes": (lambda _: watched(audit_session()), PANES),
    "dialogs": (lambda _: watched(audit_session()), DIALOGS),
    "reading": (lambda _: watched(audit_session(running=False)), READING),
    "film": (lambda _: watched(audit_session(), mode="replay", start_at=MIDDLE), FILM),
    "returning": (lambda _: returned(), (View("since-you-left", (), "Since you left", ()),)),
    "asking": (lambda _: watched(asking_session()), (View("approval", (), "y approve", ()),)),
    "listing": (listing, LISTED),
}
