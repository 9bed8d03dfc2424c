"""The first screen over a long log shows its end at once, and says what it does not know yet."""

from __future__ import annotations

import asyncio
import gc

import pytest
from recording import recording_driver
from sample_sessions import FakeControls, FakeSource, audit_session

from tui import following
from tui.app import LongwatchApp
from tui.panes.conversation import ConversationPane
from tui.panes.pane import READING
from tui.panes.tool_calls import ToolCallsPane
from tui.screens.status_facts import UNKNOWN_YET
from tui.widgets.status_line import StatusLine


class Slow(FakeSource):
    """Its log is read half, then waits until it is let go on."""

    def __init__(self, log):
        super().__init__(log)
        self.go_on = asyncio.Event()

    async def batches(self):
        half = len(self._past) // 2
        yield self._past[:half]
        await self.go_on.wait()
        yield self._past[half:]
        yield []


@pytest.fixture
def source(monkeypatch):
    monkeypatch.setattr(following, "LONG", 1)
    monkeypatch.setattr(following, "SLICE", 1)
    monkeypatch.setattr(following, "SLICE_S", 0.0)
    return Slow(audit_session())


def says(app, field: str) -> str:
    return app.watch_screen.query_one(StatusLine).value(field)


async def test_a_screen_draws_nothing_before_it_has_a_whole_picture_and_then_the_runner_begins():
    begun: list[str] = []
    app = LongwatchApp(
        FakeSource(audit_session()), FakeControls(), background=lambda: begun.append("".join(app._driver.written))
    )
    app.driver_class = recording_driver(120, 40)

    async def pilot(_):
        while not begun:  # noqa: ASYNC110 - the worker is a thread
            await asyncio.sleep(0.01)
        app.exit()

    await app.run_async(auto_pilot=pilot)
    assert READING not in begun[0] and "ctx" in begun[0] and gc.isenabled()


async def until(pilot, condition):
    while not condition():
        await pilot.pause(0.01)


async def test_a_long_log_shows_its_end_and_its_state_first_and_then_all_of_it_in_the_same_place(source):
    app = LongwatchApp(source, FakeControls())
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.watch_screen
        pane = screen.query_one(ConversationPane)
        await until(pilot, lambda: screen.tail is not None and len(pane._rows))
        last = source.log.events[-1].seq
        assert pane._rows.items[-1].seq > last - 20 and len(pane._rows.items) < 40
        assert says(app, "spent") == UNKNOWN_YET.long and not says(app, "calls") and "ctx" in says(app, "context")
        assert not screen.query_one(ToolCallsPane).view.last_seq
        pane.line_list.action_move(-1)
        pane.line_list.action_move(-1)
        chosen = pane.selected
        await pilot.press("b")
        assert not screen.query("#dock > *")
        source.go_on.set()
        await until(pilot, lambda: screen.is_read)
        await pilot.pause()
        assert pane.selected == chosen and len(pane._rows.items) == len(app.view.items())
        assert screen.view is app.view and "$" in says(app, "spent") and says(app, "calls")
