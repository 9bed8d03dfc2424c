"""What befalls a rehearsal comes at named events, once, and takes its time on the virtual clock."""

import resource
from collections import Counter

import pytest

from core.clock import VirtualClock, pause_real
from core.events import Event, ModelResponded, Price, SessionPaused, ToolFinished, Usage
from core.rehearsal.calendar import (
    FULL_S,
    NIGHT_S,
    OUTAGE_S,
    STILL_H,
    Around,
    Calendar,
    Due,
    FullDisk,
    Happening,
    Lull,
    Weather,
    due,
)
from core.rehearsal.pace import HOURS, Hours
from core.simulator import FaultKind


def event(body, kind):
    return Event(seq=1, parent=None, node=None, kind=kind, key=None, at_us=0, actor="system", body=body)


CALL = event(ToolFinished(name="read_file", ok=True, content="", fingerprint="", use_id="u"), "tool.finished")
USE = {"type": "tool_use", "id": "u", "name": "read_file", "input": {}}


def reply(calls=1):
    body = ModelResponded(
        message_id="m", model="m", content=[USE] * calls, stop_reason="tool_use", usage=Usage(), price=Price()
    )
    return event(body, "model.responded")


def a_world():
    clock, told = VirtualClock(), []
    return Around(
        clock, Weather(clock), {"KEY": "first"}, "KEY", told.append, lambda: told.append("disk"), lambda: None
    ), told


def test_the_reference_session_meets_all_that_its_story_tells():
    every = due(1_158)
    met = Counter(one.what for one in every)
    assert 20 <= met.pop(Happening.CUT) <= HOURS - 8
    assert set(met.values()) == {1} and set(met) == set(Happening) - {Happening.CUT}
    place = {one.what: one.calls for one in every if one.what is not Happening.CUT}
    hours = Hours(1_158, STILL_H)
    assert place[Happening.OUTAGE] == hours.call(9) == hours.call(10.9) < hours.call(11.5)
    assert place[Happening.EXPIRED] == hours.call(27) < hours.call(28)


def test_an_outage_lasts_its_hours_and_a_cut_stream_one_reply():
    around, _ = a_world()
    calendar = Calendar.of(around, 0, (Due(1, Happening.OUTAGE), Due(1, Happening.CUT)))
    calendar.observe([reply(), CALL])
    assert around.weather.take(1, "").kind is FaultKind.OVERLOADED
    around.clock.advance(OUTAGE_S - 1)
    assert around.weather.take(1, "").kind is FaultKind.OVERLOADED
    around.clock.advance(2)
    assert around.weather.take(2, "").kind is FaultKind.CUT
    assert around.weather.take(3, "") is None


def test_what_came_before_a_kill_does_not_come_again_after_it():
    around, told = a_world()
    calendar = Calendar.of(around, 7, (Due(5, Happening.FULL_DISK), Due(8, Happening.NIGHT)))
    before = around.clock.now_us()
    calendar.observe([reply(), CALL])
    assert not told
    assert around.clock.now_us() - before == NIGHT_S * 1_000_000


def test_a_key_that_expired_is_replaced_by_the_one_that_the_provider_expects():
    around, told = a_world()
    calendar = Calendar.of(around, 0, (Due(1, Happening.EXPIRED),))
    calendar.observe([reply(), CALL])
    assert told == ["first-next"] and around.environ["KEY"] == "first"
    calendar.observe([event(SessionPaused(reason="auth"), "session.paused")])
    assert around.environ["KEY"] == "first-next"


def test_a_terminal_is_lost_once():
    around, told = a_world()
    around.lose_terminal = lambda: told.append("terminal")
    calendar = Calendar.of(around, 0, (Due(1, Happening.TERMINAL),))
    calendar.observe([reply(), CALL])
    calendar.observe([reply(), CALL])
    assert told == ["terminal"]


def test_nothing_comes_from_outside_while_calls_of_a_reply_are_open():
    around, told = a_world()
    calendar = Calendar.of(around, 0, (Due(1, Happening.FULL_DISK),))
    calendar.observe([reply(3), CALL, CALL])
    assert not told
    calendar.observe([CALL])
    assert told == ["disk"]


async def test_a_full_disk_leaves_the_room_that_was_kept_until_it_is_written_down(tmp_path):
    reserve, other, clock = tmp_path / "reserve", tmp_path / "other", VirtualClock()
    reserve.write_bytes(b"kept")
    disk, before = FullDisk(clock, reserve), clock.now_us()
    disk.fill()

    async def refuses():
        with pytest.raises(OSError):
            other.write_bytes(b"grown")
            await pause_real(0.01)

    async def until(condition):
        while not condition():
            await pause_real(0.01)

    await until(lambda: resource.getrlimit(resource.RLIMIT_FSIZE)[0] == 0)
    await refuses()
    reserve.unlink()
    other.write_bytes(b"grown")
    disk.noted()
    await until(lambda: resource.getrlimit(resource.RLIMIT_FSIZE)[0] == 0)
    other.unlink()
    reserve.touch()
    reserve.unlink()  # as who tries in vain to take the room again
    await refuses()
    await until(lambda: clock.now_us() - before == FULL_S * 1_000_000)
    other.write_bytes(b"there is room again")


def test_the_end_of_the_process_waits_for_the_lull_after_what_is_due_with_it(monkeypatch):
    around, told = a_world()
    monkeypatch.setattr(Calendar, "_die", lambda self: told.append("dead"))
    calendar = Calendar.of(around, 0, (Due(1, Happening.KILLED), Due(1, Happening.TERMINAL), Due(2, Happening.CUT)))
    around.lose_terminal = lambda: told.append("terminal")
    calendar.observe([reply(), CALL])
    assert told == ["terminal"] and [one.calls for one in calendar.left] == [1, 2]
    calendar.left.pop()
    calendar.observe([reply(), CALL])
    assert told == ["terminal", "dead"] and calendar.left == []


def test_what_was_due_in_the_middle_of_a_reply_comes_after_a_kill_there():
    log = [reply(), CALL, reply(3), CALL, CALL]
    assert Lull.last(log) == 1
    around, _ = a_world()
    everything = (Due(1, Happening.OUTAGE), Due(2, Happening.NIGHT), Due(9, Happening.CUT))
    assert [one.calls for one in Calendar.of(around, 3, everything, Lull.last(log)).left] == [2, 9]
