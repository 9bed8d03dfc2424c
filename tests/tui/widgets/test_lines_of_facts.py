"""Hint bar, status line, live label and table: small, fixed, and silent when nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

from tui.screens.status_facts import FIELDS as STATUS
from tui.theming import role_variables
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.live_label import LiveLabel
from tui.widgets.status_line import Field, StatusLine, placed
from tui.widgets.table import Column, Table, column_widths, table_line

FIELDS = (Field("state", 8, 1), Field("cost", 10, 2, right=True), Field("rest", 6, 9, grow=True))
COLUMNS = (
    Column("#", 4, right=True),
    Column("tool", 8),
    Column("target"),
    Column("time", 6, right=True, from_width=40),
)


class Calls:
    def __init__(self, count: int) -> None:
        self.status = ["running"] * count

    def __len__(self) -> int:
        return len(self.status)

    def text(self, index: int) -> str:
        return f"call {index}"

    def cells(self, index: int) -> Sequence[str | Content]:
        return [str(index), "read\nfile", f"[bold]{self.status[index]}[/] \x1b[31m", "12 ms"]


class FactsApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.calls = Calls(30)
        self.clicked: list[str] = []

    def compose(self) -> ComposeResult:
        yield StatusLine(FIELDS)
        yield LiveLabel("", id="label")
        yield Table(COLUMNS, self.calls)
        yield HintBar()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return role_variables(self.current_theme)

    def action_note(self, word: str) -> None:
        self.clicked.append(word)

    def lines(self) -> list[str]:
        return [strip.text.rstrip() for strip in self.screen._compositor.render_strips()]


@pytest.fixture
def layouts(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many layout passes were asked for since the last question."""
    counted, refresh = [0], Widget.refresh

    def counting(self: Widget, *regions: Region, layout: bool = False, **options: bool) -> Widget:
        counted[0] += layout
        return refresh(self, *regions, layout=layout, **options)

    monkeypatch.setattr(Widget, "refresh", counting)

    def since() -> int:
        count, counted[0] = counted[0], 0
        return count

    return since


async def test_live_numbers_ask_for_no_layout(layouts: Callable[[], int]) -> None:
    app = FactsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        layouts()
        app.query_one(StatusLine).set("cost", "$1.23")
        app.query_one("#label", LiveLabel).update("12 tokens")
        app.calls.status[29] = "done"
        app.query_one(Table).changed(29)
        await pilot.pause()
        assert layouts() == 0
        lines = app.lines()
        assert "$1.23" in lines[0] and lines[1] == "12 tokens" and "done" in lines[-2]


async def test_a_label_that_reads_the_same_is_not_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FactsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        label = app.query_one("#label", LiveLabel)
        label.update("[red]same[/]")
        await pilot.pause()
        drawn: list[object] = []
        monkeypatch.setattr(label, "refresh", lambda *args, **kwargs: drawn.append(args))
        label.update("[red]same[/]")
        assert drawn == [] and app.lines()[1] == "[red]same[/]"
        label.update("other")
        assert len(drawn) == 1


async def test_hints_that_fit_are_shown_and_a_click_does_them() -> None:
    app = FactsApp()
    async with app.run_test(size=(30, 12)) as pilot:
        bar = app.query_one(HintBar)
        bar.show([Hint("g", "guide", "app.note('guide')"), Hint("c", "compress", "app.note('compress')"),
                  Hint("r", "rewind far back", "app.note('rewind')")])  # fmt: skip
        await pilot.pause()
        assert app.lines()[-1].strip() == "g guide  c compress"
        await pilot.click(HintBar, offset=(12, 0))
        assert app.clicked == ["compress"]
        bar.show([Hint("g", "guide", "app.note('guide')")], note="[2] \x1b")
        await pilot.pause()
        assert app.lines()[-1].strip() == "[2] ␛  g guide"


async def test_fields_keep_their_places() -> None:
    app = FactsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        status = app.query_one(StatusLine)
        status.set("state", "running far too long")
        status.set("cost", "$1.23")
        await pilot.pause()
        assert app.lines()[0].startswith(" running… │      $1.23 │")
        with pytest.raises(KeyError):
            status.set("nothing", "x")


def test_the_least_important_field_goes_first() -> None:
    assert [(one.name, x, width) for one, x, width in placed(FIELDS, 60)] == [
        ("state", 0, 8), ("cost", 11, 10), ("rest", 24, 36),
    ]  # fmt: skip
    assert [one.name for one, _, _ in placed(FIELDS, 24)] == ["state", "cost"]
    assert [one.name for one, _, _ in placed(FIELDS, 9)] == ["state"]
    assert placed(FIELDS, 0) == []


@given(st.integers(0, 120))
def test_columns_never_take_more_than_there_is_once_the_fixed_ones_fit(width: int) -> None:
    widths = [wide for wide in column_widths(COLUMNS, width) if wide]
    if width >= 20:
        assert sum(widths) + len(widths) - 1 <= width
    assert (column_widths(COLUMNS, width)[3] > 0) == (width >= 40)


def test_a_row_is_one_safe_line_of_the_tables_width() -> None:
    line = table_line(COLUMNS, Calls(3).cells(2), 50)
    assert line.cell_length == 50
    assert line.plain.startswith("   2 read fi… [bold]running[/]") and "\x1b" not in line.plain


async def test_a_table_has_titles_and_the_lists_cursor() -> None:
    app = FactsApp()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        table = app.query_one(Table)
        assert app.lines()[2].split() == ["#", "tool", "target", "time"]
        table.list.focus()
        await pilot.press("up")
        assert table.list.cursor == 29
        app.calls.status.append("new")
        table.appended()
        table.list.follow_end()
        await pilot.pause()
        assert any("[bold]new" in line for line in app.lines())
        table.reset(Calls(2))
        await pilot.pause()
        assert "   1 read" in "\n".join(app.lines())


@given(st.integers(0, 260), st.sets(st.sampled_from([one.name for one in STATUS if one.optional])))
def test_fields_go_in_the_order_of_their_ranks_and_never_overlap(width: int, silent: set[str]) -> None:
    places = placed(STATUS, width, silent)
    speaking = sorted((one for one in STATUS if one.name not in silent), key=lambda one: one.rank)
    assert {one.name for one, _, _ in places} == {one.name for one in speaking[: len(places)]}
    ends = [x + wide for _, x, wide in places]
    assert all(x >= end + 3 for (_, x, _), end in zip(places[1:], ends, strict=False))
    assert not ends or ends[-1] <= width


def test_the_five_weightiest_fields_fit_a_terminal_of_80_cells() -> None:
    weightiest = {"state", "spent", "context", "heard"}
    assert {one.name for one, _, _ in placed(STATUS, 78)} >= weightiest | {"needs"}
    assert {one.name for one, _, _ in placed(STATUS, 78, {"needs"})} >= weightiest | {"sandbox"}
    assert {one.name for one, _, _ in placed(STATUS, 78, {"needs", "sandbox"})} >= weightiest | {"stand_in"}


@pytest.mark.parametrize("width", [198, 218, 258])
def test_a_model_that_steps_in_is_named_in_full_before_what_weighs_less_is_said(width: int) -> None:
    places = placed(STATUS, width, {"needs", "sandbox", "servers", "bytes", "stall"}, {"stand_in"})
    assert next(wide for one, _, wide in places if one.name == "stand_in") == 24


async def test_a_field_says_less_where_there_is_less_room_and_nothing_takes_no_room() -> None:
    fields = (Field("state", 4, 1, grow=True), Field("badge", 5, 2, optional=True), Field("cost", 4, 3, full=9))

    class Line(App[None]):
        def compose(self) -> ComposeResult:
            yield StatusLine(fields)

        def get_theme_variable_defaults(self) -> dict[str, str]:
            return role_variables(self.current_theme)

    app = Line()
    async with app.run_test(size=(18, 3)) as pilot:
        line = app.query_one(StatusLine)
        line.set("state", "runs")
        line.set("cost", "$1.23 / $5", "$1")
        await pilot.pause()
        words = lambda: app.screen._compositor.render_strips()[0].text.split()  # noqa: E731
        assert words() == ["runs", "│", "$1"]
        line.set("cost", "$1.23 / 5", "$1")
        await pilot.pause()
        assert words() == ["runs", "│", "$1.23", "/", "5"]
        line.set("badge", "! you")
        await pilot.pause()
        assert words() == ["runs", "│", "!", "you"]
