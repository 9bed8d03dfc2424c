"""Judges: what is put before them, and that only two clear answers come to anything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logbook import Logbook
from test_decide import decided

from core.agent import decisions as do
from core.agent.facts import Facts
from core.agent.judges import UNSURE, read_verdict
from core.agent.purse import shortfall
from core.events import AllowanceChanged, CourseJudged, DriftMeasured, GuidanceDelivered, PlanChanged, PlanStep
from core.folds.docket import Docket, Question
from core.folds.fold import Dispatcher


def docket(log: Logbook) -> Docket:
    kept = Docket()
    dispatch = Dispatcher([kept])
    for event in log.events:
        dispatch.apply(event)
    return kept


@pytest.mark.parametrize(
    ("text", "answer", "why"),
    [
        ('{"answer": "no", "why": "The tests  never ran."}', "no", "The tests never ran."),
        ('Let me see.\n```json\n{"answer": "YES", "why": ""}\n```', "yes", ""),
        ('{"answer": "no"} or rather {"answer": "yes"}', "yes", ""),
        ('{"answer": "maybe"}', "unsure", ""),
        ("no", "unsure", ""),
        ("", "unsure", ""),
        ('{"answer": ["no"]}', "unsure", ""),
        ("{" * 50_000, "unsure", ""),
    ],
)
def test_an_answer_is_a_verdict_only_in_the_form_that_was_asked_for(text: str, answer: str, why: str) -> None:
    assert read_verdict(text) == (answer, why)


@given(st.text())
def test_nonsense_is_no_verdict(text: str) -> None:
    assert read_verdict(text.replace("answer", "")) == UNSURE


def step(id: str, status: str, check: str = "") -> PlanStep:
    return PlanStep(id=id, intent=f"do {id}", status=status, check=check)  # type: ignore[arg-type]


def test_a_step_is_put_before_them_only_where_no_command_proves_it_and_only_once() -> None:
    log = Logbook()
    log.add(PlanChanged(steps=[step("1", "done", "run `make test`"), step("2", "active")]))
    assert docket(log).question("step") is None
    log.add(PlanChanged(steps=[step("1", "done", "run `make test`"), step("2", "done", "it reads well")]))
    asked = docket(log).question("step")
    assert asked is not None and asked.subject == "2"
    log.add(CourseJudged(about="step", subject="2", verdict="unsure", models=["a"]), "j1")
    log.add(PlanChanged(steps=[step("2", "done", "it reads well")]))
    assert docket(log).question("step") is None


def test_an_end_is_asked_about_once_and_what_two_say_against_it_counts_until_it_goes_on() -> None:
    log = Logbook()
    log.reply(text="All done.")
    asked = docket(log).question("done")
    assert asked is not None
    assert decided(log, question=asked, rounds_left=1) == do.Judge(asked)
    assert isinstance(decided(log, question=asked, rounds_left=0), do.Finish)
    assert isinstance(decided(log, open_points=("x",), question=asked, rounds_left=1), do.Insist)
    log.add(CourseJudged(about="done", verdict="no", why="no test ran", models=["a", "b"]), "j1")
    assert (
        docket(log).question("done") is None and docket(log).contested == "by two models that read the log: no test ran"
    )
    assert decided(log, contested="no test ran", rounds_left=1) == do.Insist(("no test ran",))
    log.add(GuidanceDelivered(text="Not yet.", source="guard"))
    assert docket(log).contested == ""


def test_an_end_that_no_judge_was_asked_about_for_want_of_money_says_so_until_it_goes_on() -> None:
    log = Logbook()
    log.reply(text="All done.")
    log.add(CourseJudged(about="done", verdict="unsure", why="m was not asked: all is spent"), "j1")
    assert docket(log).unjudged == "no judge was asked, m was not asked: all is spent"
    log.reply(text="All done, again.")
    assert docket(log).unjudged == ""


def test_a_side_request_is_sent_only_within_every_limit_of_money_and_time() -> None:
    log = Logbook()
    log.turn(("read_file", {}))
    log.add(AllowanceChanged(name="turns", value=1.0))
    facts = Facts()
    facts.apply_all(log.events)
    now_us = log.at_us
    assert shortfall(facts, now_us, 5.0) == shortfall(facts, now_us, None) == ""
    for name, value, why in (
        ("day_usd", 0.02, "it costs about $0.0150, and $0.01 of $0.02 today are spent"),
        ("minutes", 0.001, "0 min of 0 min are used up"),
    ):
        limited = Logbook()
        limited.events, limited.head, limited.at_us = [*log.events], log.head, log.at_us
        limited.add(AllowanceChanged(name=name, value=value))  # type: ignore[arg-type]
        facts = Facts()
        facts.apply_all(limited.events)
        assert shortfall(facts, now_us, 0.015) == why
        assert bool(shortfall(facts, now_us, 0.005)) == (name == "minutes")


def test_drift_is_asked_about_above_its_threshold_and_not_again_at_once() -> None:
    log = Logbook()
    log.add(DriftMeasured(score=3.0, threshold=9.0))
    assert docket(log).question("drift") is None
    log.add(DriftMeasured(score=9.5, threshold=9.0, subject="7"))
    assert docket(log).question("drift") == Question("drift", "7", 3)
    log.add(CourseJudged(about="drift", subject="7", verdict="yes", models=["a"]), "j1")
    log.add(DriftMeasured(score=12.0, threshold=9.0, subject="7"))
    assert docket(log).question("drift") is None
