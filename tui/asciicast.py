"""A replay as an asciicast (version 2): the real screen, drawn without a terminal, at the pace of the film.

Time in the recording is computed, so making it costs what drawing costs and a machine that is busy changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from rich.color import ColorSystem
from textual.geometry import Size
from textual.pilot import Pilot

from core.clock import pause_real
from core.journal.export import export_session, open_export
from core.progress import tell
from core.source import SessionSource
from tui.abilities import ReadOnly
from tui.app import LongwatchApp
from tui.compositor import TerminalMemory, cells_of
from tui.docks.playback import Playback
from tui.safe import one_line

FPS: Final = 5
MOST_FRAMES: Final = 6_000
"""At most twenty minutes; a longer film wants a higher speed."""
LAST_S: Final = 3.0
"""How long the last picture stays."""


class TooLong(ValueError):
    """The film would be longer than a recording may be; the text says what to do."""


def record(
    folder: Path, out: IO[bytes], *, size: tuple[int, int], speed: float, redact: Callable[[Any], Any], title: str
) -> int:
    """Write the replay of a session; how many pictures it has. Raises TooLong, JournalError."""
    with tempfile.TemporaryDirectory(prefix="longwatch-") as place:
        draft = Path(place) / "film.longwatch"
        export_session(folder, draft, redact)
        return asyncio.run(shoot(open_export(draft, Path(place)), out, size=size, speed=speed, title=title))


async def shoot(
    folder: Path, out: IO[bytes], *, size: tuple[int, int], speed: float, title: str, fps: int = FPS
) -> int:
    """The same of a session that is shown as it is. Raises TooLong."""
    columns, rows = size
    head = {"version": 2, "width": columns, "height": rows, "title": one_line(title), "env": {"TERM": "xterm-256color"}}
    out.write(json.dumps(head).encode() + b"\n")
    app = LongwatchApp(SessionSource(folder), ReadOnly(), mode="replay", start_at=1, speed=speed)
    async with app.run_test(size=size) as pilot:
        await _ready(app, pilot)
        frames = _Frames(app, out, size)
        playback = Playback(app.view.timeline)
        playback.speed, playback.playing = speed, True
        seconds, seq = 0.0, 1
        await frames.shot(pilot, seq, seconds)
        while seq < playback.last:
            before, seq = seq, playback.advance(seq, 1 / fps)
            seconds += 1 / fps
            if seq != before:
                await frames.shot(pilot, seq, seconds)
            tell(seq, lambda: playback.last)
            if seconds * fps > MOST_FRAMES:
                minutes = MOST_FRAMES // fps // 60
                raise TooLong(f"At --speed {speed:g} the film is longer than {minutes} minutes; choose a higher one.")
        frames.write(seconds + LAST_S, "")
        return frames.count


async def _ready(app: LongwatchApp, pilot: Pilot[Any]) -> None:
    """Until the whole log is read."""
    while not app.watch_screen.is_read:
        await pilot.pause()
        await pause_real(0.01)


class _Frames:
    """Pictures one after the other: of each only the cells that differ from the one before."""

    def __init__(self, app: LongwatchApp, out: IO[bytes], size: tuple[int, int]) -> None:
        self._app, self._out = app, out
        self._size, self._terminal = Size(*size), TerminalMemory()
        self.count = 0

    async def shot(self, pilot: Pilot[Any], seq: int, seconds: float) -> None:
        """The screen as of event `seq`."""
        self._app.watch_screen.seek(seq)
        await pilot.pause()
        strips = self._app.screen._compositor.render_strips()[: self._size.height]
        rows = [(row, 0, cells_of(strip, ColorSystem.TRUECOLOR)) for row, strip in enumerate(strips)]
        start = "\x1b[?25l\x1b[2J" if not self.count else ""
        if changed := self._terminal.write(rows, self._size):
            self.count += 1
            self.write(seconds, start + changed)

    def write(self, seconds: float, text: str) -> None:
        self._out.write(
            json.dumps([round(seconds, 3), "o", text], ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        )
