"""Items of the context are chosen with the arrow keys, and pinned or evicted with a key each."""

from sample_sessions import audit_session
from textual.app import App
from textual.message import Message
from watching_app import app_over, read, screen_text, until

from core.folds.view import SessionView
from tui.messages import ItemEvictAsked, ItemPinToggled
from tui.panes.context import ContextPane
from tui.panes.sheet import SheetBody


class PaneApp(App[None]):
    """The context pane alone, and what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Message] = []
        self.view = SessionView()
        self.view.apply_all(audit_session().events)

    def compose(self):
        yield ContextPane(id="context", key="3")

    def on_mount(self) -> None:
        self.query_one(ContextPane).show(self.view, None, 0)  # type: ignore[arg-type]

    def on_item_pin_toggled(self, message: ItemPinToggled) -> None:
        self.told.append(message)

    def on_item_evict_asked(self, message: ItemEvictAsked) -> None:
        self.told.append(message)


async def test_the_cursor_comes_with_the_first_item_in_sight_and_goes_above_it():
    app = PaneApp()
    async with app.run_test(size=(80, 60)) as pilot:
        pane = app.query_one(ContextPane)
        app.query_one(SheetBody).focus()
        assert pane.chosen is None and not pane.toggle_pin() and not pane.ask_evict()
        await pilot.press("down")
        first = pane.chosen
        assert first == app.view.context_items.dearest(1)[0]
        await pilot.press("down", "up")
        assert pane.chosen == first
        await pilot.press("up")
        assert pane.chosen is None


async def test_in_a_small_pane_the_lines_above_the_items_scroll_by_first():
    app = PaneApp()
    async with app.run_test(size=(60, 14)) as pilot:
        pane, body = app.query_one(ContextPane), app.query_one(SheetBody)
        body.focus()
        for _ in range(40):
            await pilot.press("down")
            if pane.chosen:
                break
        assert pane.chosen is not None and body.scroll_offset.y > 0


async def test_the_cursor_stays_with_its_item_when_the_list_is_ordered_otherwise():
    app = PaneApp()
    async with app.run_test(size=(80, 60)) as pilot:
        pane = app.query_one(ContextPane)
        app.query_one(SheetBody).focus()
        await pilot.press("down", "down")
        chosen = pane.chosen
        pane.vary()
        await pilot.pause()
        assert pane.chosen == chosen
        assert "latest last" in "\n".join(line.plain for line in pane.lines(app.view, None, 60))


async def test_the_chosen_item_is_what_is_pinned_or_asked_to_leave():
    app = PaneApp()
    async with app.run_test(size=(80, 60)) as pilot:
        pane = app.query_one(ContextPane)
        app.query_one(SheetBody).focus()
        await pilot.press("down")
        while not pane.evictable:
            await pilot.press("down")
        chosen = pane.chosen
        assert chosen and pane.toggle_pin() and pane.ask_evict()
        await pilot.pause()
        assert app.told == [
            ItemPinToggled(chosen.seq, pinned=True),
            ItemEvictAsked(chosen.seq, chosen.label, chosen.tokens),
        ]


async def test_only_results_that_are_sent_whole_can_be_asked_to_leave():
    app = PaneApp()
    async with app.run_test(size=(80, 60)) as pilot:
        pane, body = app.query_one(ContextPane), app.query_one(SheetBody)
        body.focus()
        whole = {block.seq for block in app.view.context_items.blocks() if block.kind == "result" and not block.masked}
        seen = set()
        for _ in range(12):
            await pilot.press("down")
            chosen = pane.chosen
            seen.add(pane.evictable)
            assert pane.evictable == (chosen.kind == "result" and chosen.seq in whole)
            if not pane.evictable:
                assert not pane.ask_evict()
        assert seen == {True, False}


async def test_the_keys_for_an_item_are_offered_where_they_can_work():
    async with app_over(audit_session()).run_test(size=(200, 50), notifications=True) as pilot:
        await read(pilot)
        hints = lambda: screen_text(pilot).splitlines()[-1]  # noqa: E731
        assert "i pin" not in hints()
        await pilot.press("3")
        await until(pilot, lambda: isinstance(pilot.app.focused, SheetBody))
        pane = pilot.app.watch_screen.query_one(ContextPane)
        offered = set()
        for _ in range(60):
            await pilot.press("down")
            await pilot.pause()
            if pane.chosen:
                assert "i pin" in hints() and ("E evict" in hints()) == pane.evictable
                offered.add(pane.evictable)
            if len(offered) == 2:
                break
        assert offered == {True, False}
        if pane.evictable:
            await pilot.press("down")
        while pane.evictable:
            await pilot.press("down")
        await pilot.press("E")
        await until(pilot, lambda: "Only a tool result that is sent whole" in screen_text(pilot))
        await pilot.press("1")
        await until(pilot, lambda: "i pin" not in hints())


async def test_the_keys_of_the_watch_screen_pin_the_chosen_item_or_say_how_to_choose_one():
    async with app_over(audit_session()).run_test(size=(80, 24), notifications=True) as pilot:
        await read(pilot)
        await pilot.press("i")
        await pilot.pause()
        assert pilot.app.fake_controls.sent == []
        await pilot.press("3")
        await until(pilot, lambda: isinstance(pilot.app.focused, SheetBody))
        pane = pilot.app.watch_screen.query_one(ContextPane)
        for _ in range(40):
            await pilot.press("down")
            if pane.chosen:
                break
        seq = pane.chosen.seq
        await pilot.press("i")
        await until(pilot, lambda: bool(pilot.app.fake_controls.sent))
        assert pilot.app.fake_controls.sent[0][:2] == ("pin", {"seq": seq})
