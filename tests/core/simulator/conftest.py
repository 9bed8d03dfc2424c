"""A simulated server that answers at once on the virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.clock import VirtualClock
from core.simulator import SimulatedServer
from core.simulator.policies import Policy


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def serve(clock: VirtualClock) -> Callable[..., SimulatedServer]:
    """Makes a server that answers at once on the virtual clock."""

    def make(policy: Policy, **options: Any) -> SimulatedServer:
        return SimulatedServer(policy, **{"clock": clock, "speed": 0.0} | options)

    return make
