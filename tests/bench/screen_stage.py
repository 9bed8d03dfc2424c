"""What the benchmarks of the screen share: an app over a made-up session, what it writes, and tables with aims."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

ROOT = Path(__file__).parent.parent.parent
for place in (ROOT, ROOT / "tests" / "tui", ROOT / "tests" / "scenarios", ROOT / "tests"):
    sys.path.insert(0, str(place))

os.environ.update(COLORTERM="truecolor", TERM="xterm-256color")
for name in ("NO_COLOR", "SSH_CONNECTION", "SSH_TTY"):
    os.environ.pop(name, None)

if TYPE_CHECKING:
    from sample_sessions import Log

REFERENCE_CALLS = 1_158
BYTECODE = TemporaryDirectory(prefix="longwatch-bytecode-")
T = TypeVar("T")


@dataclass
class Figures:
    """Rows of (what, measured, aim); an aim of None is only looked at."""

    title: str
    unit: str
    rows: list[tuple[str, float, float | None]] = field(default_factory=list)

    def add(self, what: str, measured: float, aim: float | None = None) -> None:
        self.rows.append((what, measured, aim))

    def show(self) -> None:
        print(f"\n{self.title}")
        print(f"  {'':<58}{self.unit:>12}{'aim':>10}")
        for what, measured, aim in self.rows:
            wanted = "" if aim is None else f"<= {aim:,g}"
            missed = "  MISSED" if aim is not None and measured > aim else ""
            digits = 0 if measured >= 100 or measured == int(measured) else 3 if measured < 1 else 1
            print(f"  {what:<58}{measured:>12,.{digits}f}{wanted:>10}{missed}", flush=True)


class Stage:
    """The watch screen over a made-up session whose time stands still unless it is moved."""

    def __init__(self, log: Log, columns: int = 200, rows: int = 50, **options: Any) -> None:
        from recording import recording_driver
        from sample_sessions import FakeControls, FakeSource

        from core.clock import VirtualClock
        from tui.app import LongwatchApp

        self.log = log
        self.clock = VirtualClock(log.at_us)
        self.source = FakeSource(log)
        self.app = LongwatchApp(self.source, FakeControls(), clock=self.clock, **options)  # type: ignore[arg-type]
        self.app.driver_class = recording_driver(columns, rows)

    @property
    def screen(self) -> Any:
        return self.app.watch_screen

    async def bytes_of(self, step: Callable[[], object]) -> int:
        """Bytes that go to the terminal for one step, once all of it is drawn."""
        from recording import FRAME_S, QUIET_FRAMES, written

        step()
        frames = QUIET_FRAMES + round(1 / self.screen.line.frames_per_second / FRAME_S)
        return len((await written(self.app, quiet_frames=frames)).encode())

    async def key(self, key: str) -> int:
        """Bytes of what a key press does."""
        return await self.bytes_of(lambda: self._press(key))

    async def soon(self) -> None:
        """Let what is under way happen, drawing included."""
        for _ in range(3):
            await asyncio.sleep(0.01)

    def _press(self, key: str) -> None:
        from textual import events

        self.app.post_message(events.Key(key, key if len(key) == 1 else None))

    def pushed(self) -> None:
        """Everything that was added to the log, as one commit, at the time of its last event."""
        self.clock.advance(max(0, self.log.at_us - self.clock.now_us()) / 1_000_000)
        self.source.push()

    async def second(self) -> int:
        """Bytes of a second that goes by."""
        self.clock.advance(1)
        return await self.bytes_of(self.screen._second)

    def perform(self, play: Callable[[Stage], Awaitable[T]]) -> T:
        """Open the app, wait until all of the session is on the screen, play, end; what the play came to."""
        came_to: list[T] = []

        async def pilot(_: Any) -> None:
            while not self.screen.is_read:  # noqa: ASYNC110 - the screen has no event for it
                await asyncio.sleep(0.02)
            await self.bytes_of(lambda: None)
            came_to.append(await play(self))
            self.app.exit()

        asyncio.run(self.app.run_async(auto_pilot=pilot))
        return came_to[0]


def session(calls: int = REFERENCE_CALLS) -> Log:
    """A session of that many calls; none: one that has just begun."""
    from sample_sessions import Log, long_session

    if calls:
        return long_session(calls)
    log = Log()
    log.opened("Port the service to the new API.")
    return log


def in_process(file: str, *arguments: str) -> dict[str, float]:
    """Run a file with `arguments` in a process of its own, with memory and imports of its own; what it printed last.

    Modules are compiled once, as an installed package's are, and the size of the terminal is known, as a terminal's is.
    """
    command = [sys.executable, "-P", file, *arguments]
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": BYTECODE.name, "COLUMNS": "200", "LINES": "50"}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=environ)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer
