from logbook import Logbook

from core.events import CheckpointMade, HeadMoved, ToolFinished
from core.folds.file_states import FileStates, Handwork
from core.folds.fold import Dispatcher


def states(*bodies):
    """The fold after these events, and their seqs."""
    log, fold = Logbook(), FileStates()
    dispatch = Dispatcher([fold])
    events = [log.add(body, f"k{number}") for number, body in enumerate(bodies)]
    for event in events:
        dispatch.apply(event)
    return fold, [event.seq for event in events]


def before(tree):
    return CheckpointMade(tree=tree, backend="git")


def after(tree):
    return ToolFinished(name="run_command", use_id="u", ok=True, content="", tree=tree)


READING = ToolFinished(name="read_file", use_id="u", ok=True, content="")


def test_a_gap_is_where_the_next_call_found_other_files_than_the_last_one_left():
    fold, seqs = states(before("0"), after("1"), READING, before("1"), after("2"), before("3"), after("4"))
    assert fold.since(0) == Handwork((("2", "3"),), "4")
    assert fold.since(seqs[5]) == Handwork((), "4")


def test_a_call_whose_end_was_not_looked_at_leaves_nothing_to_tell():
    fold, _ = states(before("0"), after(None), before("2"))
    assert fold.since(0) == Handwork((), None)


def test_a_rewind_finds_and_leaves_files_like_a_call():
    moved = HeadMoved(to=1, origin=2, reason="rewind", tree_before="2", tree_after="0")
    fold, _ = states(before("0"), after("1"), moved, before("0"))
    assert fold.since(0) == Handwork((("1", "2"),), None)


def test_a_rewind_of_the_conversation_alone_changes_no_file():
    fold, _ = states(before("0"), after("1"), HeadMoved(to=1, origin=2, reason="rewind"))
    assert fold.since(0).left == "1"
