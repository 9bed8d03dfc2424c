"""Each state in which a pane has nothing to show has a sentence of its own, and says what to do next."""

import pytest
from msgspec.structs import replace
from sample_sessions import Log
from watching_app import app_over, pane_text, until

from core.events import ModelRequested, ModelResponded, Price, ToolFinished, ToolStarted, Usage
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
        await until(pilot, lambda: app.watch_screen.is_read)
        for key, pane in enumerate(EMPTY, start=1):
            await pilot.press(str(key))
            await until(pilot, lambda pane=pane: STATES[state][pane] in said(pilot, pane))


UNTOLD = {
    "tool_calls": "The transcript tells of no call.",
    "context": "does not tell how full the window was",
    "memory": "The transcript tells of no memory.",
    "cost": "No reply tells its tokens, so what they cost is unknown",
    "plan": "The transcript tells no plan.",
}


def imported() -> Log:
    """A session of another tool, whose transcript tells neither tokens nor prices."""
    log = Log()
    opened = log.opened().body
    log.events[0] = replace(log.events[0], body=replace(opened, profile="imported", settings={}))
    request = ModelRequested(
        model="m", body="", body_bytes=0, messages=1, marks=[], max_tokens=0, prompt_version="", parts={}
    )
    log.add(request, key="r1.1")
    said = [{"type": "text", "text": "I have looked."}]
    reply = ModelResponded(
        message_id="1", model="m", content=said, stop_reason="end_turn", usage=Usage(), price=Price(), ms=0
    )
    log.add(reply, key="r1.1")
    return log


async def test_what_the_transcript_of_another_tool_does_not_tell_is_said_to_be_unknown():
    app = app_over(imported(), mode="replay", available=False, start_at=3)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.watch_screen.is_read)
        for key, pane in enumerate(EMPTY, start=1):
            await pilot.press(str(key))
            words = UNTOLD.get(pane, "I have looked.")
            await until(pilot, lambda pane=pane, words=words: words in said(pilot, pane))


async def test_a_call_of_which_nobody_says_how_long_it_took_has_a_dash_for_it():
    log = imported()
    log.add(ToolStarted(name="Read", use_id="t", arguments={"path": "a.py"}, effect="read"), key="r1.1.0")
    done = ToolFinished(name="Read", use_id="t", ok=True, content="x", ms=0, size=1)
    log.add(done, key="r1.1.0", after_s=0)
    app = app_over(log, mode="replay", available=False, start_at=5)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.watch_screen.is_read)
        await pilot.press("2")
        await until(pilot, lambda: "a.py" in said(pilot, "tool_calls"))
        assert said(pilot, "tool_calls").endswith("–") and "0 ms" not in said(pilot, "tool_calls")
