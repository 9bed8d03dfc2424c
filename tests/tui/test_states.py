"""Each state in which a pane has nothing to show has a sentence of its own, and says what to do next."""

import pytest
from sample_sessions import Log
from watching_app import app_over, pane_text, until

from tui.panes.context import ContextPane
from tui.panes.conversation import ConversationPane
from tui.panes.cost import CostPane
from tui.panes.memory import MemoryPane
from tui.panes.pane import READING
from tui.panes.plan import PlanPane
from tui.panes.tool_calls import ToolCallsPane

EMPTY = {
    "conversation": "Audit the inventory package",
    "tool_calls": "No tool was called yet. 1 shows",
    "context": "No request yet, so the window is empty. 1 shows",
    "memory": "W writes an entry of yours.",
    "cost": "No reply yet, so nothing is spent. b sets a budget.",
    "plan": "g asks for one.",
}
"""Pane -> words of what it shows of a session that has only begun."""
FAILED = "This pane could not be drawn (RuntimeError: lost) as of now. The others go on, and it is tried again."
STATES = {"reading": dict.fromkeys(EMPTY, READING), "empty": EMPTY, "failed": dict.fromkeys(EMPTY, FAILED)}


def begun() -> Log:
    log = Log()
    log.opened()
    return log


def said(pilot, pane) -> str:
    return " ".join(pane_text(pilot, pane).split())


def fails(*_):
    raise RuntimeError("lost")


@pytest.mark.parametrize("state", STATES)
async def test_every_pane_says_why_it_shows_nothing_and_what_to_do(state, monkeypatch):
    if state == "failed":
        for pane in (ConversationPane, ToolCallsPane, ContextPane, MemoryPane, CostPane, PlanPane):
            monkeypatch.setattr(pane, "draw", fails)
    app = app_over(Log() if state == "reading" else begun())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.watch_screen._read)
        for key, pane in enumerate(EMPTY, start=1):
            await pilot.press(str(key))
            await until(pilot, lambda pane=pane: STATES[state][pane] in said(pilot, pane))
