"""The film of a session for people who were not there: an asciicast of its replay, and pictures of what befell it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from textual.pilot import Pilot

from core.clock import MICROSECONDS, pause_real
from core.events import (
    ContextCompressed,
    Event,
    HeadMoved,
    RetryWaiting,
    RunnerRecovered,
    SessionFinished,
)
from core.journal.export import export_session, open_export
from core.journal.reader import Reader
from core.source import SessionSource
from tui.abilities import ReadOnly
from tui.app import LongwatchApp
from tui.asciicast import shoot
from tui.docks.playback import LONGEST_GAP_S
from tui.screenshots import Scene, picture

CAST_SIZE: Final = (100, 30)
PICTURE_SIZE: Final = (140, 40)
CAST_S: Final = 75
"""So long the asciicast takes; the speed follows."""
CAST_FPS: Final = 4
READ_EVERY_S: Final = 0.02

KEYS: Final = {
    "outage": ("!",),
    "rewound": ("6",),
    "compressed": ("3",),
    "recovered": ("4",),
    "finished": ("5",),
}
"""What is pressed for each picture: the reason of the alarm, or the pane that has most to say."""


def takes(events: Iterable[Event]) -> list[tuple[str, int]]:
    """(name, seq) of the moments that are photographed, in their order: the longest wait for the provider, the
    compression that saved most, and the last of each other kind that there is."""
    found: dict[str, int] = {}
    longest_s, saved = 0.0, 0
    for event in events:
        match event.body:
            case RetryWaiting(delay_s=delay_s) if delay_s > longest_s:
                longest_s, found["outage"] = delay_s, event.seq
            case HeadMoved(reason="rewind"):
                found["rewound"] = event.seq
            case ContextCompressed(tokens_before=before, tokens_after=after) if before - after > saved:
                saved, found["compressed"] = before - after, event.seq
            case RunnerRecovered():
                found["recovered"] = event.seq
            case SessionFinished():
                found["finished"] = event.seq
    return sorted(found.items(), key=lambda take: take[1])


def film(folder: Path, into: Path, name: str, redact: Callable[[Any], Any]) -> list[Path]:
    """Write `name`.cast and a picture of each take; the files. Blocks. Raises JournalError, OSError, TooLong."""
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="longwatch-") as place:
        draft = Path(place) / "film.longwatch"
        export_session(folder, draft, redact)
        return asyncio.run(_film(open_export(draft, Path(place)), into, name))


async def _film(session: Path, into: Path, name: str) -> list[Path]:
    with Reader(session) as reader:
        events = reader.events()
    cast = into / f"{name}.cast"
    speed = max(1.0, length_s(events) / CAST_S)
    with cast.open("wb") as out:
        await shoot(session, out, size=CAST_SIZE, speed=speed, title=name, fps=CAST_FPS)
    written = [cast]
    for what, seq in takes(events):
        app = LongwatchApp(SessionSource(session), ReadOnly(), mode="replay", start_at=seq)
        svg = into / f"{name}-{what}.svg"
        scene = Scene(f"{name}: {what}", PICTURE_SIZE, keys=KEYS[what], ready=_read)
        svg.write_text(await picture(app, scene), encoding="utf-8")
        written.append(svg)
    return written


def length_s(events: list[Event]) -> float:
    """How long the replay takes at speed 1, with its waits cut."""
    gaps = (after.at_us - before.at_us for before, after in pairwise(events))
    return sum(min(LONGEST_GAP_S, gap_us / MICROSECONDS) for gap_us in gaps)


async def _read(pilot: Pilot[Any]) -> None:
    """The whole log is read, and what was asked for stands there."""
    app = pilot.app
    assert isinstance(app, LongwatchApp)
    while not app.watch_screen.is_read:
        await pause_real(READ_EVERY_S)
    await pilot.pause()
