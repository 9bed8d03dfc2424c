"""The hours of a rehearsal pass in its calls, on the virtual clock, whatever they do and however many run at once."""

import asyncio

import pytest

from core.clock import VirtualClock
from core.rehearsal.pace import Pace, paced, pauses
from core.tools.base import Rerun
from core.tools.registry import builtin_tools, schemas


class Noted:
    """A tool that says when it ran."""

    name, description, effect = "noted", "", "read"

    def __init__(self, clock):
        self.clock, self.ran = clock, []

    async def run(self, arguments, context):
        self.ran.append(self.clock.now_us())

    async def recover(self, arguments, intent, context):
        return Rerun()


async def test_calls_side_by_side_take_the_hours_of_calls_one_by_one():
    clock = VirtualClock()
    tool, began = Noted(clock), clock.now_us()
    slow = paced(tool, Pace(clock, 4, 2.0))
    await slow.run(None, None)
    await asyncio.gather(*(slow.run(None, None) for _ in range(3)))
    assert (clock.now_us() - began) / 1e6 == pytest.approx(7_200, abs=0.01)
    assert len(set(tool.ran)) == 4


async def test_after_a_kill_the_pauses_go_on_where_they_were():
    clock, hours = VirtualClock(), sum(pauses()) / 3_600
    began = clock.now_us()
    await Pace(clock, len(pauses()), hours, done=2).take()
    assert (clock.now_us() - began) / 1e6 == pytest.approx(pauses()[2], abs=0.01)


async def test_a_tool_that_takes_its_time_is_the_same_to_the_model_and_to_recovery():
    clock, own = VirtualClock(), builtin_tools()
    slow = {name: paced(tool, Pace(clock, 1, 1.0)) for name, tool in own.items()}
    assert schemas(slow) == schemas(own)
    assert all(isinstance(slow[name], type(own[name])) for name in own)
    began = clock.now_us()
    assert isinstance(await paced(Noted(clock), Pace(clock, 1, 1.0)).recover(None, {}, None), Rerun)
    assert clock.now_us() == began
