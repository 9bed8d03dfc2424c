"""A call that is asked about waits, others go on where order allows, and an answer counts once and from the user."""

from __future__ import annotations

import pytest
from logbook import Logbook
from test_commands import Table
from test_decide import NOW, decided

from core.agent import decisions as do
from core.agent.commands import judged, parse_words
from core.agent.facts import Facts
from core.agent.trust import Vouchers
from core.agent.verb import Refused
from core.approvals.policy import Confinement
from core.events import (
    ApprovalAnswered,
    ApprovalAsked,
    BudgetChanged,
    CommandAccepted,
    CommandRefused,
    HeadMoved,
    SessionContinued,
    SessionFinished,
    ToolFinished,
)
from core.folds.fold import Dispatcher
from core.folds.needs import Needs
from core.folds.state import RunState
from core.folds.view import SessionView
from core.journal.inbox import Command

RULE = "run_command: git push"


def asked(name: str = "run_command", **more: object) -> ApprovalAsked:
    arguments = {"command": "git push"}
    return ApprovalAsked(
        name=name, use_id="u", arguments=arguments, effect="command", reason="It reaches out.", rules=[RULE], **more
    )


APPROVED, DENIED = ApprovalAnswered(answer="approved", place="here"), ApprovalAnswered(answer="denied", reason="No.")


def status(log: Logbook) -> tuple[str, str]:
    state = RunState()
    dispatch = Dispatcher([state])
    for event in log.events:
        state.observe(event)
        dispatch.apply(event)
    return state.status.last.state, state.status.last.reason


def test_a_call_that_is_asked_about_waits_until_it_is_answered() -> None:
    log = Logbook()
    attempt = log.reply(("run_command", {"command": "git push"}), ("read_file", {"path": "a"}))
    assert isinstance(decided(log), do.RunTools)
    log.add(asked(), f"{attempt}.0")
    assert decided(log) == do.AwaitAnswer(None)
    assert status(log) == ("waiting", "approval")
    log.add(APPROVED, f"{attempt}.0", actor="user")
    assert [call.key for call in decided(log).calls] == [f"{attempt}.0"]  # type: ignore[union-attr]
    assert status(log) == ("running", "working")


def test_reads_go_on_past_a_read_that_waits_and_a_write_does_not() -> None:
    log = Logbook()
    attempt = log.reply(("fetch_url", {}), ("read_file", {}), ("edit_file", {}), ("read_file", {}))
    reads = frozenset({"fetch_url", "read_file"})
    log.add(asked("fetch_url"), f"{attempt}.0")
    assert [call.key for call in decided(log, concurrent=reads).calls] == [f"{attempt}.1"]  # type: ignore[union-attr]
    log.start(attempt, 1, "read_file", {})
    log.finish(attempt, 1, "read_file")
    assert decided(log, concurrent=reads) == do.AwaitAnswer(None)
    log.add(DENIED, f"{attempt}.0", actor="user")
    assert [call.key for call in decided(log, concurrent=reads).calls] == [f"{attempt}.0"]  # type: ignore[union-attr]


def test_a_time_out_pauses_and_never_approves_and_the_question_stays() -> None:
    log = Logbook()
    attempt = log.reply(("run_command", {"command": "git push"}))
    log.add(asked(), f"{attempt}.0")
    assert decided(log, now_us=99, answer_by_us=100) == do.AwaitAnswer(100)
    pause = decided(log, now_us=100, answer_by_us=100)
    assert isinstance(pause, do.Pause) and pause.reason == "approval"
    log.add(SessionFinished(state="stopped", reason="approval"))
    log.add(SessionContinued(detail="resumed"))
    assert status(log) == ("waiting", "approval")
    assert decided(log, now_us=100) == do.AwaitAnswer(None)
    assert NOW.answer_by_us is None


class Asking(Table):
    """A table at which one call was asked about."""

    def __init__(self) -> None:
        super().__init__()
        attempt = self.log.reply(("run_command", {"command": "git push"}), ("run_command", {"command": "git pull"}))
        self.facts = Facts()
        self.facts.apply_all(self.log.events)
        self.key = f"{attempt}.0"
        self.add(asked(), self.key)


def test_an_answer_says_who_and_where_and_always_adds_exactly_the_rules_that_were_shown() -> None:
    table = Asking()
    (answer,) = table.send("approve", id=table.key, always=True)
    assert answer.key == table.key
    assert (answer.body.answer, answer.body.rules, answer.body.kept) == ("approved", [RULE], False)
    assert table.facts.state.allowed == [RULE]
    assert table.facts.approvals.waiting() == []


def test_a_denial_brings_the_reason() -> None:
    table = Asking()
    (answer,) = table.send("deny", reason="Not today.")
    assert (answer.body.answer, answer.body.reason) == ("denied", "Not today.")


def test_an_answer_that_comes_late_is_refused_with_what_was_decided() -> None:
    table = Asking()
    table.send("approve", id=table.key)
    with pytest.raises(Refused, match="approved already, by user"):
        table.send("deny", id=table.key)
    with pytest.raises(Refused, match="Nothing waits"):
        table.send("approve")
    with pytest.raises(Refused, match=r"No call .* was asked about"):
        table.send("approve", id="r9.9.9")


def test_an_answer_to_a_call_that_a_rewind_left_behind_is_refused() -> None:
    table = Asking()
    table.add(HeadMoved(to=1, origin=table.log.head or 1, reason="rewind"))
    with pytest.raises(Refused, match="left behind"):
        table.send("approve", id=table.key)


def test_with_several_questions_an_answer_says_which() -> None:
    table = Asking()
    table.add(asked(), table.key[:-1] + "1")
    with pytest.raises(Refused, match="Say which"):
        table.send("approve")
    assert table.send("approve", id=table.key[:-1] + "1")


def test_always_needs_a_rule_that_says_exactly_the_call() -> None:
    table = Asking()
    other = table.key[:-1] + "1"
    table.add(ApprovalAsked(name="x", use_id="u", arguments={}, effect="command", reason="It has a loop."), other)
    with pytest.raises(Refused, match="only once"):
        table.send("approve", id=other, always=True)


@pytest.mark.parametrize(
    ("verb", "args"),
    [("approve", {}), ("approve", {"always": True}), ("budget", {"usd": "50"}), ("budget", {"usd": None})],
)
def test_what_gives_the_agent_more_counts_only_from_the_user_for_sure(verb: str, args: dict[str, object]) -> None:
    table = Asking()
    table.add(BudgetChanged(usd="5"))
    command = Command(id="0" * 26, verb=verb, args=args)
    (refused,) = judged(command, table.facts, trusted=False)
    assert isinstance(refused.body, CommandRefused) and "only from the screen" in refused.body.reason
    assert isinstance(judged(command, table.facts, trusted=True)[0].body, CommandAccepted)


@pytest.mark.parametrize(
    ("verb", "args"), [("deny", {}), ("budget", {"usd": "4"}), ("budget", {"usd": "5"}), ("pause", {})]
)
def test_what_takes_from_the_agent_counts_from_everywhere(verb: str, args: dict[str, object]) -> None:
    table = Asking()
    table.add(BudgetChanged(usd="5"))
    command = Command(id="0" * 26, verb=verb, args=args)
    assert isinstance(judged(command, table.facts, trusted=False)[0].body, CommandAccepted)


def test_a_process_vouches_for_exactly_what_it_sent() -> None:
    vouchers, sent = Vouchers(), Command(id="0" * 26, verb="approve", args={"id": "r1.1.0"}, head=7)
    assert not vouchers.trusts(sent)
    vouchers.vouch(sent)
    assert vouchers.trusts(Command(id="0" * 26, verb="approve", args={"id": "r1.1.0"}, head=7))
    assert not vouchers.trusts(Command(id="0" * 26, verb="approve", args={"id": "r1.1.1"}, head=7))
    assert not vouchers.trusts(Command(id="1" * 26, verb="approve", args={"id": "r1.1.0"}, head=7))
    hidden = Confinement(confined=True, hides_sessions=True)
    assert Vouchers(hidden).trusts(sent) and not Vouchers(Confinement(confined=True)).trusts(sent)


@pytest.mark.parametrize(
    ("words", "args"),
    [
        ([], {}),
        (["r1.1.0"], {"id": "r1.1.0"}),
        (["r1.1.0", "--always"], {"id": "r1.1.0", "always": True}),
        (["--keep", "--reason", "it", "is", "fine"], {"keep": True, "reason": "it is fine"}),
    ],
)
def test_the_words_of_an_answer(words: list[str], args: dict[str, object]) -> None:
    assert parse_words("approve", words) == args


def test_words_that_are_no_answer_are_refused() -> None:
    for verb, words in (("deny", ["--always"]), ("approve", ["a", "b"]), ("deny", ["a", "because"])):
        with pytest.raises(Refused, match="--reason TEXT"):
            parse_words(verb, words)


def test_every_moment_shows_what_waited_then() -> None:
    log = Logbook()
    attempt = log.reply(("run_command", {"command": "git push"}), ("run_command", {}))
    one, two = f"{attempt}.0", f"{attempt}.1"
    first = log.add(asked(), one).seq
    second = log.add(asked(), two).seq
    answered = log.add(APPROVED, one, actor="user").seq
    gone = log.add(ToolFinished(name="run_command", use_id="u", ok=False, content="x"), two).seq
    view = SessionView()
    view.apply_all(log.events)
    waiting = {seq: [question.key for question in view.approvals.waiting(seq)] for seq in range(1, gone + 1)}
    assert (waiting[first - 1], waiting[first], waiting[second]) == ([], [one], [one, two])
    assert (waiting[answered], waiting[gone]) == ([two], [])
    question = view.approvals.get(one)
    assert question is not None and question.who == "user" and question.waited_us == 2_000_000


def test_the_session_needs_its_user_until_the_last_question_is_answered() -> None:
    log = Logbook()
    attempt = log.reply(("run_command", {}), ("run_command", {}))
    for index in (0, 1):
        log.add(asked(), f"{attempt}.{index}")
    needs = Needs()
    dispatch = Dispatcher([needs])
    for event in log.events:
        dispatch.apply(event)
    (need,) = needs.at()
    assert (need.kind, need.reason) == ("approval", "approval") and "git push" in need.text
    dispatch.apply(log.add(APPROVED, f"{attempt}.0", actor="user"))
    (again,) = needs.at()
    assert again.answered is None and again.seq > need.seq
    dispatch.apply(log.add(DENIED, f"{attempt}.1", actor="user"))
    assert needs.at() == ()
