"""The pictures of the README: real runs of the demo's job, photographed while they run and when they have ended."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen

from core.agent.hosting import Hosting
from core.clock import SystemClock, pause_real
from core.config import Config
from core.controls import SessionControls
from core.journal.reader import Reader
from core.models.profiles import resolve_endpoint
from core.session import BackgroundRunner, NewSession, create
from core.simulator.bundled import copy_sample
from core.source import SessionSource
from tui.app import LongwatchApp
from tui.attention import Sight
from tui.commands.run import DEMO_TASK
from tui.screens.reader import ReaderScreen
from tui.screens.sessions import SessionsScreen
from tui.screens.since import SinceScreen
from tui.screenshots import Scene, picture, to_png
from tui.session_rows import SessionHome
from tui.sessions_app import SessionsApp

LOOK_EVERY_S = 0.05
CALLS_WHEN_LIVE = 58
"""The picture of the running session is taken in the middle of its repairs."""
SMALL_BUDGET = "0.12"
"""About half of what the job costs: a session that waits for more."""
FIRST_SEEN = 40
"""The event that was the last one its user saw."""
THEMES = ("beacon", "daybreak", "ember", "fjord", "harbour", "ink", "terminal")
"""Every built-in theme but the one of the other pictures."""

Ready = Callable[[Pilot[Any]], Awaitable[None]]


@dataclass
class Studio:
    """A home for the sessions that are photographed, and a folder for the pictures."""

    place: Path
    folder: Path
    written: list[Path] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.place / "home"

    async def session(self, name: str, **settings: Any) -> Path:
        """A session at the beginning of the demo's job, over a sample project of its own."""
        workspace = self.place / name / "ledger"
        workspace.parent.mkdir(parents=True)
        copy_sample(workspace)
        endpoint = resolve_endpoint(Config(), "simulated/auditor")
        return await create(self.home, NewSession(DEMO_TASK, workspace, endpoint, name, {"speed": 0, **settings}))

    async def take(self, app: LongwatchApp | SessionsApp, scene: Scene) -> None:
        """One picture: SVG, and PNG where that can be made."""
        path = self.folder / f"{scene.name}.svg"
        path.write_text(await picture(app, scene), encoding="utf-8")
        png = path.with_suffix(".png")
        self.written += [path, png] if to_png(path, png) else [path]


@dataclass
class Seen:
    """How far a session had been seen when its user left."""

    seq: int
    at_us: int

    def read(self) -> tuple[int, int]:
        return self.seq, self.at_us

    def note(self, seq: int) -> None:
        """Pictures leave no mark."""


async def from_demo(folder: Path) -> list[Path]:
    """Run the demo's job a few times and write the pictures to `folder`, SVG and PNG; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="longwatch-") as scratch:
        studio = Studio(Path(scratch), folder)
        await _short_of_money(studio)
        finished = await studio.session("audit", budget_usd="5")
        await _live(studio, finished)
        await _afterwards(studio, finished)
        await _asking(studio)
    return studio.written


async def _short_of_money(studio: Studio) -> None:
    """A session that has used up its budget, as one finds it on coming back."""
    session, began_us = await studio.session("nightly", budget_usd=SMALL_BUDGET), SystemClock().now_us()
    async with _running(session) as source:
        app = LongwatchApp(source, SessionControls(session), mode="attached", sight=Sight(Seen(FIRST_SEEN, began_us)))
        waits = _until(lambda: app.view.state.paused)
        await studio.take(
            app, Scene("since-you-left", (110, 28), keys=("L",), ready=waits, shown=_until_open(SinceScreen))
        )


async def _live(studio: Studio, session: Path) -> None:
    """The session while its runner works in this process; once photographed, its context is compressed."""
    source = SessionSource(session)
    runner = BackgroundRunner(Hosting(session, Config(), speed=4.0))
    app = LongwatchApp(source, SessionControls(session), background=lambda: runner.start(lambda events: source.wake()))
    ready = _until(lambda: app.view.tool_calls.count() >= CALLS_WHEN_LIVE)
    await studio.take(app, Scene("watch", (200, 50), ready=ready))
    await SessionControls(session).send("compress")
    await asyncio.to_thread(runner.join)


async def _afterwards(studio: Studio, session: Path) -> None:
    """The same session when it has ended: in a small terminal, in detail, as a film, in every other theme."""
    with Reader(session) as reader:
        middle = reader.last_seq() * 3 // 5
    scenes = (
        Scene("narrow", (80, 24)),
        Scene("reader", (120, 20), keys=("2", "v", "v", "end", "up", "up", "enter"), shown=_until_open(ReaderScreen)),
        Scene("rewind", (140, 40), keys=("r", "down", "down")),
        Scene("compress", (140, 40), keys=("c",), shown=_previewed),
        Scene("replay", (160, 45)),
        *(Scene(theme, (110, 30), theme=theme) for theme in THEMES),
    )
    for scene in scenes:
        film = scene.name == "replay"
        app = LongwatchApp(
            SessionSource(session),
            SessionControls(session),
            mode="replay" if film else "attached",
            start_at=middle if film else None,
        )
        await studio.take(app, replace(scene, ready=_until(_ended(app))))


async def _asking(studio: Studio) -> None:
    """A session that asks before each command; and, while it waits, the list of all sessions."""
    session = await studio.session("careful", budget_usd="5", approvals="ask")
    async with _running(session) as source:
        app = LongwatchApp(source, SessionControls(session), mode="attached")
        await studio.take(app, Scene("approval", (140, 40), ready=_until(lambda: _answerable(app))))
        home = SessionsApp(SessionHome(studio.home, SystemClock()))
        await studio.take(home, Scene("sessions", (140, 24), ready=_until(lambda: _complete(home))))


@asynccontextmanager
async def _running(session: Path) -> AsyncIterator[SessionSource]:
    """A session that is run here for as long as it is photographed."""
    source = SessionSource(session)
    runner = BackgroundRunner(Hosting(session, Config(), attended=True, speed=0))
    runner.start(lambda events: source.wake())
    try:
        yield source
    finally:
        runner.cancel()
        await asyncio.to_thread(runner.done.wait)


def _answerable(app: LongwatchApp) -> bool:
    return any("y approve" in str(label.render()) for label in app.screen.query("ApprovalDock .dock--keys"))


def _complete(app: SessionsApp) -> bool:
    return isinstance(app.screen, SessionsScreen) and app.screen.complete


async def _previewed(pilot: Pilot[Any]) -> None:
    await _until(lambda: bool(pilot.app.screen.query("CompressDock.-ready")))(pilot)


def _until_open(screen: type[Screen[Any]]) -> Ready:
    async def ready(pilot: Pilot[Any]) -> None:
        await _until(lambda: isinstance(pilot.app.screen, screen))(pilot)

    return ready


def _ended(app: LongwatchApp) -> Callable[[], bool]:
    return lambda: app.view.state.finished is not None


def _until(condition: Callable[[], bool]) -> Ready:
    async def ready(pilot: Pilot[Any]) -> None:
        while not condition():
            await pause_real(LOOK_EVERY_S)
        await pilot.pause()

    return ready
