"""The two clocks: journal time, which may be virtual, and the system's monotonic time for liveness.

No other module reads the time or sleeps; a test looks.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple, Protocol

MICROSECONDS = 1_000_000
LONGEST_NAP_S = 5.0
"""Timers stand still while a machine sleeps, the wall clock goes on: so often a long wait looks at it."""


class Clock(Protocol):
    """Journal time: event stamps, waits, cache lifetimes, budgets and dated prices."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long in journal time."""
        ...

    async def alarm(self, seconds: float) -> None:
        """The same for a watcher beside the work: a virtual clock does not move for it, it only rings in passing."""
        ...

    def asleep_us(self) -> int:
        """Microseconds that the machine has slept, from whenever on: what it grows by was slept."""
        ...


_AWAKE: int | None = getattr(time, "CLOCK_UPTIME_RAW", getattr(time, "CLOCK_MONOTONIC", None))
_ALWAYS: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC_RAW", None))
"""Clocks that stand still, and go on, while the machine sleeps: those of macOS, and of Linux."""


class SystemClock:
    """Journal time is the wall clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    async def sleep(self, seconds: float) -> None:
        """Until then by the wall clock, also when the machine itself slept meanwhile; never longer than asked."""
        until_us, began = self.now_us() + int(seconds * MICROSECONDS), time.monotonic()
        while (left := self._left(until_us, seconds - (time.monotonic() - began))) > 0:  # noqa: ASYNC110 - time, no event
            await asyncio.sleep(min(left, LONGEST_NAP_S))

    def _left(self, until_us: int, at_most: float) -> float:
        return min((until_us - self.now_us()) / MICROSECONDS, at_most)

    async def alarm(self, seconds: float) -> None:
        await self.sleep(seconds)

    def asleep_us(self) -> int:
        """What the clock that goes on in sleep is ahead of the one that stands still; 0 where there are not both."""
        if _AWAKE is None or _ALWAYS is None:
            return 0
        return (time.clock_gettime_ns(_ALWAYS) - time.clock_gettime_ns(_AWAKE)) // 1000


class _Alarm(NamedTuple):
    """Somebody to wake at `at_us`; `number` keeps the order of equal times."""

    at_us: int
    number: int
    rung: asyncio.Event
    task: asyncio.Task[Any]
    loop: asyncio.AbstractEventLoop


class VirtualClock:
    """Journal time that advances by being slept on, so that hours pass in milliseconds.

    Safe to share between threads: each sleeper moves the common time to its own deadline. On the way it stops at every
    alarm and waits until whom it woke has set the next one, or is done.
    """

    def __init__(self, start_us: int = 1_767_225_600 * MICROSECONDS) -> None:
        self._now_us = start_us
        self._asleep_us = 0
        self._lock = threading.Lock()
        self._alarms: list[_Alarm] = []
        self._numbers = count()
        self._awake: set[asyncio.Task[Any]] = set()

    def now_us(self) -> int:
        with self._lock:
            return self._now_us

    def advance(self, seconds: float) -> None:
        """Move the time forward without waiting."""
        with self._lock:
            self._now_us += int(seconds * MICROSECONDS)

    def suspend(self, seconds: float) -> None:
        """The machine sleeps for so long."""
        self.advance(seconds)
        self._asleep_us += int(seconds * MICROSECONDS)

    def asleep_us(self) -> int:
        return self._asleep_us

    async def sleep(self, seconds: float) -> None:
        with self._lock:
            deadline = self._now_us + int(max(0.0, seconds) * MICROSECONDS)
        await asyncio.sleep(0)
        while alarm := self._next_alarm(deadline):
            alarm.loop.call_soon_threadsafe(alarm.rung.set)
            while alarm.task in self._awake and not alarm.task.done():  # noqa: ASYNC110 - it may end without a word
                await asyncio.sleep(0)
        with self._lock:
            self._now_us = max(self._now_us, deadline)

    async def alarm(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._awake.discard(task)
        rung = asyncio.Event()
        with self._lock:
            at_us = self._now_us + int(max(0.0, seconds) * MICROSECONDS)
            alarm = _Alarm(at_us, next(self._numbers), rung, task, asyncio.get_running_loop())
            heapq.heappush(self._alarms, alarm)
        await rung.wait()

    def _next_alarm(self, deadline: int) -> _Alarm | None:
        """The first alarm that rings by then, with the time moved to it."""
        with self._lock:
            while self._alarms and self._alarms[0].at_us <= deadline:
                alarm = heapq.heappop(self._alarms)
                if not alarm.task.done():
                    self._now_us = max(self._now_us, alarm.at_us)
                    self._awake.add(alarm.task)
                    return alarm
        return None


async def wait_for(clock: Clock, event: asyncio.Event, seconds: float) -> bool:
    """Wait in journal time until `event` is set, at most `seconds`; True when it was set."""
    if event.is_set():
        return True
    sleeper = asyncio.ensure_future(clock.sleep(seconds))
    waiter = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({sleeper, waiter}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeper.cancel()
        waiter.cancel()
        await asyncio.gather(sleeper, waiter, return_exceptions=True)
    return event.is_set()


def monotonic() -> float:
    """Seconds of the system's monotonic time; for liveness only (leases, tool time-outs, watchdogs)."""
    return time.monotonic()


async def pause_real(seconds: float) -> None:
    """Sleep in real time; for liveness only."""
    await asyncio.sleep(seconds)


def of_day(at_us: int) -> str:
    """Journal time as the clock on the wall of this machine shows it: `07:10`."""
    return datetime.fromtimestamp(at_us / MICROSECONDS).strftime("%H:%M")


def iso(at_us: int) -> str:
    """Journal time as ISO 8601 in UTC with microseconds, as events are printed."""
    return datetime.fromtimestamp(at_us / MICROSECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
