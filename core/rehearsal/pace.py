"""How long there is between calls: pauses measured on the longest real sessions, played on a virtual clock.

They pass while a tool runs, as they do where nobody is at the screen: there a model answers within a minute, and what
takes ten is a test suite. So a session can do meanwhile what it does while a tool runs.
"""

from __future__ import annotations

import asyncio
import copy
from bisect import bisect_left
from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from core.clock import Clock
from core.tools.base import Tool

HOURS = 35
"""Of the reference session; a shorter rehearsal has its hours at the same share of its time."""


@cache
def pauses() -> tuple[float, ...]:
    """Seconds after each of 1,158 calls, 35 hours in all."""
    return tuple(map(float, Path(__file__).with_name("pauses.txt").read_text(encoding="ascii").split()))


class Hours:
    """The hours of a rehearsal of `calls` calls. `stood`: from which hour on it stands still, and for how many."""

    def __init__(self, calls: int, stood: Mapping[float, float] | None = None) -> None:
        self._stood = stood or {}
        worked = list(accumulate(_pause(place) for place in range(calls)))
        scale = (HOURS - sum(self._stood.values())) / worked[-1]
        self._after = [scale * seconds for seconds in worked]

    def call(self, hour: float) -> int:
        """How many calls have been made when an hour comes; while it stands still, as many as when that began."""
        gone = sum(min(long, max(0.0, hour - began)) for began, long in self._stood.items())
        return min(len(self._after), bisect_left(self._after, hour - gone) + 1)

    def works(self, hour: float) -> bool:
        """Whether it does not stand still then."""
        return not any(began <= hour < began + long for began, long in self._stood.items())


class Pace:
    """Lets each call take its pause, one after the other, scaled so that `calls` of them come to `hours`.

    `done`: calls of earlier processes, whose pauses are over. Calls that run side by side wait for each other, so that
    the time of a session does not hang on how many of them a reply makes at once.
    """

    def __init__(self, clock: Clock, calls: int, hours: float, done: int = 0) -> None:
        self._clock, self._next = clock, done
        self._scale = hours * 3_600 / sum(map(_pause, range(calls)))
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Wait for as long as the next call takes."""
        async with self._turn:
            seconds = self._scale * _pause(self._next)
            self._next += 1
            await self._clock.sleep(seconds)


def paced(tool: Tool, pace: Pace) -> Tool:
    """The same tool, which takes its time before it does what it does."""

    class Paced(type(tool)):  # type: ignore[misc]
        async def run(self, arguments: Any, context: Any) -> Any:
            await pace.take()
            return await super().run(arguments, context)

    slower = copy.copy(tool)
    slower.__class__ = Paced
    return slower


def _pause(place: int) -> float:
    """Of the call at this place; a session that is longer than the measured one begins with them anew."""
    return pauses()[place % len(pauses())]
