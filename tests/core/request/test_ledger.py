"""The ledger of facts: by branch, newest state only, names of abandoned branches forgotten."""

from hypothesis import given, settings
from logbook import Logbook, sessions
from request_folds import ledger_of, run

from core.events import (
    ContextCompressed,
    ContextRestored,
    GuidanceDelivered,
    HeadMoved,
    ItemEvicted,
    ItemPinned,
    ItemUnpinned,
    MemoryWritten,
    PlanChanged,
    PlanStep,
)
from core.folds.branches import Branches
from core.folds.fold import Dispatcher
from core.folds.plan import Plan


def test_a_command_is_an_open_error_until_it_runs_well_again():
    log = Logbook()
    run(log, "pytest -q", "exit 1\n2 failed", ok=False)
    run(log, "ruff check", "exit 1\nE501", ok=False)
    assert [deed.command for deed in ledger_of(log).open_errors()] == ["pytest -q", "ruff check"]
    run(log, "pytest -q")
    assert [deed.command for deed in ledger_of(log).open_errors()] == ["ruff check"]


def test_the_last_word_on_an_item_says_whether_it_is_pinned():
    log = Logbook()
    first, second, third = (run(log, f"make {n}").seq for n in range(3))
    for body in (ItemPinned(seq=first), ItemPinned(seq=second), ItemPinned(seq=third), ItemUnpinned(seq=second)):
        log.add(body)
    log.add(ItemEvicted(seq=third))
    assert ledger_of(log).pinned() == {first}


def test_a_pin_made_on_an_abandoned_branch_does_not_count():
    log = Logbook()
    seq = run(log, "make").seq
    log.add(ItemPinned(seq=seq))
    log.add(HeadMoved(to=1, origin=log.head, reason="rewind"))
    assert ledger_of(log).pinned() == set()


def test_names_of_an_abandoned_branch_are_forgotten_and_come_back_with_an_undo():
    log = Logbook("Mend core/parser.py.")
    run(log, "cat core/kept_file.py")
    fork = log.head
    run(log, "cat core/abandoned_file.py", "def abandoned_function")
    there = log.head
    ledger = ledger_of(log)
    assert "core/abandoned_file.py" in ledger.names()
    log.add(HeadMoved(to=fork, origin=there, reason="rewind"))
    run(log, "cat core/other_file.py")
    names = set(ledger_of(log).names())
    assert {"core/parser.py", "core/kept_file.py", "core/other_file.py"} <= names
    assert not {"core/abandoned_file.py", "abandoned_function"} & names
    log.add(HeadMoved(to=there, origin=log.head, reason="undo"))
    assert "abandoned_function" in ledger_of(log).names()


def test_only_the_newest_revision_of_an_entry_is_known():
    log = Logbook()
    log.add(MemoryWritten(text="The port is 4000.", category="constraint"), "m1")
    log.add(MemoryWritten(text="The port is 5000.", category="constraint", replaces="m1"), "m2")
    assert [entry.id for entry in ledger_of(log).held_memories()] == ["m2"]


def test_a_step_is_closed_once_and_again_only_after_it_was_reopened():
    log = Logbook()
    for status in ("active", "done", "done", "todo", "done"):
        log.add(PlanChanged(steps=[PlanStep(id="1", intent="Read it.", status=status)]))
    assert [seq for seq, _ in ledger_of(log).closed_steps()] == [3, 6]


def test_what_a_new_plan_has_in_common_with_the_one_before_is_kept_once():
    log = Logbook()
    for status in ("todo", "active", "active"):
        first = PlanStep(id="1", intent="Read it.", status=status)
        log.add(PlanChanged(steps=[first, PlanStep(id="2", intent="Mend it.")], reason=status))
    plans = Plan(branches := Branches())
    feed = Dispatcher([branches, plans])
    for event in log.events:
        feed.apply(event)
    told = [plan for _, plan in plans.changes()]
    assert told == [event.body for event in log.events if event.kind == "plan.changed"]
    assert told[1].steps[1] is told[0].steps[1] and told[2] is told[1]


def test_an_undone_compression_counts_as_never_made():
    log = Logbook()
    body = ContextCompressed(
        policy="auto", reason="rent", digest="d", keep_from=None, tokens_before=2, tokens_after=1, ledger="one"
    )
    first = log.add(body).seq
    second = log.add(body).seq
    assert [one.seq for one in ledger_of(log).compressions()] == [first, second]
    log.add(ContextRestored(seq=first))
    assert ledger_of(log).compressions() == []


def test_items_are_found_by_their_event():
    log = Logbook()
    guidance = log.add(GuidanceDelivered(text="Slower."), "g1", actor="user").seq
    result = run(log, "make").seq
    ledger = ledger_of(log)
    assert ledger.item(guidance).text == "Slower."
    assert ledger.item(result).deed.command == "make"
    assert ledger.item(result - 1) is None


@settings(max_examples=60, deadline=None)
@given(sessions())
def test_names_grown_event_by_event_are_those_of_a_fresh_fold(log):
    from core.folds.branches import Branches
    from core.folds.fold import Dispatcher
    from core.folds.memories import Memories
    from core.folds.plan import Plan
    from core.request.archive import Remembered
    from core.request.ledger import Ledger

    branches = Branches()
    memories, plan = Memories(branches), Plan(branches)
    remembered = Remembered()
    grown = Ledger(branches, memories, plan, remembered.read)
    feed = Dispatcher([remembered, branches, memories, plan, grown])
    for event in log.events:
        feed.apply(event)
        grown.names()
    assert grown.names().best(500) == ledger_of(log).names().best(500)
