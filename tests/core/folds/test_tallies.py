"""Repetition, corrections and interventions as of any event are what the totals would have been there."""

from hypothesis import given, settings
from hypothesis import strategies as st
from lives import Life
from logbook import sessions

from core.events import CommandAccepted, GuidanceDelivered, RunnerAttached, SessionContinued, SessionPaused
from core.folds.tallies import Tally
from core.folds.view import SessionView


def folded(events):
    view = SessionView()
    view.apply_all(events)
    return view


@settings(max_examples=40, deadline=None)
@given(sessions(), st.data())
def test_a_tally_as_of_an_event_is_that_of_the_totals_up_to_it(log, data):
    seq = data.draw(st.integers(1, len(log.events)))
    totals = folded(log.events[:seq]).totals
    wanted = Tally(totals.tool_calls, totals.repeats, totals.no_progress, totals.corrections, totals.interventions)
    assert folded(log.events).tallies.at(seq) == wanted


def test_the_longest_stall_is_silence_while_it_ran_and_nobody_was_waited_for():
    log = Life()
    log.run("ls")
    log.add(CommandAccepted(verb="bookmark"), "b", "user", after_s=90)
    stalled = log.view.last_seq
    log.add(SessionPaused(reason="operator"), after_s=5)
    log.add(SessionContinued(), after_s=5_000)
    log.add(RunnerAttached(pid=1, host="h", epoch=2, app_version="0"), after_s=700)
    assert log.view.tallies.stall_us.at(stalled - 1) < 90_000_000
    assert log.view.tallies.stall_us.at(stalled) == log.view.totals.stall_us == 90_000_000


def test_each_is_counted_where_it_happens():
    log = Life()
    log.run("ls")
    first = log.view.last_seq
    log.run("ls")
    log.add(GuidanceDelivered(text="You repeat yourself.", source="guard"))
    log.add(CommandAccepted(verb="pause"), "k", "user")
    log.add(CommandAccepted(verb="bookmark"), "b", "user")
    assert log.view.tallies.at(first) == Tally(calls=1)
    assert log.view.tallies.at() == Tally(calls=2, repeats=1, vain=1, corrections=1, interventions=1)
    assert log.view.tallies.at().repetition == 0.5
    assert log.view.tallies.at(1).repetition is None
