"""The virtual list shows what a naive rendering would, holds still, and costs little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import on
from textual.app import App, ComposeResult
from textual.content import Content
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import SELECT_ALL, Selection

from tui.theming import role_variables
from tui.widgets import heights, measured
from tui.widgets.follow import FOLLOWING, Held
from tui.widgets.line_list import LineList
from tui.widgets.rows import RangedRows, Rows, TextRows, common_prefix

TEXTS = [f"item {number} " + "word " * (number * 7 % 40) for number in range(300)]


class ListApp(App[None]):
    def __init__(self, rows: Rows) -> None:
        super().__init__()
        self.rows = rows
        self.said: list[tuple[str, int]] = []

    def compose(self) -> ComposeResult:
        yield LineList(self.rows)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return role_variables(self.current_theme)

    @property
    def list(self) -> LineList:
        return self.query_one(LineList)

    @on(LineList.ItemSelected)
    def _selected(self, event: LineList.ItemSelected) -> None:
        self.said.append(("opened" if isinstance(event, LineList.ItemOpened) else "selected", event.index))

    def shown(self) -> list[str]:
        """The lines of text in view, without the cursor's column and trailing space."""
        width = self.list.scrollable_content_region.width
        lines = [strip.text[:width] for strip in self.screen._compositor.render_strips()]
        return [line[1:].rstrip() for line in lines]


def naive(texts: list[str], width: int) -> list[str]:
    rows = TextRows(texts)
    return [line.plain.rstrip() for index in range(len(texts)) for line in rows.render(index, width)]


async def settled(pilot: Pilot[None]) -> None:
    await pilot.pause()
    await pilot.pause()


async def test_it_opens_at_the_end_and_shows_what_a_naive_rendering_shows(monkeypatch) -> None:
    monkeypatch.setattr(measured, "MEASURED_AT_ONCE", len(TEXTS))
    app = ListApp(TextRows(TEXTS))
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        assert app.list.follow == FOLLOWING
        assert app.shown() == naive(TEXTS, 58)[-20:]
        for line in (0, 137, 400):
            app.list.scroll_to(y=line, animate=False)
            await settled(pilot)
            assert app.shown() == naive(TEXTS, 58)[line : line + 20]


async def test_of_the_sentence_for_an_empty_list_nothing_stays_beside_the_first_item() -> None:
    rows = TextRows([])
    app = ListApp(rows)
    async with app.run_test(size=(20, 10)) as pilot:
        app.list.say_when_empty("There is nothing here yet, so there is nothing to see.")
        await settled(pilot)
        assert "nothing to see." in " ".join(app.shown())
        rows.append("the first")
        app.list.appended()
        await settled(pilot)
        assert [line for line in app.shown() if line] == ["the first"]


async def test_appending_follows_at_the_end_and_moves_nothing_when_held() -> None:
    rows = TextRows(TEXTS)
    app = ListApp(rows)
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        rows.append("the newest")
        app.list.appended()
        await settled(pilot)
        assert "the newest" in app.shown()
        await pilot.press("pageup")
        before = app.shown()
        for number in range(12):
            rows.append(f"more {number}")
            app.list.appended()
        await settled(pilot)
        assert app.shown() == before
        assert isinstance(app.list.follow, Held) and app.list.follow.unseen == 12
        await pilot.press("end")
        await settled(pilot)
        assert app.shown()[-1] == "more 11" and app.list.follow == FOLLOWING


async def test_a_streaming_tail_grows_in_place() -> None:
    rows = TextRows(TEXTS)
    app = ListApp(rows)
    async with app.run_test(size=(60, 20)) as pilot:
        for words in range(1, 60):
            rows.replace(len(TEXTS) - 1, "streaming " * words)
            app.list.extend_last()
        await settled(pilot)
        lines = naive([*TEXTS[:-1], "streaming " * 59], 58)
        shown = [line for line in app.shown() if line]
        assert len(shown) > 10 and shown == lines[-len(shown) :]


async def followed(app: ListApp, rows: TextRows, count: int) -> list[tuple[int, int]]:
    """So many lines come one by one; each time what stands at the top, and how many lines are empty."""
    places = []
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        for number in range(count):
            rows.append(f"line {number}")
            app.list.appended()
            await settled(pilot)
            assert f"line {number}" in app.shown()
            places.append((app.list.scroll_offset.y, app.shown().count("")))
        assert app.list.follow == FOLLOWING
    return places


async def test_following_beside_something_moves_by_strides_and_leaves_little_room() -> None:
    rows = TextRows(TEXTS)
    app = ListApp(rows)
    app.CSS = "LineList { width: 50; }"
    places = await followed(app, rows, 40)
    assert len({top for top, _ in places}) <= 40 / 4 + 1
    assert max(empty for _, empty in places) <= 0.35 * 20


async def test_following_over_the_whole_width_moves_line_by_line_for_the_terminal_does_it() -> None:
    rows = TextRows(TEXTS)
    places = await followed(ListApp(rows), rows, 10)
    assert {empty for _, empty in places} == {0}
    assert len(set(places)) == 10


async def test_one_line_up_while_the_end_is_in_view_holds() -> None:
    rows = TextRows(TEXTS)
    app = ListApp(rows)
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        rows.append("a line more, by which the view moves on")
        app.list.appended()
        await settled(pilot)
        app.list.scroll_to(y=app.list.scroll_offset.y - 1, animate=False)
        await settled(pilot)
        before = app.shown()
        for number in range(30):
            rows.append(f"line {number}")
            app.list.appended()
        await settled(pilot)
        assert isinstance(app.list.follow, Held)
        assert app.list.follow.unseen == 30
        assert app.shown()[:11] == before[:11]


async def test_a_tail_that_shrinks_leaves_what_is_read_where_it_was() -> None:
    rows = TextRows([*TEXTS, "tail " * 60])
    app = ListApp(rows)
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        before = app.shown()
        rows.replace(len(TEXTS), "tail")
        app.list.extend_last()
        await settled(pilot)
        assert app.shown()[:11] == before[:11]


async def test_an_item_above_that_grows_does_not_move_what_is_read() -> None:
    rows = TextRows(TEXTS)
    app = ListApp(rows)
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        app.list.hold_at(150)
        await settled(pilot)
        before = app.shown()
        rows.replace(10, "much longer " * 50)
        app.list.changed(10)
        await settled(pilot)
        assert app.shown() == before


async def test_resizing_keeps_the_item_at_the_top() -> None:
    app = ListApp(TextRows(TEXTS))
    async with app.run_test(size=(100, 20)) as pilot:
        await settled(pilot)
        app.list.hold_at(150)
        for size in ((50, 30), (140, 10), (31, 24), (100, 20)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
            assert app.list.top_item == 150
            assert isinstance(app.list.follow, Held)
        await pilot.press("end")
        await pilot.resize_terminal(40, 12)
        await settled(pilot)
        assert app.list.follow == FOLLOWING and app.shown() == naive(TEXTS, 38)[-12:]


async def test_the_cursor_moves_by_items_and_opens_them() -> None:
    app = ListApp(TextRows(TEXTS))
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        app.list.focus()
        await pilot.press("up", "up", "up", "down", "enter")
        assert app.list.cursor == 298
        assert app.said[-1] == ("opened", 298)
        await pilot.press("home", "down")
        await settled(pilot)
        assert app.list.cursor == 1 and app.list.top_item == 0
        assert app.list.copy_text() == TEXTS[1]
        assert isinstance(app.list.follow, Held)


async def test_a_tall_item_is_read_by_lines_before_the_next_one() -> None:
    app = ListApp(TextRows(["short", "tall " * 400, "last"]))
    async with app.run_test(size=(60, 10)) as pilot:
        await settled(pilot)
        app.list.focus()
        await pilot.press("home", "down")
        tops = []
        while app.list.cursor == 1:
            tops.append(app.list.scroll_offset.y)
            await pilot.press("down")
        assert tops == sorted(tops) and len(tops) > 3
        assert app.list.cursor == 2


async def test_a_click_selects_and_a_double_click_opens() -> None:
    app = ListApp(TextRows(["one", "two", "three"]))
    async with app.run_test(size=(60, 10)) as pilot:
        await pilot.click(LineList, offset=(3, 1))
        assert app.said == [("selected", 1)]
        await pilot.click(LineList, offset=(3, 2), times=2)
        assert app.said[-1] == ("opened", 2)
        await pilot.click(LineList, offset=(3, 8))
        assert app.said[-1] == ("opened", 2)


async def test_the_wheel_holds_and_its_way_back_follows() -> None:
    app = ListApp(TextRows(TEXTS))
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        app.list.scroll_relative(y=-5, animate=False)
        await settled(pilot)
        assert isinstance(app.list.follow, Held)
        app.list.scroll_relative(y=+5, animate=False)
        await settled(pilot)
        assert app.list.follow == FOLLOWING


async def test_a_jump_in_time_shows_fewer_items_and_comes_back() -> None:
    base = TextRows(TEXTS)
    now, then, branch = (RangedRows(base, ranges) for ranges in ([(0, 300)], [(0, 120)], [(0, 100), (200, 260)]))
    app = ListApp(now)
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        for rows, texts in ((then, TEXTS[:120]), (branch, TEXTS[:100] + TEXTS[200:260]), (now, TEXTS)):
            app.list.reset(rows)
            await settled(pilot)
            assert app.shown() == naive(texts, 58)[-20:]
        app.list.select(250)
        app.list.reset(then)
        await settled(pilot)
        assert app.list.cursor == 119 and "item 119" in "\n".join(app.shown())
        app.list.reset(TextRows())
        await settled(pilot)
        assert app.list.cursor is None and app.shown() == [""] * 20


async def test_text_is_selected_as_drawn_and_all_of_it_as_written() -> None:
    app = ListApp(TextRows(["first item", "second item that is long enough to need another line of the list"]))
    async with app.run_test(size=(40, 10)) as pilot:
        await settled(pilot)
        part = app.list.get_selection(Selection(Offset(6, 0), Offset(6, 1)))
        assert part == ("item\nsecond", "\n")
        whole = app.list.get_selection(SELECT_ALL)
        assert whole is not None and whole[0].splitlines()[1].endswith("of the list")
        await pilot.mouse_down(LineList, offset=(7, 0))
        await pilot.hover(LineList, offset=(8, 1))
        await pilot.mouse_up(LineList, offset=(8, 1))
        await settled(pilot)
        assert (app.screen.get_selected_text() or "").startswith("item\nsecond")


async def test_a_theme_change_paints_anew() -> None:
    app = ListApp(TextRows([Content.styled("coloured", "$tool-fail")]))
    async with app.run_test(size=(40, 5)) as pilot:
        await settled(pilot)
        before = app.list.render_line(0)
        app.theme = "gruvbox"
        await settled(pilot)
        assert app.list.render_line(0) != before


async def test_found_words_are_marked() -> None:
    app = ListApp(TextRows(["nothing here", "the Journal is open"]))
    async with app.run_test(size=(40, 5)) as pilot:
        await settled(pilot)
        app.list.highlight("journal")
        marked = [segment.text for segment in app.list.render_line(1) if "Journal" in segment.text]
        assert marked == ["Journal"]


class BrokenRows(TextRows):
    def render(self, index: int, width: int) -> list[Content]:
        if index == 1:
            raise ValueError("bad")
        return super().render(index, width)


async def test_an_item_that_cannot_be_drawn_says_so_and_the_rest_lives() -> None:
    app = ListApp(BrokenRows(["one", "two", "three"]))
    async with app.run_test(size=(60, 5)) as pilot:
        await settled(pilot)
        assert app.shown()[:3] == ["one", "could not draw item 1: ValueError", "three"]


async def test_foreign_text_is_neither_markup_nor_control() -> None:
    app = ListApp(TextRows(["[bold]x[/] [@click=app.quit]y[/]", "\x1b[31mred"]))
    async with app.run_test(size=(60, 5)) as pilot:
        await settled(pilot)
        assert app.shown()[:2] == ["[bold]x[/] [@click=app.quit]y[/]", "␛[31mred"]


class CountingRows(TextRows):
    measured = rendered = 0

    def height(self, index: int, width: int) -> int:
        self.measured += 1
        return super().height(index, width)

    def render(self, index: int, width: int) -> list[Content]:
        self.rendered += 1
        return super().render(index, width)


async def test_of_fifty_thousand_items_only_those_in_view_are_drawn() -> None:
    rows = CountingRows([TEXTS[number % 300] for number in range(50_000)])
    app = ListApp(rows)
    async with app.run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        assert rows.measured < 2_000
        rows.append("one more")
        app.list.appended()
        app.list.hold_at(25_000)
        await settled(pilot)
        assert rows.measured < 2_600
        assert rows.rendered <= 160


_RANGES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=4)


@given(_RANGES, _RANGES)
def test_ranges_are_the_items_they_name_and_share_the_prefix_they_say(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    base = TextRows([str(number) for number in range(40)])
    old, new = RangedRows(base, first), RangedRows(base, second)
    expected = [str(number) for start, stop in first for number in range(start, stop)]
    assert [old.index(position) for position in range(len(old))] == [int(text) for text in expected]
    common = common_prefix(old, new)
    assert [old.index(n) for n in range(common)] == [new.index(n) for n in range(common)]


def test_rows_of_another_kind_share_nothing() -> None:
    assert common_prefix(TextRows(["a"]), TextRows(["a"])) == 0


@pytest.mark.parametrize(("index", "position"), [(0, 0), (9, 9), (10, None), (20, 10), (24, 14), (25, None)])
def test_an_item_is_found_where_it_is_shown(index: int, position: int | None) -> None:
    assert RangedRows(TextRows(["x"] * 30), [(0, 10), (20, 25)]).position(index) == position


class SelectedFirst(ListApp):
    def on_mount(self) -> None:
        self.list.action_home()
        self.list.action_page(1)
        self.list.select(120)


async def test_an_empty_list_that_is_held_at_its_top_stays_there_while_rows_come() -> None:
    rows = TextRows()
    app = ListApp(rows)
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        app.list.hold_at(0)
        for text in TEXTS[:40]:
            rows.append(text)
            app.list.appended()
        await settled(pilot)
        assert app.list.follow == Held(0, 0, unseen=40)
        assert app.shown() == naive(TEXTS, 58)[:20]


async def test_an_item_it_stays_at_is_in_view_in_every_size_whichever_came_before() -> None:
    app = ListApp(TextRows([f"step {number}" for number in range(20)]))
    async with app.run_test(size=(60, 18)) as pilot:
        await settled(pilot)
        app.list.stay_at(12)
        tops = {}
        for height in (18, 6, 18, 9, 4, 18, 6):
            await pilot.resize_terminal(60, height)
            await settled(pilot)
            tops.setdefault(height, set()).add(app.list.scroll_offset.y)
        assert tops == {18: {2}, 9: {11}, 6: {12}, 4: {12}}
        assert app.list.follow == Held(12)


async def test_an_item_can_be_selected_before_the_first_layout() -> None:
    app = SelectedFirst(TextRows(TEXTS))
    async with app.run_test(size=(50, 20)) as pilot:
        await settled(pilot)
        assert app.list.cursor == 120 and app.list.top_item == 120
        assert app.list.follow == Held(120)
        assert app.said[-1] == ("selected", 120)


@pytest.mark.parametrize("keys", [
    ["pageup"] * 9 + ["pagedown"] * 4 + ["up"] * 3,
    ["home", "pagedown", "pagedown", "end", "pageup"],
    ["up"] * 30 + ["ctrl+u", "ctrl+u", "down", "pageup", "home", "down", "end"],
])  # fmt: skip
async def test_a_list_measured_only_where_one_looks_shows_what_one_measured_whole_shows(monkeypatch, keys) -> None:
    seen = []
    monkeypatch.setattr(heights, "BLOCK", 8)
    monkeypatch.setattr(measured, "BLOCK", 8)
    for lazily in (False, True):
        monkeypatch.setattr(measured, "MEASURED_AT_ONCE", 16 if lazily else len(TEXTS))
        app = ListApp(TextRows(TEXTS))
        async with app.run_test(size=(40, 12)) as pilot:
            await settled(pilot)
            assert bool(app.list._heights.unmeasured(0, 299)) == lazily
            shown = [app.shown()]
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
                shown.append(app.shown())
            seen.append(shown)
    assert seen[0] == seen[1]


async def test_a_view_higher_than_what_is_measured_at_once_is_measured_whole(monkeypatch) -> None:
    monkeypatch.setattr(heights, "BLOCK", 4)
    monkeypatch.setattr(measured, "BLOCK", 4)
    monkeypatch.setattr(measured, "MEASURED_AT_ONCE", 4)
    monkeypatch.setattr(measured, "SAMPLE", 4)
    texts = [f"a line {number}" + "\nand one more" * (number >= 296) for number in range(300)]
    app = ListApp(TextRows(texts))
    async with app.run_test(size=(40, 60)) as pilot:
        await settled(pilot)
        assert app.shown() == naive(texts, 38)[-60:]
        assert app.list._heights.unmeasured(0, 299)


async def test_a_jump_into_what_was_only_guessed_stands_on_whole_measured_items(monkeypatch) -> None:
    monkeypatch.setattr(heights, "BLOCK", 8)
    monkeypatch.setattr(measured, "BLOCK", 8)
    monkeypatch.setattr(measured, "MEASURED_AT_ONCE", 16)
    app = ListApp(TextRows(TEXTS))
    async with app.run_test(size=(40, 12)) as pilot:
        await settled(pilot)
        for item in (200, 3, 120):
            app.list.select(item, center=True)
            await settled(pilot)
            assert any(f"{line} ".startswith(f"item {item} ") for line in app.shown())
        app.list.scroll_to(y=app.list.max_scroll_y // 3, animate=False)
        await settled(pilot)
        top = app.list.top_item
        assert top is not None and app.shown()[0] in naive([TEXTS[top]], app.list._measured.width)
