"""The session at a glance."""

from lives import Life

from core.events import CommandAccepted, ContextPolicy, GuidanceDelivered
from core.folds.lanes import LANES, cell_of


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
    wanted = {"calls": 3, "errors": 2, "edits": 1, "compressions": 1, "checkpoints": 1, "guards": 2, "humans": 1}
    assert counts(log.view.lanes.strip(5)) == wanted


def test_by_events_each_cell_has_as_many_and_by_time_a_pause_takes_its_cells():
    log = Life()
    log.run("ls")
    log.pause()
    log.go_on(after_s=36_000)
    log.run("pytest")
    view = log.view
    by_events = view.lanes.strip(5)
    assert {cell.last - cell.first + 1 for cell in by_events} <= {2, 3}
    by_time = view.lanes.strip(10, axis="time")
    assert [cell.calls for cell in by_time] == [1, *[0] * 8, 1]
    assert all(cell.first > cell.last for cell in by_time[1:-1])
    assert cell_of(by_time, view.last_seq) == 9


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


def test_a_strip_without_width_is_empty_and_one_wider_than_the_session_has_empty_cells():
    lanes = Life().view.lanes
    assert lanes.strip(0) == []
    assert sum(cell.first <= cell.last for cell in lanes.strip(9)) == 1
