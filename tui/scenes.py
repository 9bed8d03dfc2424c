"""The pictures of the README: a real run of the demo, photographed while it runs and replayed afterwards."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from core.agent.host import Hosting
from core.clock import pause_real
from core.config import Config
from core.controls import SessionControls
from core.journal.reader import Reader
from core.models.profiles import resolve_endpoint
from core.session import BackgroundRunner, NewSession, create
from core.simulator.bundled import copy_sample
from core.source import SessionSource
from tui.app import LongwatchApp
from tui.commands.run import DEMO_TASK
from tui.screenshots import Scene, picture, to_png

LOOK_EVERY_S = 0.05
CALLS_WHEN_LIVE = 58
"""The picture of the running session is taken in the middle of its repairs."""

Ready = Callable[[Pilot[Any]], Awaitable[None]]


async def from_demo(folder: Path) -> list[Path]:
    """Run the demo once and write its pictures to `folder`, SVG and PNG; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="longwatch-") as scratch:
        place = Path(scratch)
        copy_sample(place / "ledger")
        endpoint = resolve_endpoint(Config(), "simulated/auditor")
        settings = {"speed": 0, "budget_usd": "5"}
        session = await create(place / "home", NewSession(DEMO_TASK, place / "ledger", endpoint, "demo", settings))
        written = await _live(session, folder)
        written += await _afterwards(session, folder)
    return written


async def _live(session: Path, folder: Path) -> list[Path]:
    """The session while its runner works in this process; once photographed, its context is compressed."""
    source = SessionSource(session)
    runner = BackgroundRunner(Hosting(session, Config(), speed=4.0))
    app = LongwatchApp(source, SessionControls(session), background=lambda: runner.start(lambda events: source.wake()))
    scene = Scene("watch", (180, 50), ready=_until(lambda: app.view.tool_calls.count() >= CALLS_WHEN_LIVE))
    written = _write(folder, scene.name, await picture(app, scene))
    await SessionControls(session).send("compress")
    await asyncio.to_thread(runner.join)
    return written


async def _afterwards(session: Path, folder: Path) -> list[Path]:
    """The same session when it has ended: as a film, in a small terminal, in detail, in another theme."""
    with Reader(session) as reader:
        middle = reader.last_seq() * 3 // 5
    scenes = (
        Scene("narrow", (80, 24)),
        Scene("reader", (140, 40), keys=("2", "end", "up", "up", "up", "up", "enter")),
        Scene("rewind", (140, 40), keys=("r", "down", "down")),
        Scene("replay", (160, 45)),
        Scene("light", (160, 45), theme="daybreak"),
        Scene("compress", (140, 40), keys=("c",), shown=_previewed),
        Scene("cost", (160, 72), keys=("3",)),
    )
    written: list[Path] = []
    for scene in scenes:
        film = scene.name == "replay"
        app = LongwatchApp(
            SessionSource(session),
            SessionControls(session),
            mode="replay" if film else "attached",
            start_at=middle if film else None,
        )
        shown = replace(scene, ready=_until(_ended(app)))
        written += _write(folder, scene.name, await picture(app, shown))
    return written


async def _previewed(pilot: Pilot[Any]) -> None:
    await _until(lambda: bool(pilot.app.screen.query("CompressDock.-ready")))(pilot)


def _ended(app: LongwatchApp) -> Callable[[], bool]:
    return lambda: app.view.state.finished is not None


def _until(condition: Callable[[], bool]) -> Ready:
    async def ready(pilot: Pilot[Any]) -> None:
        while not condition():
            await pause_real(LOOK_EVERY_S)
        await pilot.pause()

    return ready


def _write(folder: Path, name: str, svg: str) -> list[Path]:
    path = folder / f"{name}.svg"
    path.write_text(svg, encoding="utf-8")
    png = path.with_suffix(".png")
    return [path, png] if to_png(path, png) else [path]
