"""The guards, from the log alone: what they find, what they leave alone, and that nothing is said twice."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logbook import Logbook

from core.agent.guarding import ADVICE, drafts
from core.events import (
    ContextCompressed,
    FileChange,
    GuardAnswered,
    GuidanceDelivered,
    HeadMoved,
    MachineSlept,
    ModelFailed,
    PlanChanged,
    PlanStep,
    SessionContinued,
    SessionPaused,
)
from core.folds.branches import Branches
from core.folds.constraints import Constraints
from core.folds.fold import Dispatcher
from core.folds.guards.finding import Limits
from core.folds.guards.log import GuardLog
from core.folds.guards.talk import Chant
from core.folds.guards.watch import GuardWatch
from core.folds.plan import Plan

LIMITS = Limits()


class Watched:
    """A session that grows call by call, and the guards that watch it."""

    def __init__(self) -> None:
        self.log, branches = Logbook(), Branches()
        plan = Plan(branches)
        self.watch, self.signals = GuardWatch(plan, Constraints()), GuardLog()
        self._dispatch = Dispatcher([branches, plan, self.watch, self.signals])
        self._fed = 0

    def feed(self) -> None:
        for event in self.log.events[self._fed :]:
            self._dispatch.apply(event)
        self._fed = len(self.log.events)

    def add(self, body, key=None, **more):
        self.log.add(body, key, **more)
        self.feed()

    def call(self, name="read_file", result="the same", ok=True, effect="read", files=(), after_s=1.0, **arguments):
        attempt = self.log.reply((name, arguments))
        self.log.at_us += int(after_s * 1_000_000)
        self.log.start(attempt, 0, name, arguments, effect)
        self.log.finish(attempt, 0, name, result, ok, files=list(files), fingerprint=result)
        self.feed()
        return self.raised()

    def edit(self, path, before, after, note=""):
        change = FileChange(path=path, before=before, after=after)
        return self.call("edit_file", f"{before}>{after}", effect="write", files=[change], path=path, note=note)

    def raised(self):
        """What is due is written down, as the runner does it."""
        due = self.watch.due(LIMITS)
        if due is None:
            return None
        for draft in drafts(due, self.watch.raised + 1, lambda text: None):
            self.log.add(draft.body, draft.key, draft.actor)
        self.feed()
        return due.finding.guard, due.rung


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_the_same_call_with_the_same_result_climbs_the_ladder_one_rung_at_a_time(watched):
    said = [watched.call(path="a.py") for _ in range(10)]
    assert [rung and rung[1] for rung in said] == [
        *(None, None, "notice", "nudge", None, "reassess"),
        *(None, None, "pause", None),
    ]
    first = watched.signals.by_id["g1"].raised
    assert first.text == "`read_file a.py` was called 3 times and gave the same result each time"
    assert len(first.evidence) == 3


def test_other_white_space_and_another_way_to_write_a_path_are_the_same_call(watched):
    assert watched.call(path="a/b.py") is watched.call(path="./a/b.py") is None
    assert watched.call(path="a/b.py ") == ("repetition", "notice")


def test_equal_calls_count_though_others_stand_between_them(watched):
    said = []
    for number in range(6):
        said += [watched.call(path="a.py"), watched.call(path=f"{number}.py", result=str(number))]
    assert ("repetition", "nudge") in said


def test_what_is_asked_again_and_answered_otherwise_is_no_loop(watched):
    for number in range(30):
        assert watched.call("run_command", f"{number} of 30", effect="command", command="tail build.log") is None
        assert watched.call("run_command", "(no output)", effect="command", command="sleep 30") is None


def test_a_file_is_read_page_by_page_in_peace(watched):
    assert [watched.call(result=f"page {n}", path="a.py", offset=n) for n in range(40)] == [None] * 40


def test_a_test_after_each_fix_is_no_loop_though_it_says_the_same(watched):
    for number in range(20):
        assert watched.call("run_command", "20 passed", effect="command", command="pytest") is None
        assert watched.edit("a.py", f"s{number}", f"s{number + 1}") is None


@pytest.mark.parametrize("period", range(2, 7))
def test_a_cycle_is_found_in_its_third_round(watched, period):
    said = [watched.call(path=f"{n % period}.py", result=str(n % period)) for n in range(3 * period)]
    assert said[: 3 * period - 1] == [None] * (3 * period - 1)
    assert said[-1] == ("cycle", "nudge")


def test_the_third_attempt_that_fails_in_the_same_way_wants_another_approach(watched):
    said = []
    for number in range(3):
        watched.edit("a.py", f"s{number}", f"s{number + 1}")
        said.append(watched.call("run_command", "KeyError: x", ok=False, effect="command", command="pytest"))
    assert said == [None, None, ("failure", "nudge")]
    nudge = watched.log.events[-1].body
    assert isinstance(nudge, GuidanceDelivered) and nudge.source == "guard"
    assert nudge.text.startswith("Automatic notice, not from the user: 3 attempts failed in the same way")
    assert ADVICE["failure"] in nudge.text


def test_a_failure_that_changes_is_progress(watched):
    for number in range(10):
        watched.edit("a.py", f"s{number}", f"s{number + 1}")
        said = watched.call("run_command", f"{9 - number // 2} failed", ok=False, effect="command", command="pytest")
        assert said is None


def test_the_same_mistake_with_other_names_is_the_same_failure(watched):
    said = [watched.call("edit_file", f"`x{n}` is not in a/{n}.py", ok=False, path=f"a/{n}.py") for n in range(3)]
    assert said[-1] == ("failure", "nudge")


def test_a_success_of_the_tool_ends_its_series_of_failures(watched):
    for number in range(6):
        assert watched.call("edit_file", "not in the file", ok=False, path=f"{number}.py") is None
        if number % 2:
            watched.edit(f"{number}.py", f"s{number}", f"t{number}")


def test_a_file_that_goes_back_and_forth_is_found_when_it_came_back_for_the_second_time(watched):
    said = [watched.edit("a.py", *("ab" if n % 2 else "ba"), note=str(n)) for n in range(4)]
    assert said == [None, None, ("oscillation", "notice"), ("oscillation", "nudge")]


def test_a_change_taken_back_once_is_no_oscillation(watched):
    for number in range(8):
        assert watched.edit(f"{number}.py", "plain", "debug") is None
        assert watched.edit(f"{number}.py", "debug", "plain", note="back") is None


def test_an_attempt_of_several_changes_taken_back_one_by_one_is_no_oscillation(watched):
    for attempt in range(3):
        states = ["plain", *(f"attempt {attempt}, change {number}" for number in range(4))]
        for before, after in pairwise(states):
            assert watched.edit("a.py", before, after, note=after) is None
        for before, after in pairwise(reversed(states)):
            assert watched.edit("a.py", before, after, note=f"back {attempt} {after}") is None


def test_calls_of_which_nothing_new_comes_are_noticed(watched):
    for number in range(20):
        watched.call(path=f"{number}.py", result=str(number))
    dice = [(n * 7 + n // 9) % 20 for n in range(80)]
    said = [watched.call(path=f"{number}.py", result=str(number)) for number in dice]
    assert ("stagnation", "notice") in said


def test_arguments_that_the_tool_does_not_take_are_told_after_three(watched):
    said = []
    for number in range(3):
        attempt = watched.log.reply(("read_file", {"pth": number}))
        watched.log.start(attempt, 0, "read_file", {"pth": number})
        watched.log.finish(attempt, 0, "read_file", f"unknown field {number}", ok=False, invalid=True)
        watched.feed()
        said.append(watched.raised())
    assert said == [None, ("arguments", "notice"), ("arguments", "nudge")]


def test_replies_that_only_talk_are_told_to_act(watched):
    watched.log.reply(text="Let me think.")
    watched.feed()
    assert watched.raised() is None
    watched.log.reply(text="Let me think more.")
    watched.feed()
    assert watched.raised() == ("monologue", "nudge")
    assert watched.call(path="a.py") is None


def test_a_reply_that_was_cut_for_chanting_is_told_so_and_the_third_one_pauses(watched):
    said = []
    for number in range(3):
        watched.add(ModelFailed(error="chanting", message="cut"), watched.log.request(attempt=number + 1))
        said.append(watched.raised())
    assert said == [("chanting", "nudge"), ("chanting", "reassess"), ("chanting", "pause")]


def test_a_step_over_its_budget_is_to_be_looked_at_again_and_neither_a_pause_nor_a_night_counts(watched):
    watched.add(PlanChanged(steps=[PlanStep(id="1", intent="do it", status="active")]))
    watched.call(path="0.py", result="0", after_s=20 * 60)
    watched.add(SessionPaused(reason="operator"))
    watched.add(SessionContinued(), after_s=3600)
    watched.add(MachineSlept(seconds=8 * 3600), after_s=8 * 3600)
    assert watched.raised() is None
    assert watched.call(path="1.py", result="1", after_s=5 * 60) == ("step", "notice")
    assert watched.call(path="2.py", result="2", after_s=6 * 60) == ("step", "reassess")
    assert watched.call(path="3.py", result="3", after_s=60) is None
    watched.add(PlanChanged(steps=[PlanStep(id="1", intent="do it", status="done")], reason="done"))
    assert watched.raised() is None


def test_what_the_user_called_fine_is_not_raised_again(watched):
    said = [watched.call(path="a.py") for _ in range(3)]
    assert said[-1] == ("repetition", "notice")
    signal = watched.signals.latest()
    watched.add(GuardAnswered(guard="repetition", subject=signal.raised.subject), signal.id, actor="user")
    assert signal.fine() and not signal.fine(at=signal.seq)
    assert [watched.call(path="a.py") for _ in range(12)] == [None] * 12
    assert [watched.call(path="b.py") for _ in range(3)][-1] == ("repetition", "notice")


@pytest.mark.parametrize(
    "body",
    [
        GuidanceDelivered(text="Do it like this."),
        SessionContinued(),
        HeadMoved(to=1, origin=1, reason="rewind"),
    ],
)
def test_after_the_user_spoke_continued_or_rewound_the_count_begins_anew(watched, body):
    watched.call(path="a.py")
    watched.call(path="a.py")
    watched.add(body, actor="user")
    assert [watched.call(path="a.py") for _ in range(2)] == [None, None]
    assert watched.call(path="a.py") == ("repetition", "notice")


def test_what_left_the_context_is_rightly_looked_at_again(watched):
    for _ in range(3):
        for number in range(8):
            assert watched.call(path=f"{number}.py", result=str(number)) is None
        watched.add(
            ContextCompressed(policy="auto", reason="", digest="", keep_from=None, tokens_before=2, tokens_after=1)
        )
        watched.call("run_command", str(watched.log.requests), effect="command", command="date")


def test_a_nudge_worked_when_the_next_three_calls_are_other_ones(watched):
    for _ in range(4):
        watched.call(path="a.py")
    nudged = watched.signals.latest()
    assert nudged.raised.rung == "nudge"
    for number in range(3):
        assert nudged.judged is None
        watched.call(path=f"{number}.py", result=str(number))
    assert nudged.judged and nudged.worked
    assert watched.signals.counts()["nudges_that_worked"] == 1


def test_a_nudge_did_not_work_when_the_same_call_comes_again(watched):
    for _ in range(5):
        watched.call(path="a.py")
    nudged = watched.signals.by_id["g2"]
    assert nudged.judged and not nudged.worked


def test_one_thing_is_not_said_by_two_guards(watched):
    said = [watched.call("run_command", "boom", ok=False, effect="command", command="make") for _ in range(4)]
    assert [one for one in said if one] == [("failure", "nudge")]


def test_guards_that_are_off_say_nothing(watched):
    for _ in range(5):
        watched.call(path="a.py")
    assert watched.watch.due(Limits(enabled=False)) is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=60))
def test_what_is_due_after_a_restart_is_what_would_have_been_due(calls):
    grown = Watched()
    for number in calls:
        grown.call(path=f"{number}.py", result=str(number))
    again = Watched()
    again.log = grown.log
    again.feed()
    assert again.watch.due(LIMITS) == grown.watch.due(LIMITS)
    assert again.watch.raised == grown.watch.raised


CHANTS = ["I will now check the file again. ", "la ", "x", "Let me see what happens next, and then decide.\n"]


@pytest.mark.parametrize("words", CHANTS)
def test_a_chant_is_heard_however_it_is_cut_into_pieces(words):
    text = words * 400
    for size in (1, 7, 400):
        chant = Chant()
        heard = [chant.add(text[i : i + size]) for i in range(0, 4000, size)]
        assert any(heard)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(" ".join(f"word{(n * 31 + k * k) % 997}" for k in range(12)) for n in range(300)),
        "```\n" + "x = 0\n" * 400 + "```\n",
        "| a | b | c | d | e | f | g | h | i | j | k | l | m |\n" * 60,
        "- the same item with quite a lot of words in it, again\n" * 60,
        "\n".join(f"{n}. check the next one and write down what it said" for n in range(80)),
        "The parser reads the file. " * 3 + "Then it ends, and nothing of what it said is kept anywhere.",
    ],
)
def test_what_is_rightly_alike_is_no_chant(text):
    assert not Chant().add(text)
