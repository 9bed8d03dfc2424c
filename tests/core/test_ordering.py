"""Whoever orders something from a shell hears what came of it, not only that it was taken."""

import pytest

from core.clock import VirtualClock
from core.events import CommandAccepted, CommandDone, Draft, SessionRenamed
from core.journal.lease import Holder
from core.journal.writer import Journal
from core.ordering import REFUSED, TAKEN, give

NOTHING = "nothing.py is as it was when the session began: there is nothing to revert."


class Runner:
    """Takes every order, and writes at once what becomes of it, as far as that is known."""

    def __init__(self, folder, done):
        self._folder, self._done = folder, done

    async def send(self, verb, args, head=None):
        drafts = [Draft(CommandAccepted(verb=verb, args=args), key="o1", actor="user")]
        drafts += [Draft(self._done, key="o1")] if self._done else []
        async with await Journal.open(self._folder, VirtualClock()) as journal:
            await journal.append(*drafts)
        return "o1"


@pytest.mark.parametrize(
    ("verb", "done", "code", "said"),
    [
        ("revert", CommandDone(verb="revert", ok=False, detail=NOTHING), REFUSED, NOTHING),
        ("revert", CommandDone(verb="revert"), TAKEN, "done: revert"),
        ("rewind", None, TAKEN, "accepted: rewind; it comes at the next safe point"),
        ("pause", None, TAKEN, "accepted: pause"),
    ],
)
async def test_an_order_is_answered_with_what_became_of_it(tmp_path, monkeypatch, verb, done, code, said):
    monkeypatch.setattr("core.ordering.EFFECT_S", 0.0)
    async with await Journal.create(tmp_path, VirtualClock()) as journal:
        await journal.append(Draft(SessionRenamed(name="x"), actor="user"))
    monkeypatch.setattr("core.ordering.holder", lambda folder: Holder(pid=1))
    assert await give(tmp_path, Runner(tmp_path, done), verb, {}) == (code, said)


@pytest.mark.parametrize("verb", ["rewind", "stop"])
async def test_an_order_that_waits_for_a_runner_says_so(tmp_path, monkeypatch, verb):
    monkeypatch.setattr("core.ordering.EFFECT_S", 0.0)
    async with await Journal.create(tmp_path, VirtualClock()) as journal:
        await journal.append(Draft(SessionRenamed(name="x"), actor="user"))
    told = await give(tmp_path, Runner(tmp_path, None), verb, {})
    assert told.code == TAKEN
    assert "nobody runs the session, so it comes when `longwatch resume " in told.text
