"""The totals that are kept as a snapshot go on as if they had never been put away."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from lives import Life
from logbook import sessions

from core.events import SessionContinued, SessionFinished, SessionRenamed
from core.folds.fold import Dispatcher
from core.folds.totals import Totals


def counted(totals, events):
    dispatch = Dispatcher([totals])
    for event in events:
        totals.observe(event)
        dispatch.apply(event)
    return totals


@settings(max_examples=40, deadline=None)
@given(sessions(), st.data())
def test_a_snapshot_and_the_events_since_equal_a_fresh_count(log, data):
    cut = data.draw(st.integers(0, len(log.events)))
    kept = msgspec.json.encode(counted(Totals(), log.events[:cut]))
    resumed = counted(msgspec.json.decode(kept, type=Totals), log.events[cut:])
    assert resumed == counted(Totals(), log.events)


def test_a_session_lasts_until_its_end_whatever_is_written_after_it():
    life = Life()
    life.run("make")
    life.add(SessionFinished(state="finished", reason="done"))
    totals = counted(Totals(), life.events)
    ended = totals.lasted_us
    life.at_us += 3_600_000_000
    life.add(SessionRenamed(name="later"))
    assert counted(Totals(), life.events).lasted_us == ended == totals.last_us - totals.started_us
    life.add(SessionContinued())
    assert counted(Totals(), life.events).lasted_us > ended
