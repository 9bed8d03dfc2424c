"""What each step of the plan took."""

from decimal import Decimal

from lives import Life


def costs(log, at=None):
    return {cost.step.id: cost for cost in log.view.step_costs.at(at)}


def test_a_step_has_what_was_spent_while_it_was_active():
    log = Life()
    log.run("ls")
    began = log.steps(a="active", b="todo")
    log.run("pytest")
    log.edit("a.py")
    ended = log.steps(a="done", b="active")
    log.run("pytest")
    a, b = costs(log)["a"], costs(log)["b"]
    assert (a.since, a.done, a.spend.turns, a.spend.calls, a.spend.usd) == (began, ended, 2, 2, Decimal("0.02"))
    assert (b.since, b.done, b.spend.turns) == (ended, None, 1)
    assert costs(log, at=ended - 1)["a"].done is None
    assert log.view.step_costs.elsewhere().turns == 1
    assert log.view.step_costs.at(began - 1) == []


def test_time_that_the_session_stood_still_is_no_time_of_a_step():
    log = Life()
    log.steps(a="active")
    before = log.at_us
    log.run("pytest", minutes=10)
    worked_us = log.at_us - before
    log.pause()
    log.go_on(after_s=7200)
    assert costs(log)["a"].spend.us == worked_us + 1_000_000
    log.attach(after_s=3600)
    assert costs(log)["a"].spend.us == worked_us + 1_000_000


def test_time_runs_on_while_the_session_stands_paused_but_not_for_the_step():
    log = Life()
    log.steps(a="active")
    paused = log.pause()
    log.queue("later")
    log.at_us += 3_600_000_000
    log.queue("even later")
    view = log.view
    assert view.step_costs.at()[0].spend.seconds == 1.0
    assert view.idle.until_us() - view.idle.until_us(paused) == 3_602_000_000


def test_what_an_abandoned_branch_spent_on_a_step_was_spent():
    log = Life()
    log.steps(a="active", b="todo")
    back = log.head
    log.run("pytest")
    log.steps(a="done", b="active")
    log.run("pytest -x")
    log.rewind(back)
    log.run("pytest -v")
    a, b = costs(log)["a"], costs(log)["b"]
    assert (a.spend.turns, b.spend.turns) == (2, 1)
    assert a.done is None and a.step.status == "active"


def test_a_step_that_left_the_plan_is_counted_elsewhere():
    log = Life()
    log.steps(a="active")
    log.run("pytest")
    log.steps(b="active")
    assert log.view.step_costs.elsewhere().turns == 1
    assert costs(log)["b"].spend.turns == 0


def test_a_reason_to_change_the_plan_belongs_to_the_step_that_was_active():
    log = Life()
    log.steps("as understood", a="active", b="todo")
    log.steps(a="done", b="active")
    changed = log.steps("the parser has to go first", b="dropped", c="active")
    assert [reason.seq for reason in costs(log)["b"].reassessed] == [changed]
    assert [reason.reason for reason in log.view.step_costs.reassessments()] == ["the parser has to go first"]
    assert costs(log)["c"].reassessed == ()
