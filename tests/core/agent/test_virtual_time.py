"""Hours of a session in a moment: the runner and the simulator share a virtual clock."""

from core.agent.host import Hosting, host
from core.clock import MICROSECONDS, VirtualClock
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
