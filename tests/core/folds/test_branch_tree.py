"""Branches as people count them, against a plain walk over the parents of the nodes."""

from hypothesis import given
from logbook import Logbook, sessions

from core.events import BranchNamed, HeadMoved
from core.folds.branch_deeds import compared, deeds
from core.folds.branch_tree import branch_named, branches_of
from core.folds.view import SessionView


def viewed(log: Logbook) -> SessionView:
    view = SessionView()
    view.apply_all(log.events)
    return view


def found(view: SessionView, at: int | None = None):
    return branches_of(view.branches, view.state.head, view.last_seq, at)


def rewound() -> Logbook:
    log = Logbook()
    log.turn(("read_file", {"path": "a"}))
    fork = log.head
    log.turn(("edit_file", {"path": "b"}), ("edit_file", {"path": "c"}))
    log.add(HeadMoved(to=fork, origin=log.head, reason="rewind"))
    log.turn(("edit_file", {"path": "d"}), ok=False)
    return log


def test_a_rewind_begins_a_branch_and_its_undo_goes_on_with_the_first():
    log = rewound()
    first, second = found(viewed(log))
    assert (first.tip, second.fork, second.parent, second.left) == (log.events[first.left - 1].body.origin, 5, 1, 0)
    log.add(HeadMoved(to=first.tip, origin=log.head, reason="undo"))
    log.turn(("read_file", {"path": "e"}))
    again, left = found(viewed(log))
    assert again.left == 0 and len(again.own) == 2 and left.left > left.began
    assert [deeds(viewed(log), one.own).calls for one in (again, left)] == [4, 1]


def test_what_was_done_and_named_is_told_of_each_and_compared_from_where_they_part():
    log = rewound()
    log.add(BranchNamed(branch=2, name="careful"))
    view = viewed(log)
    one, other = found(view)
    assert branch_named([one, other], "careful") is other and branch_named([one, other], "#1") is one
    assert branch_named([one, other], "3") is None and branch_named([one, other], "") is None
    both = compared(view, one, other)
    assert both.fork == other.fork
    assert [(side.calls, side.failed, str(side.usd)) for side in both.deeds] == [(2, 0, "0.01"), (1, 1, "0.01")]
    assert found(view, log.events[-1].seq - 1)[1].name == ""


@given(sessions())
def test_every_event_is_on_one_branch_and_each_tip_is_reached_through_its_fork(log: Logbook):
    view = viewed(log)
    for at in {None, len(log.events) // 2 or 1}:
        rows = found(view, at)
        assert sorted(seq for row in rows for span in row.own for seq in range(span.first, span.last + 1)) == list(
            range(1, (at or len(log.events)) + 1)
        )
        for row in rows:
            path = view.branches.path_to(row.tip)
            assert row.fork == 0 or any(span.first <= row.fork <= span.last for span in path)
        assert [row.number for row in rows if not row.left] == [
            next(row.number for row in rows if row.own[-1].last == (at or len(log.events)))
        ]
