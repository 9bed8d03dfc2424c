"""Check-ins: how often, what they tell, and that a pause of the user's is no work."""

from __future__ import annotations

import pytest
from logbook import Logbook

from core.events import (
    CheckInMade,
    CheckInsSet,
    FileChange,
    PlanChanged,
    PlanStep,
    SessionContinued,
    SessionPaused,
    ToolFinished,
)
from core.folds.branches import Branches
from core.folds.checkins import CheckIns, read_check_ins
from core.folds.costs import Costs
from core.folds.fold import Dispatcher
from core.folds.needs import Needs
from core.folds.plan import Plan


def folded(log: Logbook) -> CheckIns:
    branches, costs = Branches(), Costs()
    plan = Plan(branches)
    kept = CheckIns(plan, costs)
    dispatch = Dispatcher([branches, plan, costs, kept])
    for event in log.events:
        dispatch.apply(event)
    return kept


def plan(first: str) -> PlanChanged:
    return PlanChanged(steps=[PlanStep(id="1", intent="Read it", status=first), PlanStep(id="2", intent="Mend it")])  # type: ignore[arg-type]


def test_words_say_how_often_and_whether_it_stands_then() -> None:
    assert read_check_ins("30m") == read_check_ins("every 30m") == CheckInsSet(minutes=30)
    assert read_check_ins("2h pause") == CheckInsSet(minutes=120, pause=True)
    assert read_check_ins("$2.50") == CheckInsSet(usd=2.5)
    assert read_check_ins("never") == CheckInsSet()
    for nonsense in ("", "soon", "30", "m", "-5m", "$0", "30m later", "nanm", "pause"):
        with pytest.raises(ValueError, match="Say how often"):
            read_check_ins(nonsense)


def test_it_is_due_by_time_or_by_cost_and_tells_what_was_done_since_the_last_one() -> None:
    log = Logbook()
    log.add(plan("active"))
    assert not folded(log).due(log.at_us + 10**12)
    log.add(CheckInsSet(minutes=30, usd=0.05))
    for number in range(2):
        attempt = log.reply(("edit_file", {"path": "a.py"}))
        log.start(attempt, 0, "edit_file", {}, "write")
        change = FileChange(path="a.py", before=None, after=str(number))
        log.add(ToolFinished(name="edit_file", use_id="u", ok=not number, content="", files=[change]), f"{attempt}.0")
    log.add(plan("done"))
    assert not folded(log).due(log.at_us)
    told = folded(log).due(log.at_us + 30 * 60 * 10**6)
    assert told.startswith("in 30 min 2 calls, 1 failed; 1 file changed; $0.02 spent, $0.02 in all; done: Read it")
    for _ in range(4):
        log.reply(("read_file", {}))
    assert "0 failed" not in folded(log).due(log.at_us)
    log.add(CheckInMade(text=told, since=2), "i1")
    assert not folded(log).due(log.at_us)
    assert folded(log).due(log.at_us + 30 * 60 * 10**6).startswith("in 30 min 0 calls; no file changed; $0.00 spent")


def test_while_it_stood_still_for_its_user_no_time_was_worked() -> None:
    log = Logbook()
    log.add(CheckInsSet(minutes=30))
    log.add(SessionPaused(reason="operator"))
    log.add(SessionContinued(), after_s=7_200)
    assert not folded(log).due(log.at_us + 29 * 60 * 10**6)


def test_the_user_is_called_about_it_until_they_answer_or_some_minutes_have_gone() -> None:
    log, needs = Logbook(), Needs()
    dispatch = Dispatcher([needs])
    log.add(CheckInMade(text="in 30 min 4 calls"), "i1")
    log.request()
    for event in log.events:
        dispatch.apply(event)
    need = needs.unanswered()
    assert need is not None and need.kind == "checkin" and "in 30 min 4 calls" in need.text
    log.at_us += 601 * 10**6
    log.request()
    dispatch.apply(log.events[-1])
    assert needs.unanswered() is None
