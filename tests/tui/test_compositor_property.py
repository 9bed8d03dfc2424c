"""Whatever one presses, and however the terminal changes its size: ours and Textual's own compositor show the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import chain
from typing import Any

import pyte
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from recording import RecordingDriver, as_seen, recording_driver, written
from rich.color import ColorSystem
from sample_sessions import audit_session
from textual import events
from textual._compositor import Compositor
from textual.geometry import Size
from textual.strip import Strip
from watching_app import app_over

SIZES = ((80, 24), (120, 40), (200, 50), (60, 14))
KEYS = ("1", "2", "3", "4", "5", "6", "tab", "z", "up", "down", "pageup", "pagedown", "home", "end", "o", "v", "S", "T")
DIALOGS = (
    "g",
    "c",
    "r",
    "b",
    "M",
    "m",
    "W",
    "P",
    "question_mark",
    "L",
    "ctrl+p",
    "enter",
    "escape",
    "escape",
    "ctrl+t",
)
MOST_LOOKS = 20
STEPS = st.lists(st.sampled_from([*KEYS, *DIALOGS, *SIZES, "call", "say", "second"]), min_size=4, max_size=14)


class Terminal:
    """What a terminal shows after all that was written to it."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self._screen)

    def take(self, data: str) -> None:
        self._stream.feed(data)

    @property
    def cells(self) -> list[list[Any]]:
        return as_seen(self._screen)


def by_textual(app: Any) -> Terminal:
    """The screen as Textual's own compositor writes it, whole, to an empty terminal."""
    compositor, terminal = app.screen._compositor, Terminal(app.size)
    ours, compositor.__class__ = type(compositor), Compositor
    try:
        update = compositor.render_update(full=True)
        forget_codes(update.strips)
        terminal.take(update.render_segments(app.console))
    finally:
        compositor.__class__ = ours
    return terminal


def forget_codes(lines: Iterable[Iterable[Strip]]) -> None:
    """Textual keeps how it wrote a strip and a style, for the whole process, also for other numbers of colours."""
    for strip in chain.from_iterable(lines):
        strip._render_cache = None
        for _, style, _ in strip:
            if style is not None:
                style._ansi = None


async def take(app: Any, step: Any, terminal: Terminal) -> Terminal:
    """One step of the script; the terminal, a new one after a change of its size."""
    source = app.fake_source
    match step:
        case (width, height):
            app._driver.send_message(events.Resize(Size(width, height), Size(width, height)))
            app._driver.written.clear()
            return Terminal((width, height))
        case "call":
            source.log.call("read_file", {"path": "src/日本.py"}, "one ⚠ line\nand another", text="Something **new**.")
            source.push()
        case "say":
            source.say("Words ", "of a reply, wide 日本 ones too. " * 3)
        case "second":
            app.watch_screen._second()
        case key:
            app._driver.process_message(events.Key(key, key if len(key) == 1 else None))
    return terminal


async def played(steps: list[Any]) -> tuple[list[list[Any]], list[list[Any]]]:
    """What the terminal shows at the end of the script, and what it would show if it were written anew."""
    app = app_over(audit_session())
    app.driver_class = recording_driver(*SIZES[0])
    app.console._color_system = ColorSystem.TRUECOLOR
    seen: list[list[list[Any]]] = []

    async def script(pilot: Any) -> None:
        terminal = Terminal(SIZES[0])
        while not app.watch_screen.is_read:
            await written(app)
        app.forget_terminal()
        for step in steps:
            assert isinstance(app._driver, RecordingDriver)
            terminal.take("".join(app._driver.written))
            app._driver.written.clear()
            terminal = await take(app, step, terminal)
            await asyncio.sleep(0)
        for _ in range(MOST_LOOKS):  # A screen that was opened last may not be styled yet, however quiet it is.
            await pilot.pause()
            terminal.take(await written(app))
            seen[:] = [terminal.cells, by_textual(app).cells]
            if seen[0] == seen[1]:
                break
        app.exit()

    await app.run_async(auto_pilot=script)
    return seen[0], seen[1]


@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)
@given(STEPS)
def test_the_terminal_ends_with_the_cells_that_textual_would_write(steps: list[Any]) -> None:
    ours, stock = asyncio.run(played(steps))
    for y, (row, wanted) in enumerate(zip(ours, stock, strict=True)):
        assert row == wanted, f"row {y}"
