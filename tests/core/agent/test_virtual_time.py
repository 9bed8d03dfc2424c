"""Hours of a session in a moment: the runner and the simulator share a virtual clock; and machines that slept."""

import asyncio

import core.clock
from core.agent.host import host
from core.agent.hosting import Hosting
from core.clock import MICROSECONDS, SystemClock, VirtualClock
from core.config import Config
from core.journal.reader import Reader
from core.models.profiles import resolve_endpoint
from core.session import NewSession, create
from core.simulator.faults import Faults
from core.simulator.policies.script import ScriptPolicy
from core.simulator.server import SimulatedServer


async def test_an_outage_of_hours_is_waited_out_and_its_time_is_in_the_journal(tmp_path):
    clock = VirtualClock()
    began_us = clock.now_us()
    (tmp_path / "work").mkdir()
    policy = ScriptPolicy([{"text": "Look.", "tool_uses": [{"name": "list_files", "input": {}}]}])
    faults = Faults(["2:529x30"])
    async with SimulatedServer(policy, clock=clock, speed=1.0, faults=faults) as server:
        endpoint = resolve_endpoint(Config(), "sim", server.base_url)
        folder = await create(tmp_path / "home", NewSession("Look.", tmp_path / "work", endpoint), clock)
        assert await host(Hosting(folder, Config(), clock=clock)) == 0
    hours = (clock.now_us() - began_us) / MICROSECONDS / 3600
    assert 1 < hours < 6
    with Reader(folder) as reader:
        events = reader.events()
    assert sum(event.kind == "retry.waiting" for event in events) == 30
    assert events[-1].at_us - events[0].at_us > 3600 * MICROSECONDS


async def test_a_night_asleep_breaks_all_connections_and_ends_no_session(tmp_path):
    clock = VirtualClock()
    (tmp_path / "work").mkdir()
    look = {"text": "Look.", "tool_uses": [{"name": "list_files", "input": {}}]}
    slept = []

    def close_the_lid(events):
        if not slept and any(event.kind == "tool.finished" for event in events):
            clock.advance(9 * 3600)
            slept.append(events[-1].seq)

    async with SimulatedServer(
        ScriptPolicy([look, look]), clock=clock, speed=1.0, faults=Faults(["2:resetx2"])
    ) as server:
        endpoint = resolve_endpoint(Config(), "sim", server.base_url)
        folder = await create(tmp_path / "home", NewSession("Look.", tmp_path / "work", endpoint), clock)
        assert await host(Hosting(folder, Config(), clock=clock, on_events=close_the_lid)) == 0
    with Reader(folder) as reader:
        events = reader.events()
    assert slept
    assert sum(event.kind == "retry.waiting" for event in events) == 2
    assert events[-1].at_us - events[0].at_us > 9 * 3600 * MICROSECONDS
    assert [event.at_us for event in events] == sorted(event.at_us for event in events)


async def test_a_long_wait_is_over_when_the_machine_wakes_up_after_its_end(monkeypatch):
    """Its timers stood still meanwhile; only the wall clock went on."""
    clock, ahead = SystemClock(), 0
    real = core.clock.time.time_ns
    monkeypatch.setattr(core.clock.time, "time_ns", lambda: real() + ahead)
    monkeypatch.setattr(core.clock, "LONGEST_NAP_S", 0.01)
    waiting = asyncio.create_task(clock.sleep(5 * 3600))
    await asyncio.sleep(0)
    assert not waiting.done()
    ahead = 9 * 3600 * 1_000_000_000
    await asyncio.wait_for(waiting, 30)
