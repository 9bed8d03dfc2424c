"""A pane that could not be drawn says so until all that it missed is drawn."""

from sample_sessions import Log
from textual.app import App
from textual.widgets import Static
from watching_app import until

from core.folds.view import Changes, SessionView
from tui.panes.pane import Pane


class Fragile(Pane):
    """Draws a line of its own, unless it is out of order."""

    CONCERNS = Changes.TOOLS
    out_of_order = False

    def compose(self):
        yield from super().compose()
        yield Static("Reading …", id="body")

    def draw(self, view, at, changes):
        if self.out_of_order:
            raise RuntimeError("lost")
        self.query_one("#body", Static).update(f"{view.last_seq} events")


class Alone(App):
    def compose(self):
        yield Fragile(id="fragile")


async def test_a_fault_stays_on_the_screen_until_what_was_missed_is_drawn():
    log = Log()
    log.opened()
    view = SessionView()
    view.apply_all(log.events)
    async with Alone().run_test() as pilot:
        pane, body = pilot.app.query_one(Fragile), pilot.app.query_one("#body", Static)
        pane.out_of_order = True
        pane.show(view, None, Changes.ALL)
        await until(pilot, lambda: pane.has_class("-broken"))
        pane.show(view, None, Changes.STATUS)
        await pilot.pause()
        assert pane.has_class("-broken")
        pane.out_of_order = False
        pane.show(view, None, Changes.STATUS)
        await pilot.pause()
        assert not pane.has_class("-broken") and str(body.content) == "1 events"
