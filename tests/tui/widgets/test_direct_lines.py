"""Lines that go straight to the compositor look as they would have by Textual's own way."""

from __future__ import annotations

import gc
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.style import Style as RichStyle
from textual.app import App, ComposeResult
from textual.color import Color
from textual.content import Content, Span
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from tui.compositor import FrugalCompositor, cells_of
from tui.theming import role_variables
from tui.widgets.line_list import LineList
from tui.widgets.painting import Painter
from tui.widgets.rows import TextRows

BASE = Style(background=Color.parse("#101010"), foreground=Color.parse("#eeeeee"))
STYLES = st.sampled_from(["bold", "red on blue", "", "no such style", Style(italic=True)])
SPANS = st.lists(st.builds(Span, st.integers(0, 12), st.integers(0, 12), STYLES), max_size=4)


def letters(parts: list[tuple[str, RichStyle | None]]) -> list[tuple[str, RichStyle | None]]:
    return list(chain.from_iterable([(letter, style) for letter in text] for text, style in parts))


@given(text=st.text("ab 漢", max_size=10), spans=SPANS, in_order=st.booleans())
def test_segments_are_those_that_textual_makes_of_content(text: str, spans: list[Span], in_order: bool) -> None:
    spans = [Span(*sorted(span[:2]), span.style) for span in spans]
    spans = sorted(spans, key=lambda span: span[:2]) if in_order else spans
    content, painter = Content(text, spans=[span for span in spans if span.end <= len(text)]), Painter()
    by_textual = content.render(BASE, end="", parse_style=painter.style)
    assert letters([(text, style) for text, style, _ in painter.segments(content, BASE)]) == letters(
        [(text, style.rich_style) for text, style in by_textual]
    )


class Listed(App[None]):
    CSS = "LineList { padding: 0 1; background: #222; color: #eee; }"

    def compose(self) -> ComposeResult:
        yield LineList(TextRows([f"item {index} " + "漢字 " * (index % 30) for index in range(200)]))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return role_variables(self.current_theme)


def seen(strips: list[Strip]) -> list[list[tuple[str, str]]]:
    return [cells_of(strip, ColorSystem.TRUECOLOR) for strip in strips]


async def test_a_list_and_its_scrollbar_are_drawn_as_textual_would() -> None:
    app = Listed()
    async with app.run_test(size=(40, 12)) as pilot:
        lines = app.query_one(LineList)
        lines.select(100, center=True)
        await pilot.pause()
        bar = lines.vertical_scrollbar
        assert type(bar) is not ScrollBar
        for widget in (lines, bar):
            whole = widget.outer_size.region
            assert seen(widget.render_lines(whole)) == seen(Widget.render_lines(widget, whole))


async def test_lines_drawn_anew_leave_nothing_to_a_collector() -> None:
    app = Listed()
    async with app.run_test(size=(40, 12)) as pilot:
        app.screen._compositor.__class__ = FrugalCompositor
        lines = app.query_one(LineList)
        lines.select(0)
        await pilot.pause()
        gc.collect()
        gc.disable()
        try:
            for index in range(20, 200, 20):
                lines.select(index, center=True)
                await pilot.pause()
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            assert [it for it in gc.garbage if isinstance(it, Strip)] == []
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
