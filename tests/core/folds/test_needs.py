"""What waits for the user is read from the log: why, since when, and whether it was answered."""

from __future__ import annotations

import pytest
from logbook import Logbook
from msgspec.structs import replace

from core.events import (
    IMPORTED,
    CommandAccepted,
    CommandRefused,
    ContextPolicy,
    Event,
    HeadMoved,
    SessionContinued,
    SessionFinished,
    SessionPaused,
)
from core.folds.fold import Dispatcher
from core.folds.needs import KINDS, Needs


class Watched:
    """A log and what it needs."""

    def __init__(self) -> None:
        self.log, self.needs = Logbook(), Needs()
        self._dispatch = Dispatcher([self.needs])

    def add(self, body: object, **options: str) -> Event:
        event = self.log.add(body, **options)  # type: ignore[arg-type]
        self._dispatch.apply(event)
        return event


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_session_that_another_tool_ran_needs_nobody() -> None:
    needs = Needs()
    dispatch = Dispatcher([needs])
    log = Logbook()
    opened = replace(log.events[0].body, profile=IMPORTED)
    dispatch.apply(replace(log.events[0], body=opened))
    dispatch.apply(log.add(SessionFinished(state="stopped", reason="imported")))
    assert needs.unanswered() is None


def test_a_session_at_work_needs_nobody(watched: Watched) -> None:
    assert watched.needs.at() == () and watched.needs.unanswered() is None


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (SessionPaused(reason="budget", detail="$5.00 of $5.00 are spent"), "paused", "It is paused (budget): $5"),
        (SessionPaused(reason="auth", detail="bad key."), "paused", "It is paused (auth): bad key."),
        (SessionPaused(reason="refusal"), "paused", "It is paused (refusal)."),
        (SessionPaused(reason="outage", detail="no answer"), "paused", "It is paused (outage): no answer."),
        (SessionPaused(reason="turn_limit"), "paused", "It is paused (turn limit)."),
        (SessionFinished(state="finished", reason="done"), "finished", "It has finished."),
        (SessionFinished(state="failed", reason="outage", detail="a\nb"), "failed", "It failed (outage): a b."),
        (SessionFinished(state="stopped", reason="budget"), "failed", "It stopped (budget)."),
        (ContextPolicy(policy="off", tokens=9, reason="too little"), "policy", "Automatic compression switched itself"),
    ],
)  # fmt: skip
def test_what_a_session_comes_to_by_itself_waits_for_its_user(
    watched: Watched, body: object, kind: str, text: str
) -> None:
    event = watched.add(body)
    need = watched.needs.unanswered()
    assert need is not None and need.text.startswith(text) and need.text.endswith(".")
    assert (need.kind, need.seq, need.at_us) == (kind, event.seq, event.at_us)


@pytest.mark.parametrize(
    "body",
    [
        SessionPaused(reason="operator"),
        SessionPaused(reason="rewound"),
        SessionFinished(state="stopped", reason="operator"),
        ContextPolicy(policy="window"),
    ],
    ids=str,
)
def test_what_the_user_did_waits_for_nobody(watched: Watched, body: object) -> None:
    watched.add(body)
    assert watched.needs.at() == ()


@pytest.mark.parametrize("body", [SessionContinued(), HeadMoved(to=1, origin=2, reason="rewind")], ids=str)
def test_it_waits_no_more_once_it_goes_on(watched: Watched, body: object) -> None:
    watched.add(SessionPaused(reason="budget"))
    watched.add(body)
    assert watched.needs.at() == ()


def test_a_policy_that_is_chosen_settles_the_one_that_was_switched_off(watched: Watched) -> None:
    watched.add(ContextPolicy(policy="off", tokens=9))
    watched.add(ContextPolicy(policy="auto"))
    assert watched.needs.at() == ()


@pytest.mark.parametrize(
    "answer", [CommandAccepted(verb="budget"), CommandRefused(verb="budget", reason="no")], ids=str
)
def test_any_command_answers_and_the_need_stays_until_it_is_met(watched: Watched, answer: object) -> None:
    watched.add(SessionPaused(reason="budget"))
    event = watched.add(answer, actor="user")
    watched.add(CommandAccepted(verb="rename"), actor="user")
    (need,) = watched.needs.at()
    assert need.answered == event.seq and watched.needs.unanswered() is None


def test_a_command_before_it_answers_nothing(watched: Watched) -> None:
    watched.add(CommandAccepted(verb="guide"))
    watched.add(SessionPaused(reason="budget"))
    assert watched.needs.unanswered() is not None


def test_the_most_pressing_need_comes_first_and_there_is_one_of_each_sort(watched: Watched) -> None:
    watched.add(ContextPolicy(policy="off", tokens=9))
    watched.add(SessionPaused(reason="budget"))
    watched.add(SessionFinished(state="failed", reason="disk"))
    assert [need.kind for need in watched.needs.at()] == ["failed", "policy"]
    assert {need.kind for need in watched.needs.at()} <= set(KINDS)


def test_what_waited_can_be_read_as_of_any_event(watched: Watched) -> None:
    paused = watched.add(SessionPaused(reason="budget"))
    answered = watched.add(CommandAccepted(verb="budget"))
    watched.add(SessionContinued())
    assert watched.needs.at(paused.seq - 1) == ()
    assert [need.answered for need in watched.needs.at(paused.seq)] == [None]
    assert [need.answered for need in watched.needs.at(answered.seq)] == [answered.seq]
    assert watched.needs.at() == ()
