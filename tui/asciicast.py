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

from rich.console import Console
from textual.pilot import Pilot

from core.clock import pause_real
from core.journal.export import export_session, open_export
from core.progress import tell
from core.source import SessionSource
from tui.app import LongwatchApp
from tui.docks.playback import Playback
from tui.safe import one_line
from tui.watching import ReadOnly

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
        return asyncio.run(_record(open_export(draft, Path(place)), out, size, speed, title))


async def _record(folder: Path, out: IO[bytes], size: tuple[int, int], speed: float, title: str) -> int:
    columns, rows = size
    head = {"version": 2, "width": columns, "height": rows, "title": one_line(title), "env": {"TERM": "xterm-256color"}}
    out.write(json.dumps(head).encode() + b"\n")
    app = LongwatchApp(SessionSource(folder), ReadOnly(), mode="replay", start_at=1, speed=10.0)
    async with app.run_test(size=size) as pilot:
        await _ready(app, pilot)
        frames = _Frames(app, out, size)
        playback = Playback(app.view.timeline)
        playback.speed, playback.playing = speed, True
        seconds, seq = 0.0, 1
        await frames.shot(pilot, seq, seconds)
        while seq < playback.last:
            before, seq = seq, playback.advance(seq, 1 / FPS)
            seconds += 1 / FPS
            if seq != before:
                await frames.shot(pilot, seq, seconds)
            tell(seq, lambda: playback.last)
            if seconds * FPS > MOST_FRAMES:
                minutes = MOST_FRAMES // FPS // 60
                raise TooLong(f"At --speed {speed:g} the film is longer than {minutes} minutes; choose a higher one.")
        frames.write(seconds + LAST_S, "")
        return frames.count


async def _ready(app: LongwatchApp, pilot: Pilot[Any]) -> None:
    """Until the whole log is read."""
    while not app.watch_screen.is_read:
        await pilot.pause()
        await pause_real(0.01)


class _Frames:
    """Pictures one after the other: of each only the lines that differ from the one before."""

    def __init__(self, app: LongwatchApp, out: IO[bytes], size: tuple[int, int]) -> None:
        self._app, self._out = app, out
        self._lines: list[str] = [""] * size[1]
        self._console = Console(
            width=size[0], height=size[1], force_terminal=True, color_system="truecolor", legacy_windows=False
        )
        self.count = 0

    async def shot(self, pilot: Pilot[Any], seq: int, seconds: float) -> None:
        """The screen as of event `seq`."""
        self._app.watch_screen.seek(seq)
        await pilot.pause()
        strips = self._app.screen._compositor.render_strips()
        lines = [strip.render(self._console) for strip in strips[: len(self._lines)]]
        changed = [f"\x1b[{row + 1};1H{line}\x1b[0m" for row, line in enumerate(lines) if line != self._lines[row]]
        start = "\x1b[?25l\x1b[2J" if not self.count else ""
        self._lines[: len(lines)] = lines
        if changed:
            self.count += 1
            self.write(seconds, start + "".join(changed))

    def write(self, seconds: float, text: str) -> None:
        self._out.write(
            json.dumps([round(seconds, 3), "o", text], ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        )
