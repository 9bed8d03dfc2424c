"""What follows from a command, judged from the log alone: the memory's controls and taking a command back."""

from __future__ import annotations

import pytest
from logbook import Logbook

from core.agent.commands import VERBS, Refused, judged, parse_words
from core.agent.facts import Facts
from core.events import (
    CommandAccepted,
    CommandDone,
    CommandRefused,
    GuardRaised,
    GuidanceDelivered,
    HeadMoved,
    MemoryForgotten,
    MemoryWritten,
    PlanChanged,
    PlanStep,
    SessionContinued,
    SessionPaused,
)
from core.ids import ulid
from core.journal.inbox import Command

AGENTS = MemoryWritten(text="port 80", category="finding", topic="core/a.py", scope="project")


class Table:
    """A log, its facts, and commands that are judged and written into it."""

    def __init__(self) -> None:
        self.log, self.facts, self.given = Logbook(), Facts(), 0
        self.facts.apply_all(self.log.events)

    def add(self, body, key=None, actor="agent"):
        event = self.log.add(body, key, actor)
        self.facts.apply(event)
        return event

    def send(self, verb, under_way=None, **args):
        """The events that follow from a command beside its acceptance; raises Refused."""
        self.given += 1
        command = Command(id=ulid(self.given * 1000), verb=verb, args=args)
        first, *rest = judged(command, self.facts, under_way, trusted=True)
        self.add(first.body, first.key, first.actor)
        if isinstance(first.body, CommandRefused):
            raise Refused(first.body.reason)
        return [self.add(draft.body, draft.key, draft.actor) for draft in rest]

    @property
    def order(self):
        """The id of the last command."""
        return self.log.events[-1].key

    @property
    def known(self):
        return {entry.id: entry.text for entry in self.facts.memories.known()}


@pytest.fixture
def table() -> Table:
    table = Table()
    table.add(AGENTS, "m1")
    return table


def test_the_user_remembers_under_names_that_the_agent_never_gives(table):
    (first,) = table.send("remember", text=" Never touch vendor. ", category="Constraint", scope="project")
    (second,) = table.send("remember", text="Port 81.")
    assert (first.key, second.key, first.actor) == ("u2", "u3", "user")
    assert first.body == MemoryWritten(text="Never touch vendor.", category="constraint", scope="project")
    table.add(MemoryWritten(text="the agent's"), "m2")  # taken before the user's were in the log
    assert list(table.known) == ["m1", "u2", "u3", "m2"]


def test_a_revision_takes_the_place_of_the_entry_and_keeps_what_it_is_about(table):
    (event,) = table.send("revise", id="m1", text="port 81")
    assert event.body == MemoryWritten(
        text="port 81", category="finding", topic="core/a.py", scope="project", replaces="m1"
    )
    assert table.known == {"u2": "port 81"}
    with pytest.raises(Refused, match="m1 is not known any more: replaced by u2"):
        table.send("revise", id="m1", text="port 82")
    with pytest.raises(Refused, match="says that already"):
        table.send("revise", id="u2", text="port 81")


def test_pinning_an_entry_is_a_revision_that_a_later_one_keeps_until_it_is_unpinned(table):
    table.send("pin-memory", id="m1")
    (event,) = table.send("revise", id="u2", text="port 81")
    assert event.body.pinned
    with pytest.raises(Refused, match="pinned already"):
        table.send("pin-memory", id="u3")
    (event,) = table.send("unpin-memory", id="u3")
    assert not event.body.pinned and table.known == {"u4": "port 81"}


def test_forgetting_names_a_reason_or_none_and_a_rewind_takes_it_back(table):
    boundary = table.add(GuidanceDelivered(text="go on"))
    (event,) = table.send("forget", id="m1", reason=" It moved. ")
    assert event.body == MemoryForgotten(id="m1", reason="It moved.") and table.known == {}
    with pytest.raises(Refused, match="forgotten"):
        table.send("forget", id="m1")
    later = table.add(GuidanceDelivered(text="go on"))
    table.add(HeadMoved(to=boundary.seq, origin=later.seq, reason="rewind"))
    assert table.known == {"m1": "port 80"}


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("forget", {"id": "m9"}),
        ("forget", {}),
        ("forget", {"id": "m1", "reason": "x" * 401}),
        ("revise", {"id": "m1"}),
        ("revise", {"id": ["m1"], "text": "x"}),
        ("remember", {"text": "x" * 4_001}),
        ("remember", {"text": "x", "scope": "world"}),
        ("remember", {"text": "x", "category": 7}),
        ("remember", {"text": "x", "topic": "a\nb"}),
        ("pin-memory", {"id": "m9"}),
        ("unpin-memory", {"id": "m1"}),
        ("cancel", {}),
        ("cancel", {"id": "pause"}),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence_and_leaves_no_trace(table, verb, args):
    with pytest.raises(Refused, match=r"\.$"):
        table.send(verb, **args)
    assert table.known == {"m1": "port 80"}


@pytest.mark.parametrize(("verb", "args"), [("pause", {}), ("stop", {}), ("rewind", {"to": 1})])
def test_a_command_that_waits_for_its_effect_is_taken_back_by_its_id_or_its_verb(table, verb, args):
    for by_verb in (False, True):
        table.send(verb, **args)
        assert len(table.facts.state.orders) == 1
        id = table.order
        (event,) = table.send("cancel", id=verb if by_verb else id)
        assert event.key == id and isinstance(event.body, CommandDone) and not event.body.ok
        assert not table.facts.state.orders


def test_of_pauses_and_continues_that_wait_for_a_long_command_the_last_one_counts(table):
    table.send("pause")
    with pytest.raises(Refused, match="pauses already, at the next safe point"):
        table.send("pause")
    table.send("continue")
    with pytest.raises(Refused, match="not paused"):
        table.send("continue")
    table.send("pause")
    assert [order.verb for order in table.facts.state.orders.values()] == ["pause", "continue", "pause"]
    table.send("cancel", id=table.order)
    assert not table.facts.state.halts
    table.add(SessionPaused(reason="operator"))
    assert not table.facts.state.halts, "a continue waits"


def test_it_is_too_late_for_what_is_under_way_or_done(table):
    table.send("pause")
    id = table.order
    with pytest.raises(Refused, match="carried out already"):
        table.send("cancel", under_way=id, id=id)
    assert id in table.facts.state.orders
    table.add(CommandDone(verb="pause"), id)
    with pytest.raises(Refused, match="waits for its effect"):
        table.send("cancel", id=id)


def test_of_two_that_wait_the_id_must_say_which(table):
    table.add(CommandAccepted(verb="evict", args={"seq": 3}), "k1")
    table.add(CommandAccepted(verb="evict", args={"seq": 4}), "k2")
    with pytest.raises(Refused, match="more than one"):
        table.send("cancel", id="evict")
    (event,) = table.send("cancel", id="k2")
    assert event.key == "k2"


@pytest.mark.parametrize(
    ("words", "args"),
    [
        ("remember Port 81. --project", {"text": "Port 81.", "scope": "project"}),
        ("remember --category rule Use --files", {"text": "Use --files", "category": "rule"}),
        ("revise m3 port 81", {"id": "m3", "text": "port 81"}),
        ("forget m3", {"id": "m3"}),
        ("forget m3 it moved", {"id": "m3", "reason": "it moved"}),
        ("pin-memory m3", {"id": "m3"}),
        ("unpin-memory u3", {"id": "u3"}),
        ("cancel pause", {"id": "pause"}),
        ("keep m3", {"id": "m3"}),
    ],
)
def test_words_of_the_command_line_become_arguments(words, args):
    verb, *rest = words.split()
    assert parse_words(verb, rest) == args
    assert set(args) <= set(VERBS[verb].args)


@pytest.mark.parametrize("words", ["forget", "revise m3", "remember x --category", "pin-memory m1 m2", "cancel a b"])
def test_words_that_say_too_little_or_too_much_are_refused(words):
    verb, *rest = words.split()
    with pytest.raises(Refused, match=r"\.$"):
        parse_words(verb, rest)


def test_this_is_fine_answers_the_guard_and_lets_a_session_go_on_that_it_stopped(table):
    raised = GuardRaised(guard="repetition", rung="pause", subject="abc", times=9, text="`make` came 9 times")
    with pytest.raises(Refused, match="No guard has raised anything"):
        table.send("guard-ok")
    table.add(raised, "g1")
    table.add(SessionPaused(reason="guard", detail="`make` came 9 times"))
    with pytest.raises(Refused, match="No guard has raised 'g7'"):
        table.send("guard-ok", id="g7")
    answered, continued = table.send("guard-ok")
    assert (answered.key, answered.body.guard, answered.body.subject) == ("g1", "repetition", "abc")
    assert isinstance(continued.body, SessionContinued) and not table.facts.state.paused
    with pytest.raises(Refused, match="g1 was said to be fine already"):
        table.send("guard-ok", id="g1")


def test_the_agent_cannot_call_its_own_loop_fine(table):
    table.add(GuardRaised(guard="cycle", rung="notice", subject="a", times=3, text="in a circle"), "g1")
    command = Command(id=ulid(5000), verb="guard-ok", args={})
    (draft,) = judged(command, table.facts, trusted=False)
    assert isinstance(draft.body, CommandRefused)


def test_the_user_edits_the_plan_and_the_agent_is_told(table):
    table.add(PlanChanged(steps=[PlanStep(id="1", intent="a", status="active"), PlanStep(id="2", intent="b")]))
    changed, told = table.send("plan", **parse_words("plan", ["start", "2"]))
    assert [(step.id, step.status) for step in changed.body.steps] == [("1", "todo"), ("2", "active")]
    assert "step 2 is active" in told.body.text
    changed, _ = table.send("plan", **parse_words("plan", ["add", "Write", "it", "up"]))
    assert changed.body.steps[-1].intent == "Write it up"
    table.send("plan", op="set", id="1", text="only the parser")
    table.send("plan", op="drop", id="2")
    assert [(step.intent, step.status) for step in table.facts.plan.at().steps][:2] == [
        ("only the parser", "todo"),
        ("b", "dropped"),
    ]
    with pytest.raises(Refused, match="The plan has no step '9'"):
        table.send("plan", op="done", id="9")
    with pytest.raises(Refused, match="start ID, done ID, drop ID"):
        parse_words("plan", ["explode"])
