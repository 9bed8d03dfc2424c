"""A driver without a terminal that keeps what an app would write, to count and to replay it."""

from __future__ import annotations

import asyncio
from typing import Any

from textual import events
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size

FRAME_S = 0.02
QUIET_FRAMES = 6


class RecordingDriver(Driver):
    """Keeps all that would go to a terminal of a fixed size."""

    SIZE = Size(80, 24)

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self.written: list[str] = []

    def write(self, data: str) -> None:
        self.written.append(data)

    def start_application_mode(self) -> None:
        self.send_message(events.Resize(self.SIZE, self.SIZE))

    def disable_input(self) -> None: ...

    def stop_application_mode(self) -> None: ...


def as_seen(screen: Any) -> list[list[tuple[Any, ...]]]:
    """The cells of a pyte screen as a person sees them: of a blank nobody sees in which colour it was written."""
    return [[_seen(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


def _seen(cell: Any) -> tuple[Any, ...]:
    marked = cell.underscore or cell.strikethrough or cell.reverse
    return tuple(cell)[:9] if cell.data != " " or marked else (" ", cell.bg)


def recording_driver(width: int, height: int) -> type[RecordingDriver]:
    """The class for a terminal of that size."""
    return type("SizedDriver", (RecordingDriver,), {"SIZE": Size(width, height)})


async def written(app: App[Any], *, keep: bool = False, quiet_frames: int = QUIET_FRAMES) -> str:
    """What was written since the last call, once nothing more is written for some frames; forgotten unless `keep`."""
    driver = app._driver
    assert isinstance(driver, RecordingDriver)
    quiet = 0
    while quiet < quiet_frames:
        count = len(driver.written)
        await asyncio.sleep(FRAME_S)
        quiet = quiet + 1 if len(driver.written) == count else 0
    data = "".join(driver.written)
    if not keep:
        driver.written.clear()
    return data
