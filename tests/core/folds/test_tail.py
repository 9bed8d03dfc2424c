"""The end of a log says the same as all of it, wherever it is cut."""

from __future__ import annotations

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lives import Life, lives
from logbook import Logbook, sessions

from core.clock import VirtualClock
from core.events import Draft, Event, ModelRequested
from core.folds.tail import Tail
from core.folds.totals import Totals
from core.folds.view import SessionView
from core.journal import ending
from core.journal.ending import count, read_tail
from core.journal.reader import Reader
from core.journal.schema import STATE_KINDS
from core.journal.writer import Journal


def tail_of(events: list[Event], first: int) -> Tail:
    """As it is read from a journal: what tells the state before, then all from there on."""
    told = {event.kind: event for event in events[:first] if event.kind in STATE_KINDS}
    tail = Tail()
    tail.apply_all(sorted(told.values(), key=lambda event: event.seq))
    tail.apply_all(events[first:])
    return tail


@settings(max_examples=80, deadline=None)
@given(st.one_of(lives(), sessions()), st.data())
def test_what_the_end_says_is_what_all_of_the_log_says_there(log: Life | Logbook, data):
    events = log.events
    first = data.draw(st.integers(0, len(events) - 1))
    whole, view = SessionView(), tail_of(events, first).view
    whole.apply_all(events)
    shown = [item for item in whole.items() if item.seq > first]
    assert [item for item in view.items() if item.seq > first] == shown
    for item in shown:
        call, known = whole.tool_calls.get(item.call), view.tool_calls.get(item.call)
        if known is not None:
            assert call is not None and known.status(None) == call.status(None)
    assert view.last_seq == whole.last_seq and view.state.opened == whole.state.opened
    assert view.timeline.at_us(1) == whole.timeline.at_us(1)
    assert view.timeline.at_us(view.last_seq) == whole.timeline.at_us(whole.last_seq)
    usage = view.context.usage.last
    assert not usage.measured or usage.total == whole.context.usage.last.total


@settings(max_examples=150, deadline=None)
@given(lives(), st.data())
def test_the_state_is_that_of_all_of_the_log_or_is_not_told(log: Life, data):
    first = data.draw(st.integers(0, len(log.events) - 1))
    whole, tail = SessionView(), tail_of(log.events, first)
    whole.apply_all(log.events)
    asked = [event for event in log.events[first:] if isinstance(event.body, ModelRequested)]
    assume(all(whole.state.status.at(event.seq).state == "running" for event in asked))  # as a runner does it
    assert not tail.tells_state or tail.view.state.status.last.state == whole.state.status.last.state


async def test_a_tail_is_read_and_counted_from_the_counters_that_were_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(ending, "LENGTH", 10)
    log = Logbook()
    for number in range(20):
        log.turn(("read_file", {"path": f"{number}.py"}), text=f"step {number}")
    half, whole = Totals(), SessionView()
    whole.apply_all(log.events)
    stored = Tail()
    stored.apply_all(log.events[:40])
    stored.count(half, log.events[:40])
    folder = tmp_path / "s1"
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(*(Draft(event.body, key=event.key) for event in log.events))
        with Reader(folder) as reader:
            tail = read_tail(reader)
            count(tail, reader)
            assert tail.totals is None
            await journal.save_snapshot(Totals.NAME, Totals.VERSION, 40, msgspec.json.encode(half))
            count(tail, reader)
    assert tail.totals is not None and tail.totals.usd == str(whole.costs.total.last.usd)
    assert tail.totals.tool_calls == whole.tool_calls.count() and tail.last_seq == whole.last_seq
    assert len(tail.view.items()) < len(whole.items())
