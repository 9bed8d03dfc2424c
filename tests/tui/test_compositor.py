"""The diffing compositor shows exactly what Textual would, in fewer bytes."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recording import as_seen, recording_driver, written
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import Compositor
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.geometry import Region, Size
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input, Static

from tui.compositor import FrugalCompositor, TerminalMemory, ThriftyApp, cells_of
from tui.pen import Pen, change, look_of

WIDTH, HEIGHT = 100, 30


class Question(ModalScreen[None]):
    CSS = "Question { align: center middle; } Question > Static { width: 40; height: 7; border: round $accent; }"

    def compose(self) -> ComposeResult:
        yield Static("Go back to checkpoint 12? ✓ → 日本語 wide", markup=False)


class Sample(ThriftyApp[None]):
    CSS = """
    #left { width: 2fr; }
    #right { width: 1fr; }
    VerticalScroll { border: round $primary; }
    """

    def compose(self) -> ComposeResult:
        with Horizontal():
            with VerticalScroll(id="left"):
                yield Static("\n".join(f"line {n} of many, wide 日本 ⚠ narrow" for n in range(80)))
            with VerticalScroll(id="right"):
                yield Static("0", id="counter", markup=False)
                yield Input(placeholder="guide", id="guide")


async def _script(app: Sample, settle: Callable[[str], Awaitable[None]]) -> None:
    await settle("start")
    app.query_one("#left").scroll_page_down(animate=False)
    await settle("page")
    app.query_one("#counter", Static).update("12,345 tokens", layout=False)
    await settle("counter")
    app.query_one("#guide").focus()
    await settle("focus")
    await app.push_screen(Question())
    await settle("modal")
    app.theme = "gruvbox"
    await settle("theme")
    app.pop_screen()
    await settle("modal gone")
    app.query_one("#right").display = False
    await settle("pane hidden")
    app.action_redraw()
    await settle("redrawn")


async def _play() -> tuple[dict[str, Any], dict[str, int]]:
    """Each frame's cells and the bytes it took."""
    app = Sample(driver_class=recording_driver(WIDTH, HEIGHT))
    terminal = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(terminal)
    frames: dict[str, Any] = {}
    sizes: dict[str, int] = {}

    async def settle(name: str) -> None:
        data = await written(app)
        stream.feed(data)
        sizes[name] = len(data.encode())
        frames[name] = as_seen(terminal)

    async def pilot(_: Any) -> None:
        app.console._color_system = ColorSystem.TRUECOLOR
        app.animation_level = "none"
        app.query_one(Input).cursor_blink = False
        app.set_focus(None)
        app.forget_terminal()
        app.refresh(layout=True)
        await _script(app, settle)
        app.exit()

    await app.run_async(auto_pilot=pilot)
    return frames, sizes


async def test_every_frame_is_the_same_as_textuals_own_and_the_whole_is_smaller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thrifty, small = await _play()
    monkeypatch.setenv("LONGWATCH_FULL_REPAINT", "1")
    stock, large = await _play()
    assert list(thrifty) == list(stock)
    for name, frame in stock.items():
        assert thrifty[name] == frame, name
    assert sum(small.values()) < sum(large.values()) / 2
    assert small["counter"] < 200
    assert small["focus"] < large["focus"] / 5
    assert small["redrawn"] > 3000


async def test_rendering_only_what_shows_gives_the_same_strips() -> None:
    app = Sample()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        for screen in (app.screen, Question()):
            if screen is not app.screen:
                await app.push_screen(screen)
            await pilot.pause()
            compositor = screen._compositor
            every = (compositor.size.region, lambda y: True)
            compositor.__class__ = Compositor
            stock = compositor._render_chops(*every)
            compositor.__class__ = FrugalCompositor
            assert compositor._render_chops(*every) == stock
            crop = Region(20, 4, 50, 9)
            for y, chops in enumerate(compositor._render_chops(crop, lambda y: y != 6)):
                for cut, end in itertools.pairwise(compositor.cuts[y]):
                    wanted = 4 <= y < 13 and y != 6 and cut < 70 and end > 20
                    assert chops[cut] == (stock[y][cut] if wanted else None)


async def test_an_update_of_unknown_shape_is_written_by_textual_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    stock, _ = await _play()
    monkeypatch.setattr("tui.compositor._span", lambda *_: (_ for _ in ()).throw(AttributeError("moved")))
    monkeypatch.setattr("tui.compositor._joined", lambda *_: (_ for _ in ()).throw(AttributeError("moved")))
    fallen_back, _ = await _play()
    assert fallen_back == stock


_STYLES = st.sampled_from(
    [
        "",
        "bold",
        "red",
        "bold red on blue",
        "#102030 on #405060",
        "italic on #405060",
        "underline bright_green",
        "color(200)",
    ]
)
_LINES = st.lists(st.tuples(st.text("ab é日✓̈", max_size=6), _STYLES), max_size=5)


@settings(max_examples=60, deadline=None)
@given(st.lists(_LINES, min_size=1, max_size=6))
def test_a_line_rewritten_by_differences_reads_like_one_written_whole(lines: list[list[tuple[str, str]]]) -> None:
    memory, size = TerminalMemory(), Size(40, 1)
    thrifty, whole = pyte.Screen(40, 1), pyte.Screen(40, 1)
    for line in lines:
        strip = Strip([Segment(text, Style.parse(style)) for text, style in line]).adjust_cell_length(40)
        cells = cells_of(strip, ColorSystem.TRUECOLOR)
        pyte.Stream(thrifty).feed(memory.write([(0, 0, cells)], size))
        pyte.Stream(whole).feed(TerminalMemory().write([(0, 0, cells)], size))
    assert as_seen(thrifty) == as_seen(whole)


@pytest.mark.parametrize("erases", [True, False])
@pytest.mark.parametrize("style", ["on #405060", "bold red on blue", "underline", "reverse", ""])
def test_a_long_blank_looks_the_same_erased_or_written(style: str, erases: bool) -> None:
    screens = []
    for blanks in (erases, False):
        memory, screen = TerminalMemory(erases=blanks), pyte.Screen(40, 1)
        for text in ("some words over the whole of this line...", "ab" + " " * 30 + "cd", "x"):
            cells = cells_of(Strip([Segment(text, Style.parse(style))]).adjust_cell_length(40), ColorSystem.TRUECOLOR)
            pyte.Stream(screen).feed(memory.write([(0, 0, cells)], Size(40, 1)))
        screens.append(as_seen(screen))
    assert screens[0] == screens[1]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["ab", "c d", " ", " " * 15, "日本"]), _STYLES), max_size=8), max_size=6
    )
)
def test_rows_rewritten_by_differences_read_like_rows_written_whole(lines: list[list[tuple[str, str]]]) -> None:
    memory, size = TerminalMemory(), Size(60, 3)
    thrifty, whole = pyte.Screen(60, 3), pyte.Screen(60, 3)
    streams = pyte.Stream(thrifty), pyte.Stream(whole)
    for first, second, third in itertools.product(lines, lines, lines):
        spans = []
        for row, line in enumerate((first, second, third)):
            strip = Strip([Segment(text, Style.parse(style)) for text, style in line]).adjust_cell_length(60)
            spans.append((row, 0, cells_of(strip, ColorSystem.TRUECOLOR)))
        streams[0].feed(memory.write(spans, size))
    streams[1].feed(TerminalMemory(erases=False).write(spans, size) if lines else "")
    assert as_seen(thrifty) == as_seen(whole)


def test_what_is_already_shown_costs_nothing() -> None:
    memory, cells = TerminalMemory(), [("a", "1"), ("b", "")]
    assert memory.write([(0, 0, cells)], Size(2, 1))
    assert memory.write([(0, 0, cells)], Size(2, 1)) == ""
    memory.forget()
    assert memory.write([(0, 0, cells)], Size(2, 1))


@pytest.mark.parametrize(
    ("old", "new", "sequence"),
    [
        ("", "1;38;2;1;2;3", "\x1b[1;38;2;1;2;3m"),
        ("38;2;1;2;3;48;2;9;9;9", "38;2;4;5;6;48;2;9;9;9", "\x1b[38;2;4;5;6m"),
        ("1;31", "31", "\x1b[22m"),
        ("1;2;31", "2;31", "\x1b[22;2m"),
        ("1;38;2;1;2;3;48;2;9;9;9", "38;2;4;5;6;48;2;9;9;9", "\x1b[22;38;2;4;5;6m"),
        ("31;44", "44", "\x1b[39m"),
        ("31", "", "\x1b[m"),
        (None, "31", "\x1b[;31m"),
        (None, "", "\x1b[m"),
    ],
)
def test_only_the_change_of_colours_is_written(old: str | None, new: str, sequence: str) -> None:
    assert change(None if old is None else look_of(old), look_of(new)) == sequence


@pytest.mark.parametrize(("x", "y", "move"), [
    (2, 5, "\x1b[2D"), (3, 6, "\x1b[B\x1b[D"), (4, 3, "\x1b[2A"), (9, 5, "\x1b[5C"), (0, 0, "\x1b[1H"),
])  # fmt: skip
def test_a_move_is_written_in_the_shortest_way_that_is_an_escape_sequence(x: int, y: int, move: str) -> None:
    """A bare control character on the terminal then is somebody else's, whatever stands around it."""
    pen = Pen(40, look=look_of(""))
    pen.draw(0, 5, [("a", "")] * 4)
    start = pen.taken()
    pen.draw(x, y, [("b", "")])
    assert pen.taken() == f"{start}{move}b"


def test_blanks_take_the_colours_of_the_words_around_them_and_the_pen_keeps_its_own() -> None:
    memory, size = TerminalMemory(), Size(9, 1)
    assert memory.write([(0, 0, [*[("a", "1;31;44")] * 2, (" ", "44"), *[("b", "1;31;44")] * 6])], size)
    again = [*[("a", "1;31;44")] * 2, (" ", "44"), *[("c", "1;31;44")] * 6]
    assert memory.write([(0, 0, again)], size) == "\x1b[1;4Hcccccc"
