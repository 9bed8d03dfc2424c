"""What befalls a rehearsal comes at named events, once, and takes its time on the virtual clock."""

from collections import Counter

import pytest

from core.clock import VirtualClock
from core.events import Event, SessionPaused, ToolFinished
from core.rehearsal.calendar import NIGHT_S, OUTAGE_S, Around, Calendar, Due, Happening, Weather, due
from core.rehearsal.pace import Paced
from core.simulator import FaultKind
from core.simulator.policies import EchoPolicy


def event(body, kind):
    return Event(seq=1, parent=None, node=None, kind=kind, key=None, at_us=0, actor="system", body=body)


CALL = event(ToolFinished(name="read_file", ok=True, content="", fingerprint="", use_id="u"), "tool.finished")


def a_world():
    clock, told = VirtualClock(), []
    return Around(clock, Weather(clock), {"KEY": "first"}, "KEY", told.append, lambda: told.append("disk")), told


def test_the_reference_session_meets_all_that_its_story_tells():
    met = Counter(one.what for one in due(1_158))
    assert met.pop(Happening.CUT) == 35
    assert set(met.values()) == {1} and set(met) == set(Happening) - {Happening.CUT}
    assert next(one.calls for one in due(1_158) if one.what is Happening.OUTAGE) == round(9 * 1_158 / 35)


def test_an_outage_lasts_its_hours_and_a_cut_stream_one_reply():
    around, _ = a_world()
    calendar = Calendar.of(around, 0, (Due(1, Happening.OUTAGE), Due(1, Happening.CUT)))
    calendar.observe([CALL])
    assert around.weather.take(1, "").kind is FaultKind.OVERLOADED
    around.clock.advance(OUTAGE_S + 1)
    assert around.weather.take(2, "").kind is FaultKind.CUT
    assert around.weather.take(3, "") is None


def test_what_came_before_a_kill_does_not_come_again_after_it():
    around, told = a_world()
    calendar = Calendar.of(around, 7, (Due(5, Happening.FULL_DISK), Due(8, Happening.NIGHT)))
    before = around.clock.now_us()
    calendar.observe([CALL])
    assert not told
    assert around.clock.now_us() - before == NIGHT_S * 1_000_000


def test_a_key_that_expired_is_replaced_by_the_one_that_the_provider_expects():
    around, told = a_world()
    calendar = Calendar.of(around, 0, (Due(1, Happening.EXPIRED),))
    calendar.observe([CALL])
    assert told == ["first-next"] and around.environ["KEY"] == "first"
    calendar.observe([event(SessionPaused(reason="auth"), "session.paused")])
    assert around.environ["KEY"] == "first-next"


def test_a_terminal_is_lost_once():
    around, told = a_world()
    around.lose_terminal = lambda: told.append("terminal")
    calendar = Calendar.of(around, 0, (Due(1, Happening.TERMINAL),))
    calendar.observe([CALL])
    calendar.observe([CALL])
    assert told == ["terminal"]


def test_pauses_add_up_to_the_hours_and_a_request_that_is_sent_again_costs_none():
    played = Paced(EchoPolicy(), 4, 2.0)
    said = {"role": "assistant", "content": [{"type": "text", "text": "Progress: sweep · calls 1"}]}
    answers = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "u", "content": "x"}] * 3}
    first = {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "u", "content": "x"}]}]}
    delays = [played.reply(first).delay_s] + [played.reply({"messages": [said, answers]}).delay_s for _ in range(2)]
    assert sum(delays[:2]) == pytest.approx(7_200)
    assert delays[2] == 0
