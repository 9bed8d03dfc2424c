"""Pauses that are scheduled: what the words mean, when they are due, and that one word of the user calls some off."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from logbook import Logbook

from core.events import CommandAccepted, PauseUnscheduled, PlanChanged, PlanStep, SessionPaused
from core.folds.attention import Attention, read_schedule
from core.folds.branches import Branches
from core.folds.fold import Dispatcher
from core.folds.plan import Plan

NOON = int(datetime(2026, 5, 4, 12, 0, tzinfo=UTC).timestamp() * 1_000_000)
HOUR = 3_600_000_000


def read(text, spent=2.0, step="1"):
    return read_schedule(text, NOON, spent, step, UTC)


def folded(log):
    branches = Branches()
    plan = Plan(branches)
    attention = Attention(plan)
    dispatch = Dispatcher([branches, plan, attention])
    for event in log.events:
        dispatch.apply(event)
    return attention


def test_times_are_the_next_ones_and_costs_are_in_all_or_more():
    assert read("14:00").at_us == NOON + 2 * HOUR
    assert read("02:00").at_us == NOON + 14 * HOUR
    assert (read("$12").usd, read("+$5").usd, read("unless +5").usd) == (12.0, 7.0, 7.0)
    assert read("unless 02:00").unless_heard and not read("02:00").unless_heard
    assert read("step").step == "1" and read("never") is None


@pytest.mark.parametrize("text", ["", "soon", "25:00", "1:2:3", "$1", "-5", "nan", "unless", "unless step"])
def test_what_is_no_time_cost_or_step_is_refused_in_a_sentence(text):
    with pytest.raises(ValueError, match=r"Say when|are spent already"):
        read(text)


def test_after_a_step_needs_one():
    with pytest.raises(ValueError, match="No step of the plan is under way"):
        read("step", step=None)


def test_each_is_due_at_its_time_and_once():
    log = Logbook()
    log.add(read("14:00"), "c1")
    log.add(read("$12"), "c2")
    assert folded(log).due(NOON, 2.0) == ""
    assert folded(log).due(NOON + 3 * HOUR, 2.0) == "it is 14:00"
    assert folded(log).due(NOON, 12.0) == "$12.00 are spent"
    log.add(SessionPaused(reason="scheduled", detail="it is 14:00"))
    assert folded(log).due(NOON + 3 * HOUR, 2.0) == ""
    log.add(PauseUnscheduled())
    assert folded(log).due(NOON, 99.0) == ""


def test_after_this_step_is_when_another_one_is_under_way():
    log = Logbook()
    log.add(PlanChanged(steps=[PlanStep(id="1", intent="a", status="active"), PlanStep(id="2", intent="b")]))
    log.add(read("step"), "c1")
    assert folded(log).due(NOON, 0.0) == ""
    log.add(PlanChanged(steps=[PlanStep(id="1", intent="a", status="done"), PlanStep(id="2", intent="b")]))
    assert folded(log).due(NOON, 0.0) == "step 1 is over"


def test_a_word_of_the_user_calls_off_what_waits_for_their_silence():
    log = Logbook()
    log.add(CommandAccepted(verb="pause-at", args={"when": "unless 14:00"}), "c1")
    log.add(read("unless 14:00"), "c1")
    log.add(read("15:00"), "c2")
    assert folded(log).due(NOON + 2 * HOUR, 0.0) == "it is 14:00, and nothing was heard of you"
    log.add(CommandAccepted(verb="bookmark"), "c3")
    assert folded(log).due(NOON + 2 * HOUR, 0.0) == ""
    assert folded(log).due(NOON + 3 * HOUR, 0.0) == "it is 15:00"
