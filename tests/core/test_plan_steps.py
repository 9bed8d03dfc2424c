"""The controller of the plan: what is no plan, what is not done yet, what is decided, what is open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logbook import Logbook

from core.agent.facts import Facts
from core.agent.plan_keeping import PlanKeeper, open_points_of, unverified_of
from core.events import CheckpointMade, ContextCompressed, FileChange, PlanChanged, PlanStep
from core.planning import flaw, open_points, undecided
from core.tools.base import ToolError

CHECK = "`pytest -q` passes"


def step(id, status="todo", **more):
    return PlanStep(id=id, intent=f"do {id}", status=status, **more)


class Session:
    """A log, its facts, and the keeper of its plan."""

    def __init__(self) -> None:
        self.log, self.facts = Logbook(), Facts()
        self.facts.apply_all(self.log.events)
        self.keeper = PlanKeeper(self.facts)
        self._fed = len(self.log.events)

    def feed(self):
        self.facts.apply_all(self.log.events[self._fed :])
        self._fed = len(self.log.events)

    def plan(self, *steps, reason=""):
        """As the tool does it; what looking again came to."""
        again = self.keeper.judge(list(steps), reason)
        self.log.add(PlanChanged(steps=list(steps), reason=reason))
        self.feed()
        return again

    def run(self, command, ok=True):
        attempt = self.log.reply(("run_command", {"command": command}))
        self.log.start(attempt, 0, "run_command", {"command": command}, "command")
        self.log.finish(attempt, 0, "run_command", "out", ok, exit_code=0 if ok else 1)
        self.feed()

    def edit(self, path="a.py"):
        attempt = self.log.reply(("edit_file", {"path": path}))
        self.log.start(attempt, 0, "edit_file", {"path": path}, "write")
        change = FileChange(path=path, before="a", after=f"b{self.log.requests}")
        self.log.finish(attempt, 0, "edit_file", "edited", files=[change])
        self.feed()


@pytest.fixture
def session():
    return Session()


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([], "at least one step"),
        ([step(str(n)) for n in range(500)], "at most 40 steps, not 500"),
        ([step("1"), step("1")], "'1' is used more than once"),
        ([step("1", "active"), step("2", "active")], "At most one step can be active"),
        ([step("1", after=["2"]), step("2", after=["1"])], "in a circle: 1 after 2 after 1"),
        ([step("1", after=["1"])], "in a circle: 1 after 1"),
        ([step("1", after=["9"])], "waits for '9', which is no step"),
        ([step("1"), step("2", "active", after=["1"])], "can't be active before step 1 is done"),
    ],
)
def test_what_is_no_plan_is_refused_with_a_sentence(steps, words):
    assert words in flaw(steps)


def test_an_order_that_can_be_kept_is_a_plan():
    assert flaw([step("1", "done"), step("2", "active", after=["1"]), step("3", after=["1", "2"])]) == ""


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_every_circle_is_found_and_nothing_else(edges):
    steps = [step(str(n), after=[str(b) for a, b in edges if a == n]) for n in range(8)]
    reach = {n: {b for a, b in edges if a == n} for n in range(8)}
    for _ in range(8):
        reach = {n: far.union(*(reach[b] for b in far)) for n, far in reach.items()}
    assert ("in a circle" in flaw(steps)) == any(n in far for n, far in reach.items())


def test_a_step_is_done_only_when_its_check_passed_after_the_last_change(session):
    session.plan(step("1", "active", check=CHECK), step("2"))
    done = [step("1", "done", check=CHECK), step("2", "active")]
    with pytest.raises(ToolError, match="its check has not run"):
        session.plan(*done)
    session.run("pytest -q", ok=False)
    with pytest.raises(ToolError, match="its check failed in its last run"):
        session.plan(*done)
    session.run("pytest -q")
    session.edit()
    with pytest.raises(ToolError, match="files changed after its check had passed"):
        session.plan(*done)
    session.run("pytest -q")
    again = session.plan(*done)
    assert (again.step, again.verified, again.kept, again.changed) == ("1", True, 1, 0)


def test_a_change_by_a_command_counts_as_one(session):
    session.plan(step("1", "active", check=CHECK))
    session.log.add(CheckpointMade(tree="t0", backend="git"), "c1")
    session.run("pytest -q")
    session.log.add(CheckpointMade(tree="t1", backend="git", changed=1), "c2")
    session.feed()
    with pytest.raises(ToolError, match="files changed"):
        session.plan(step("1", "done", check=CHECK))


def test_a_check_in_words_alone_is_the_agents_to_judge(session):
    session.plan(step("1", "active", check="the README says so"))
    assert session.plan(step("1", "done", check="the README says so")).verified is False


def test_after_a_compression_what_is_decided_is_not_planned_anew_without_a_reason(session):
    plan = [step("1", "active"), step("2")]
    session.plan(*plan)
    session.log.add(
        ContextCompressed(policy="auto", reason="", digest="", keep_from=None, tokens_before=2, tokens_after=1)
    )
    session.feed()
    with pytest.raises(ToolError, match="The plan is decided and still holds"):
        session.plan(step("a", "active"), step("b"))
    session.plan(step("1", "done"), step("2", "active"))
    assert session.plan(step("a", "active"), reason="the task changed").reason == "the task changed"
    session.run("ls")
    session.plan(step("x", "active"))


def test_a_new_plan_is_free_and_a_reason_opens_a_decided_one():
    assert undecided([], [step("1")], "") == ""
    assert undecided([step("1")], [step("2")], "it was wrong") == ""
    assert undecided([step("1", "dropped")], [step("2")], "") == ""


def test_what_is_open_at_the_end_is_named(session):
    assert open_points_of(session.facts) == ()
    session.plan(step("1", "active", check=CHECK), step("2"), step("3", "dropped"))
    session.run("pytest -q")
    session.plan(step("1", "done", check=CHECK), step("2"), step("3", "dropped"))
    assert open_points_of(session.facts) == ("step 2 is todo: do 2",)
    session.edit()
    points = open_points_of(session.facts)
    assert points[1] == "the check of step 1 passed before the last change of a file: pytest -q"
    assert unverified_of(session.facts) == "no check has passed since the last change of a file"
    session.run("pytest -q", ok=False)
    assert "failed in its last run" in open_points_of(session.facts)[1]
    assert unverified_of(session.facts) == "`pytest -q` failed in its last run"
    session.run("pytest -q " + "tests/test_parser.py " * 9, ok=False)
    assert unverified_of(session.facts).endswith("…` failed in its last run")


def test_a_finished_plan_leaves_nothing_open():
    assert open_points([step("1", "done"), step("2", "dropped")], lambda check: None) == []


@pytest.mark.parametrize("check", ["tests are as at the start", "make sure tests pass", "go test it by hand"])
def test_words_that_look_like_a_command_are_words(session, check):
    session.plan(step("1", "active", check=check))
    assert session.plan(step("1", "done", check=check)) is not None
