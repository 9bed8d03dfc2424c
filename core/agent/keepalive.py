"""Keeping the cache warm while a session waits for a tool or for people: a ping before it expires, while that pays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from core.clock import MICROSECONDS, Clock
from core.economy.rule import PING_AFTER

LAST_PING_S = 5.0


class KeepAlive:
    """Watches the time while something else is waited for.

    `since` is when the cache was last used (microseconds), `ttl_s` how long it lives (None: not at all), `pays(n)`
    whether a ping after n others is worth it, `ping` sends one and says whether it was answered.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        since: Callable[[], int],
        ttl_s: Callable[[], float | None],
        pays: Callable[[int], bool],
        ping: Callable[[], Awaitable[bool]],
    ) -> None:
        self._clock = clock
        self._since = since
        self._ttl_s = ttl_s
        self._pays = pays
        self._ping = ping
        self.pinging = False
        """Whether a ping is under way right now."""
        self.waiting = False
        """Whether it sleeps until the next one."""

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """The cache is refreshed while the block runs; a ping that is under way at its end is still waited for."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            if self.pinging:
                await asyncio.wait({task}, timeout=LAST_PING_S)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _watch(self) -> None:
        pings = 0
        while (ttl_s := self._ttl_s()) is not None and self._since():
            due_us = self._since() + int(ttl_s * PING_AFTER * MICROSECONDS)
            self.waiting = True
            try:
                await self._clock.alarm((due_us - self._clock.now_us()) / MICROSECONDS)
            finally:
                self.waiting = False
            if self._expired(ttl_s) or not self._pays(pings):
                return
            if not await self._pinged():
                return
            pings += 1

    def _expired(self, ttl_s: float) -> bool:
        return self._clock.now_us() - self._since() >= ttl_s * MICROSECONDS

    async def _pinged(self) -> bool:
        self.pinging = True
        try:
            return await self._ping()
        finally:
            self.pinging = False
