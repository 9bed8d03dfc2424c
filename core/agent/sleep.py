"""Whether the machine has slept: noticed before anything else is written, so that the log tells why it was still."""

from __future__ import annotations

from core.clock import MICROSECONDS, Clock
from core.events import Draft, MachineSlept

SHORTEST_US = 60 * MICROSECONDS
"""A nap that is worth no word."""


class Sleep:
    """What was slept since the last time that it was told."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_us = clock.asleep_us()

    def untold(self) -> list[Draft]:
        """What is to be written before anything else: nothing, while the machine is awake."""
        slept_us = self._clock.asleep_us() - self._told_us
        if slept_us < SHORTEST_US:
            return []
        return [Draft(MachineSlept(seconds=slept_us / MICROSECONDS), actor="system")]

    def told(self, written: list[Draft]) -> None:
        """That was written."""
        for draft in written:
            if isinstance(draft.body, MachineSlept):
                self._told_us += draft.body.us
