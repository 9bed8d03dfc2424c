"""The two clocks: journal time, which may be virtual, and the system's monotonic time for liveness.

No other module reads the time or sleeps; a test looks.
"""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from typing import Protocol

MICROSECONDS = 1_000_000


class Clock(Protocol):
    """Journal time: event stamps, waits, cache lifetimes, budgets and dated prices."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long in journal time."""
        ...


class SystemClock:
    """Journal time is the wall clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class VirtualClock:
    """Journal time that advances by being slept on, so that hours pass in milliseconds.

    Safe to share between threads: each sleeper moves the common time to its own deadline.
    """

    def __init__(self, start_us: int = 1_767_225_600 * MICROSECONDS) -> None:
        self._now_us = start_us
        self._lock = threading.Lock()

    def now_us(self) -> int:
        with self._lock:
            return self._now_us

    def advance(self, seconds: float) -> None:
        """Move the time forward without waiting."""
        with self._lock:
            self._now_us += int(seconds * MICROSECONDS)

    async def sleep(self, seconds: float) -> None:
        with self._lock:
            deadline = self._now_us + int(max(0.0, seconds) * MICROSECONDS)
        await asyncio.sleep(0)
        with self._lock:
            self._now_us = max(self._now_us, deadline)


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


def iso(at_us: int) -> str:
    """Journal time as ISO 8601 in UTC with microseconds, as events are printed."""
    return datetime.fromtimestamp(at_us / MICROSECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
