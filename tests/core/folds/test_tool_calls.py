"""Calls by kind, running, repeated: read as of any event, always the same as a fresh fold up to it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from logbook import Logbook, sessions

from core.folds.view import SessionView


def calls_of(events):
    view = SessionView()
    view.apply_all(events)
    return view.tool_calls


def picture(calls, at=None):
    return {
        "running": [call.key for call in calls.running(at)],
        "repeats": [call.repeated(at) for call in calls.rows[: calls.count(at)]],
        **{kind: [call.key for call in shelf.calls[: shelf.count(at)]] for kind, shelf in calls.shelves.items()},
    }


@settings(max_examples=60, deadline=None)
@given(sessions(), st.data())
def test_kinds_of_calls_as_of_an_event_equal_a_fresh_fold_up_to_it(log, data):
    seq = data.draw(st.integers(1, len(log.events)))
    assert picture(calls_of(log.events), seq) == picture(calls_of(log.events[:seq]))


@settings(max_examples=40, deadline=None)
@given(sessions())
def test_what_runs_is_what_has_begun_and_not_ended(log):
    calls = calls_of(log.events)
    for seq in range(1, len(log.events) + 1):
        begun = calls.rows[: calls.count(seq)]
        assert list(calls.running(seq)) == [call for call in begun if call.status(seq) == "running"]
    assert list(calls.running()) == [call for call in calls.rows if call.status(None) == "running"]


def test_a_call_repeats_the_first_one_that_asked_the_same_and_got_the_same():
    log = Logbook()
    for path in ("a", "b", "a", "a"):
        log.turn(("read_file", {"path": path}))
    assert [call.repeats for call in calls_of(log.events).rows] == [None, None, 1, 1]


def test_the_same_question_with_another_answer_is_no_repeat():
    log = Logbook()
    for answer in ("one", "two", "one"):
        attempt = log.reply(("run_command", {"command": "make"}))
        log.start(attempt, 0, "run_command", {"command": "make"})
        log.finish(attempt, 0, "run_command", content=answer)
    assert [call.repeats for call in calls_of(log.events).rows] == [None, None, 1]
