"""The totals that are kept as a snapshot go on as if they had never been put away."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from logbook import sessions

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
