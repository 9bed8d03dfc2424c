"""The memory under the user's hands, on the screen: one key each, nothing lost by a slip."""

import pytest
from sample_sessions import audit_session
from test_watch_docks import sent_by

from core.events import MemoryWritten


def remembering():
    """A session with two entries, the second of them pinned."""
    log = audit_session()
    log.add(MemoryWritten(text="The loader is slow."), key="m8")
    log.add(MemoryWritten(text="Never mock sqlite.", pinned=True), key="m9")
    return log


@pytest.mark.parametrize(
    ("keys", "verb", "args"),
    [
        (("W", "n", *"new fact", "enter"), "remember", {"text": "new fact"}),
        (("W", "down", "e", "ctrl+u", *"fast", "enter"), "revise", {"id": "m8", "text": "fast"}),
        (("W", "down", "p"), "pin-memory", {"id": "m8"}),
        (("W", "p"), "unpin-memory", {"id": "m9"}),
        (("W", "f", "f"), "forget", {"id": "m9"}),
    ],
)
async def test_each_key_of_the_dock_sends_its_control(keys, verb, args):
    sent, _ = await sent_by(*keys, log=remembering())
    assert [(order[0], order[1]) for order in sent] == [(verb, args)]


async def test_forgetting_asks_once_and_moving_away_takes_the_question_back():
    sent, screen = await sent_by("W", "f", log=remembering())
    assert sent == []
    assert "f again takes m9 out of use" in screen
    sent, _ = await sent_by("W", "f", "down", "f", log=remembering())
    assert sent == []


async def test_escape_leaves_the_line_before_the_dock_and_nothing_is_written():
    sent, screen = await sent_by("W", "n", *"half a", "escape", log=remembering())
    assert sent == []
    assert "Memory" in screen


async def test_there_is_nothing_to_cancel_and_the_screen_says_so():
    sent, screen = await sent_by("X", log=remembering())
    assert sent == []
    assert "no command that still waits" in screen
