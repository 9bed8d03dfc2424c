"""Every fold read as of an event equals a fresh fold of the events up to it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from logbook import Logbook, sessions

from core.events import GuidanceDelivered, HeadMoved
from core.folds.view import SessionView


def folded(events):
    view = SessionView()
    view.apply_all(events)
    return view


def picture(view, at=None):
    """What the panes show of a view."""
    return {
        "items": view.items(at),
        "calls": [(call.key, call.status(at)) for call in view.tool_calls.rows[: view.tool_calls.count(at)]],
        "memory": [entry.id for entry in view.memories.known(at)],
        "plan": view.plan.at(at),
        "cost": view.costs.total.at(at),
        "context": view.context.usage.at(at),
        "status": view.state.status.at(at),
        "checkpoints": view.checkpoints.on_branch(at),
    }


@settings(max_examples=60, deadline=None)
@given(sessions(), st.data())
def test_a_view_as_of_an_event_equals_a_fresh_fold_up_to_it(log, data):
    seq = data.draw(st.integers(1, len(log.events)))
    assert picture(folded(log.events), seq) == picture(folded(log.events[:seq]))


@settings(max_examples=60, deadline=None)
@given(sessions())
def test_the_branch_is_the_path_from_the_root_to_head(log):
    view = folded(log.events)
    parents = {event.seq: event.parent for event in log.events}
    nodes = {event.seq for event in log.events if event.parent is not None or event.seq == 1}
    path, seq = set(), log.head
    while seq is not None:
        path.add(seq)
        seq = parents[seq]
    assert {seq for seq in nodes if view.branches.visible(seq)} == path


def test_undoing_a_rewind_brings_back_the_branch_and_hides_the_notice():
    log = Logbook()
    log.turn(("read_file", {"path": "a"}), text="one")
    boundary = log.head
    log.turn(("read_file", {"path": "b"}), text="two")
    end = log.head
    before = [item.text for item in folded(log.events).items()]
    log.add(HeadMoved(to=boundary, origin=end, reason="rewind"))
    log.add(GuidanceDelivered(text="rewound", source="notice"))
    assert "two" not in [item.text for item in folded(log.events).items()]
    log.add(HeadMoved(to=end, origin=log.head, reason="undo"))
    after = [item.text for item in folded(log.events).items()]
    assert after[: len(before)] == before
    assert "rewound" not in after


def test_what_an_abandoned_branch_wrote_to_memory_is_hidden_and_what_it_cost_is_not():
    from core.events import MemoryWritten

    log = Logbook()
    log.turn(("read_file", {"path": "a"}))
    boundary = log.head
    log.add(MemoryWritten(text="wrong idea"), "m1")
    log.turn(("read_file", {"path": "b"}))
    log.add(HeadMoved(to=boundary, origin=log.head, reason="rewind"))
    view = folded(log.events)
    assert not view.memories.known()
    assert str(view.costs.total.last.usd) == "0.02"


def test_a_rewind_target_is_a_boundary_before_open_calls():
    from core.folds.checkpoints import boundary_at

    log = Logbook()
    log.turn(("read_file", {"path": "a"}))
    whole = log.head
    attempt = log.reply(("read_file", {"path": "b"}), ("edit_file", {"path": "c"}))
    log.start(attempt, 0, "read_file", {"path": "b"})
    half = log.finish(attempt, 0, "read_file").seq
    view = folded(log.events)
    assert boundary_at(view.state, view.branches, half) == whole


@settings(max_examples=60, deadline=None)
@given(sessions(), st.data())
def test_a_window_on_the_conversation_shows_the_branch_without_copying_it(log, data):
    view = folded(log.events)
    one, other = (data.draw(st.integers(1, len(log.events))) for _ in range(2))
    window, items = view.item_window(one), view.items(one)
    assert list(window) == items and window[:] == items
    assert [window.position(window.source(index)) for index in range(len(window))] == list(range(len(window)))
    others = view.items(other)
    common = next((i for i, (a, b) in enumerate(zip(items, others, strict=False)) if a is not b), None)
    assert window.common(view.item_window(other)) == (min(len(items), len(others)) if common is None else common)
