"""What is wrong is found in the log and in a look beside it: in words that fit, as of any moment, until it is over."""

from __future__ import annotations

import pytest
from logbook import Logbook
from spending import Spender

from core.agent.commands import VERBS
from core.clock import MICROSECONDS, of_day
from core.events import (
    Body,
    CommandAccepted,
    FileChange,
    GuardAnswered,
    GuardRaised,
    MachineSlept,
    ModelConsulted,
    ModelFailed,
    ModelRequested,
    ModelSwitched,
    Price,
    RetryWaiting,
    ScreenCame,
    ScreenLost,
    SessionContinued,
    SessionFinished,
    SessionPaused,
    Usage,
    WorkspaceChanged,
)
from core.folds.alarms.alarm import CHANGES, FRESH, SHORTEST, SINCE, Alarm, Look
from core.folds.alarms.finding import alarms
from core.folds.alarms.words import GUARDS, STOPS, TROUBLES
from core.folds.verdict import RESUME
from core.folds.view import SessionView

GUARD = GuardRaised(guard="repetition", rung="nudge", subject="s", times=4, text="`a` was called 4 times")
ASKED = ModelRequested(
    model="m", body="", body_bytes=0, messages=0, marks=[], max_tokens=1, prompt_version="", parts={}
)
NOTES = WorkspaceChanged(files=[FileChange(path="notes.txt", before="1", after="2")])
REFUSED = ModelConsulted(
    model="m", text="x", stop_reason="end_turn", usage=Usage(), price=Price(), used=False, detail="it names 'b.py'"
)


class Told:
    """A log, and what is wrong in it."""

    def __init__(self) -> None:
        self.log, self.view = Logbook(), SessionView()
        self.view.apply_all(self.log.events)

    def add(self, body: Body, key: str | None = None) -> int:
        event = self.log.add(body, key)
        self.view.apply(event)
        return event.seq

    def alarms(self, at: int | None = None, **look: object) -> list[Alarm]:
        return alarms(self.view, at, Look(self.log.at_us, **look) if look or at is None else None)  # type: ignore[arg-type]

    def kinds(self, at: int | None = None, **look: object) -> list[str]:
        return [alarm.kind for alarm in self.alarms(at, **look)]

    def command(self, verb: str) -> int:
        return self.add(CommandAccepted(verb=verb, args={}), f"c{len(self.log.events)}")


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_session_at_work_has_no_alarm(told: Told) -> None:
    assert told.kinds() == []
    assert alarms(SessionView()) == []


@pytest.mark.parametrize("forms", [*GUARDS.values(), *STOPS.values(), *(pair[:1] for pair in TROUBLES.values())])
def test_the_shortest_words_fit_beside_the_state_of_a_narrow_line(forms: tuple[str, ...]) -> None:
    assert len(forms[-1].format(times=99)) <= SHORTEST
    assert [len(form) for form in forms] == sorted((len(form) for form in forms), reverse=True)


def test_a_guards_signal_stands_until_it_is_answered_or_long_ago(told: Told) -> None:
    raised = told.add(GUARD, "g1")
    (alarm,) = told.alarms()
    assert alarm.words[0] == "the same call 4 times" and alarm.cause == "`a` was called 4 times. The agent was told."
    answered = told.add(GuardAnswered(guard="repetition", subject="s"), "g1")
    assert told.kinds() == [] and told.kinds(answered - 1) == ["guard"] and told.kinds(raised - 1) == []
    told.add(GUARD, "g2")
    for _ in range(FRESH + 1):
        told.add(SessionContinued())
    assert told.kinds() == []


def test_a_guards_pause_is_the_reason_of_the_state_until_the_session_goes_on(told: Told) -> None:
    pausing = GuardRaised(guard="cycle", rung="pause", subject="s", times=6, text="it goes round")
    told.add(pausing, "g1")
    told.add(SessionPaused(reason="guard", detail="it goes round"))
    (alarm,) = told.alarms()
    assert alarm.stated and alarm.helps[0] == "guard-ok"
    told.add(SessionContinued())
    assert told.kinds() == []


def test_a_model_that_steps_in_has_a_place_of_its_own_and_is_told_until_the_users_own_is_back(told: Told) -> None:
    told.add(ModelSwitched(model="spare", reason="down", route="spare"))
    (alarm,) = told.alarms()
    assert alarm.apart and "own model, m, does not answer; spare has worked" in alarm.cause
    told.add(ModelFailed(error="overloaded", message="No."), "probe1.1")
    assert told.view.conversation.column.items[-1].ok and not told.view.timeline.marks
    back = told.add(ModelSwitched(model="m", reason="back"))
    assert told.kinds() == [] and told.kinds(back - 1) == ["stand-in"]


def test_what_is_past_is_told_until_the_user_has_done_something_that_helps(told: Told) -> None:
    for body, key, helps in ((NOTES, None, "guide"), (REFUSED, "digest1.1", "compress"), (GUARD, "g1", "interrupt")):
        told.add(body, key)
        assert len(told.kinds()) == 1
        told.command("budget")
        assert len(told.kinds()) == 1, "that does not help"
        done = told.command(helps)
        assert told.kinds() == [] and len(told.kinds(done - 1)) == 1


def test_a_paragraph_that_is_taken_ends_a_refused_one(told: Told) -> None:
    told.add(REFUSED, "digest1.1")
    told.add(ModelConsulted(model="m", text="x", stop_reason="end_turn", usage=Usage(), price=Price()), "digest2.1")
    assert told.kinds() == []


def test_an_outage_is_told_while_it_is_waited_and_while_it_is_tried(told: Told) -> None:
    told.add(ASKED, "r1.1")
    told.add(ModelFailed(error="overloaded", message="busy (529)"), "r1.1")
    until_us = told.log.at_us + 12 * MICROSECONDS
    told.add(RetryWaiting(until_us=until_us, delay_s=12, error="overloaded", attempt=1))
    (alarm,) = told.alarms()
    assert alarm.stated and alarm.words == ("provider down, again in 11 s", "provider down, 11 s", "provider down")
    assert "Busy (529)." in alarm.cause and "attempt 2" in alarm.cause
    told.add(ASKED, "r1.2")
    (alarm,) = told.alarms()
    assert not alarm.stated


def test_a_model_that_says_nothing_is_silent_after_its_time(told: Told) -> None:
    told.add(ASKED, "r1.1")
    now_us = told.log.at_us + 75 * MICROSECONDS
    (alarm,) = alarms(told.view, None, Look(now_us))
    assert alarm.words == ("the model is silent for 1 min", "model silent 1 min", "model silent")
    assert alarms(told.view, None, Look(now_us, token_us=now_us - 1_000_000)) == []
    assert alarms(told.view, None, Look(now_us, silent_us=100 * MICROSECONDS)) == []


def test_a_look_belongs_to_now_and_what_is_worst_comes_first(told: Told) -> None:
    told.add(NOTES)
    worst = told.alarms(gone="its runner is gone", free=300_000_000, pulse="command silent", may_hang=True)
    assert [alarm.kind for alarm in worst] == ["gone", "disk", "handwork"]
    assert worst[1].words[0] == "disk nearly full: 300 MB left"
    assert told.kinds(may_hang=True, pulse="command silent for 3 min, 0 CPU: may hang")[0] == "silent"
    (hung, _) = told.alarms(
        still="process 7 has given no sign of life for 45 s: stopped, or hung", pulse="x", may_hang=True
    )
    assert hung.words[-1] == "hung" and hung.cause.startswith("Process 7 has given no sign of life")
    assert told.kinds(told.view.last_seq, gone="gone") == ["handwork"], "a look says nothing of the past"


def test_how_a_runner_ended_is_guessed_at_only_where_nobody_knows(told: Told) -> None:
    told.add(NOTES)
    guessed = told.alarms(gone="its runner is gone; longwatch resume x goes on")[0]
    known = told.alarms(gone="its runner ended (KeyError: 7); longwatch resume x goes on")[0]
    assert "was killed" in guessed.cause and "was killed" not in known.cause
    assert known.cause.startswith("Its runner ended (KeyError: 7); ") and known.words == guessed.words


def test_everything_that_helps_can_be_done(told: Told) -> None:
    told.add(NOTES)
    told.add(REFUSED, "digest1.1")
    told.add(GUARD, "g1")
    found = told.alarms(gone="gone", free=0, trouble="The disk is full; make room.")
    assert {verb for alarm in found for verb in alarm.helps} <= {*VERBS, CHANGES, RESUME}
    assert all(alarm.cause.endswith(".") and len(alarm.words[-1]) <= SHORTEST for alarm in found)


NIGHT = MachineSlept(seconds=8 * 3_600 + 120)


def test_a_machine_that_slept_is_told_with_when_it_woke(told: Told) -> None:
    slept = told.add(NIGHT)
    (alarm,) = told.alarms()
    assert alarm.kind == "asleep" and alarm.words[0] == f"slept 8 h 2 min, woke at {of_day(told.log.at_us)}"
    assert alarm.words[-1] == "slept 8 h" and len(alarm.words[-1]) <= SHORTEST
    assert alarm.seq == slept and alarm.helps[0] == SINCE and told.kinds(slept - 1) == []
    told.command("compress")
    assert told.kinds() == [] and told.kinds(slept) == ["asleep"]


def test_what_a_night_does_to_the_cache_is_told_with_it_before_the_call_and_after() -> None:
    log = Spender()
    log.spend(60_000, 0)
    log.add(NIGHT, after_s=8 * 3_600 + 120)
    view = SessionView()
    view.apply_all(log.events)
    words = alarms(view, None, Look(log.at_us))[0].words
    assert words[0].endswith("; next call $0.19") and alarms(view, view.last_seq)[0].words == words
    before = view.last_seq
    log.spend(60_000, 0)
    view.apply_all(log.events[before:])
    found = alarms(view, None, Look(log.at_us))
    assert [alarm.kind for alarm in found] == ["asleep", "cold"] and " more for a cold cache" in found[0].words[0]


def test_a_lost_screen_is_told_to_whoever_looks_next(told: Told) -> None:
    told.add(ScreenLost(viewer="z", who="anna"))
    told.add(ScreenCame(viewer="a", who="anna"))
    assert told.kinds() == [], "a line that was back at once"
    lost = told.add(ScreenLost(viewer="a", who="anna on pts/3 from 10.0.0.7"))
    assert told.kinds() == []
    at_us = told.log.at_us
    told.log.at_us += 17 * 60 * MICROSECONDS
    told.add(ScreenCame(viewer="b", who="anna on pts/9 from 10.0.0.9"))
    (alarm,) = told.alarms()
    assert alarm.words == (
        f"screen lost at {of_day(at_us)}, unseen for 17 min", f"screen lost at {of_day(at_us)}", "screen lost"
    )  # fmt: skip
    assert alarm.seq == lost and alarm.helps == (SINCE,) and "until anna on pts/9 from 10.0.0.9 came" in alarm.cause


def test_what_has_happened_is_nobodys_to_mend_once_the_session_is_over(told: Told) -> None:
    for body in (NIGHT, NOTES):
        told.add(body)
    assert set(told.kinds()) == {"asleep", "handwork"}
    told.add(SessionFinished(state="finished", reason="done"))
    assert told.kinds() == [] and told.kinds(told.view.last_seq) == []
