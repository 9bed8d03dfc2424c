"""The session at a glance."""

from hypothesis import given, settings
from hypothesis import strategies as st
from lives import Life
from logbook import sessions

from core.events import BookmarkAdded, CommandAccepted, ContextPolicy, GuidanceDelivered
from core.folds.lanes import LANES, cell_of, rounded
from core.folds.view import SessionView


def counts(cells):
    return {lane: sum(getattr(cell, lane) for cell in cells) for lane in LANES}


def test_each_kind_of_event_is_counted_in_its_lane():
    log = Life()
    log.run("ls")
    log.edit("a.py")
    log.run("pytest", ok=False)
    log.fail()
    log.checkpoint(1)
    log.compress()
    log.add(GuidanceDelivered(text="You repeat yourself.", source="guard"))
    log.add(ContextPolicy(policy="off", tokens=9_000))
    log.add(ContextPolicy(policy="auto"), actor="user")
    log.add(CommandAccepted(verb="pause"), "k", "user")
    log.add(BookmarkAdded(text="here"), "b", "user")
    wanted = {
        "calls": 3,
        "errors": 2,
        "edits": 1,
        "compressions": 1,
        "checkpoints": 1,
        "guards": 2,
        "humans": 1,
        "rewinds": 0,
        "bookmarks": 1,
    }
    assert counts(log.view.lanes.strip(5)) == wanted


def test_by_events_each_cell_has_as_many_and_by_time_a_pause_takes_its_cells():
    log = Life()
    log.run("ls")
    log.pause()
    log.go_on(after_s=36_000)
    log.run("pytest")
    view = log.view
    sizes = [cell.last - cell.first + 1 for cell in view.lanes.strip(5)]
    assert len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]
    by_time = view.lanes.strip(10, axis="time")
    assert [cell.calls for cell in by_time] == [1, *[0] * (len(by_time) - 2), 1] and len(by_time) >= 8
    assert all(cell.first > cell.last for cell in by_time[1:-1])
    assert cell_of(by_time, view.last_seq) == len(by_time) - 1


@settings(max_examples=50, deadline=None)
@given(sessions(), st.integers(1, 80), st.sampled_from(["events", "time"]), st.data())
def test_every_event_is_in_one_cell_and_cells_stay_while_the_log_grows(log, width, axis, data):
    view = SessionView()
    view.apply_all(log.events)
    cells = view.lanes.strip(width, axis=axis)
    assert 1 <= len(cells) <= width
    assert [seq for cell in cells for seq in range(cell.first, cell.last + 1)] == [event.seq for event in log.events]
    earlier = view.lanes.strip(width, data.draw(st.integers(1, view.last_seq)), axis=axis)
    if len(earlier) > 1 and len(cells) > 1 and earlier[0] == cells[0]:
        assert earlier[:-1] == cells[: len(earlier) - 1]


@given(st.integers(0, 10**9))
def test_a_round_number_is_not_less_and_at_most_a_third_more(least):
    assert least <= rounded(least) <= max(1, least * 4 / 3)


def test_a_click_goes_to_the_first_event_of_a_lane_in_the_cell():
    log = Life()
    log.run("ls")
    log.run("pytest", ok=False)
    log.run("pytest", ok=False)
    lanes = log.view.lanes
    (cell,) = lanes.strip(1)
    failed = [event.seq for event in log.events if event.kind == "tool.finished" and not event.body.ok]
    assert lanes.first("errors", cell) == failed[0]
    assert lanes.first("edits", cell) is None


def test_a_strip_without_width_is_empty_and_one_wider_than_the_session_has_a_cell_an_event():
    lanes = Life().view.lanes
    assert lanes.strip(0) == []
    assert [(cell.first, cell.last) for cell in lanes.strip(9)] == [(1, 1)]
