"""What must survive a compression is known and looked up; a model's paragraph is checked against the log."""

import pytest
from hypothesis import given, settings
from logbook import Logbook, sessions
from request_folds import ledger_of, run

from core.events import GuidanceDelivered, ItemPinned, MemoryWritten, PlanChanged, PlanStep
from core.request.digest import digest_text, held_texts
from core.request.fidelity import PARAGRAPH_CHARS, Fact, check_paragraph, facts, surviving

STEPS = [
    PlanStep(id="1", intent="Read the lexer.", status="done"),
    PlanStep(id="2", intent="Mend the parser.", status="active"),
    PlanStep(id="3a", intent="Write the notes.", status="todo"),
]


def session():
    log = Logbook("Mend the parser in core/parser.py.")
    log.add(GuidanceDelivered(text="Never touch vendor/.", standing=True), "g1", actor="user")
    log.add(GuidanceDelivered(text="No, not that file."), "g2", actor="user")
    log.add(GuidanceDelivered(text="Now the tests, please."), "g3", actor="user")
    log.add(GuidanceDelivered(text="You repeat yourself.", source="guard"))
    log.add(MemoryWritten(text="Keep Python 3.11.", category="constraint"), "m1")
    log.add(PlanChanged(steps=STEPS))
    run(log, "pytest -q", "exit 1\nE   assert 1 == 2", ok=False)
    log.add(ItemPinned(seq=run(log, "cat api.md", "The endpoint is /v2/items.").seq))
    return log


def test_every_kind_of_fact_is_known_by_name():
    assert {fact.name.partition(" #")[0]: fact.text for fact in facts(ledger_of(session()))} == {
        "the task": "Mend the parser in core/parser.py.",
        "standing guidance": "Never touch vendor/.",
        "correction": "No, not that file.",
        "the last request": "Now the tests, please.",
        "constraint m1": "Keep Python 3.11.",
        "step 2": "Mend the parser.",
        "step 3a": "Write the notes.",
        "open error out:r1.1.0": "pytest -q",
        "pinned": "The endpoint is /v2/items.",
    }


def test_a_fact_survives_with_other_white_space_and_is_lost_when_a_word_changes():
    wanted = [Fact("a", "Never touch\n  vendor/."), Fact("b", "Use 4 spaces.")]
    survived, lost = surviving(wanted, "never mind. Never touch vendor/. Use 2 spaces.")
    assert ([fact.name for fact in survived], [fact.name for fact in lost]) == (["a"], ["b"])


def test_of_a_long_fact_every_sentence_is_needed():
    sentences = [f"Rule number {number} says that module {number} stays as it is." for number in range(12)]
    fact = Fact("rules", " ".join(sentences))
    assert surviving([fact], "\n- ".join(reversed(sentences)))[0] == [fact]
    assert surviving([fact], "\n- ".join(sentences[1:]))[1] == [fact]


@settings(max_examples=60, deadline=None)
@given(sessions())
def test_held_texts_and_digest_together_keep_every_fact_of_any_session(log):
    ledger = ledger_of(log)
    head = [
        log.events[0].body.task,
        digest_text(ledger, None),
        *(held.text for held in held_texts(ledger, set(), None)),
    ]
    assert surviving(facts(ledger), "\n".join(head))[1] == []


GOOD = "Step 2 goes on in core/parser.py (see api.md); 3a comes next, and 3/4 of the input/output cases pass."


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD, None),
        ("In /w/core/parser.py I mend the parser. Then I Write the  notes.", None),
        (" \n ", "empty"),
        ("I'm sorry, but I can't help with that.", "refuses"),
        ("I cannot summarise this. 2 3a", "refuses"),
        (GOOD + " Also core/invented.py is done.", "'core/invented.py', which never occurred"),
        (GOOD + " Also helper_module.py is done.", "'helper_module.py', which never occurred"),
        ("Step 2 goes on in core/parser.py.", "open step '3a'"),
        ("Version 3.2 of step 3a.", "open step '2'"),
        (GOOD + "x" * PARAGRAPH_CHARS, "characters"),
    ],
)
def test_a_paragraph_is_dropped_for_a_reason_that_is_named(text, problem):
    found = check_paragraph(text, ledger_of(session()))
    assert found is None if problem is None else problem in found
