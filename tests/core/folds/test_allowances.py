"""Limits beside the money: what they are in words, what was taken of them, and that standing still takes nothing."""

from __future__ import annotations

import pytest
from logbook import Logbook

from core.events import (
    AllowanceChanged,
    GuidanceDelivered,
    MachineSlept,
    PlanChanged,
    PlanStep,
    SessionContinued,
    SessionPaused,
)
from core.folds.allowances import WIND_DOWN, Allowances, Taken, read_allowance
from core.folds.branches import Branches
from core.folds.conversation import _allowance as sentence
from core.folds.costs import Costs
from core.folds.fold import Dispatcher
from core.folds.plan import Plan

DAY_S = 86_400.0


def folded(log):
    branches, costs = Branches(), Costs()
    plan = Plan(branches)
    allowances = Allowances(costs, plan)
    dispatch = Dispatcher([branches, costs, plan, allowances])
    for event in log.events:
        dispatch.apply(event)
    return allowances


def used(log, name, value=100.0):
    log.add(AllowanceChanged(name=name, value=value))
    (taken,) = folded(log).taken()
    return taken.used


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("20", ("usd", 20.0)),
        ("$7.50", ("usd", 7.5)),
        ("none", ("usd", None)),
        ("6h", ("minutes", 360.0)),
        ("1h30m", ("minutes", 90.0)),
        ("90m", ("minutes", 90.0)),
        ("time none", ("minutes", None)),
        ("400 turns", ("turns", 400.0)),
        ("day 5", ("day_usd", 5.0)),
        ("step $1.50", ("step_usd", 1.5)),
    ],
)
def test_a_budget_in_words(words, meant):
    assert read_allowance(words) == meant


@pytest.mark.parametrize("words", ["", "soon", "-3", "0", "nan", "inf", "6 h", "turns", "2.5 turns", "day", "1e99"])
def test_words_that_are_no_budget_are_refused_with_the_forms(words):
    with pytest.raises(ValueError, match="6h, 90m, 400 turns"):
        read_allowance(words)


def test_only_the_time_in_which_it_runs_is_taken():
    log = Logbook()
    log.add(SessionContinued())
    log.turn(("read_file", {}))
    before = used(log, "minutes")
    log.add(SessionPaused(reason="operator"))
    log.add(SessionContinued(), after_s=3_600)
    log.add(MachineSlept(seconds=7_200), after_s=7_200)
    after = used(log, "minutes")
    assert after == pytest.approx(before, abs=0.2)
    allowances = folded(log)
    assert allowances.taken(log.at_us + 60_000_000)[0].used == pytest.approx(before + 1, abs=0.2)


def test_dollars_of_a_day_begin_anew_with_the_day_and_those_of_a_step_with_the_step():
    log = Logbook()
    log.add(PlanChanged(steps=[PlanStep(id="1", intent="a", status="active")]))
    log.turn(("read_file", {}))
    assert used(log, "day_usd") == pytest.approx(0.01)
    log.add(SessionContinued(), after_s=DAY_S)
    log.turn(("read_file", {}))
    log.turn(("read_file", {}))
    allowances = folded(log)
    assert allowances.taken()[0].used == pytest.approx(0.02)
    tomorrow_us = log.at_us + int(DAY_S * 1_000_000)
    assert allowances.taken(tomorrow_us)[0].used == 0.0
    log.add(PlanChanged(steps=[PlanStep(id="2", intent="b", status="active")]))
    log.turn(("read_file", {}))
    log.add(AllowanceChanged(name="step_usd", value=1.0))
    assert {taken.name: round(taken.used, 4) for taken in folded(log).taken()} == {"day_usd": 0.03, "step_usd": 0.01}


def test_turns_are_counted_and_a_limit_can_be_lifted():
    log = Logbook()
    for _ in range(3):
        log.turn(("read_file", {}))
    log.add(AllowanceChanged(name="turns", value=4.0))
    (taken,) = folded(log).taken()
    assert (taken.used, taken.percent, taken.words()) == (3.0, 75, "3 of 4 turns")
    log.add(GuidanceDelivered(text="Come to an end.", source="notice"), f"{WIND_DOWN}{taken.key}")
    assert folded(log).told == {"turns:4"}
    log.add(AllowanceChanged(name="turns", value=None))
    assert folded(log).taken() == []


def test_a_time_reads_as_hours_and_minutes():
    assert Taken("minutes", 342.0, 360.0).words() == "5 h 42 min of 6 h"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("minutes", 120.0, "At most 2 h of work"),
        ("turns", 1_500.0, "At most 1,500 turns"),
        ("day_usd", 5.0, "At most $5.00 a day"),
        ("step_usd", None, "No limit of dollars a step any more"),
    ],
)
def test_a_limit_is_told_in_plain_words(name, value, said):
    assert sentence(AllowanceChanged(name=name, value=value)) == said
