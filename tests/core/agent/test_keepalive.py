"""The cache is refreshed while a session waits, as often as it pays and no oftener."""

import asyncio

from core.agent.keepalive import KeepAlive
from core.clock import MICROSECONDS, VirtualClock


class Cache:
    """A cache of five minutes that notes when it was refreshed."""

    def __init__(self, most=11, answered=True):
        self.clock = VirtualClock()
        self.began_us = self.since = self.clock.now_us()
        self.most, self.answered = most, answered
        self.pings = []

    async def ping(self):
        self.since = self.clock.now_us()
        self.pings.append((self.since - self.began_us) / MICROSECONDS)
        await asyncio.sleep(0)
        return self.answered

    def keeper(self, ttl_s=300.0):
        return KeepAlive(
            self.clock,
            since=lambda: self.since,
            ttl_s=lambda: ttl_s,
            pays=lambda pings: pings < self.most,
            ping=self.ping,
        )

    async def wait(self, seconds, **options):
        async with self.keeper(**options).kept():
            await self.clock.sleep(seconds)


async def test_a_tool_of_four_minutes_needs_no_ping():
    cache = Cache()
    await cache.wait(240)
    assert cache.pings == []


async def test_a_tool_of_twenty_minutes_is_bridged_shortly_before_each_expiry():
    cache = Cache()
    await cache.wait(1200)
    assert cache.pings == [285, 570, 855, 1140]


async def test_when_pings_no_longer_pay_the_cache_is_let_go():
    cache = Cache(most=2)
    await cache.wait(36_000)
    assert cache.pings == [285, 570]


async def test_a_ping_that_is_not_answered_is_the_last():
    cache = Cache(answered=False)
    await cache.wait(3_600)
    assert cache.pings == [285]


async def test_without_a_cache_or_a_first_request_nothing_is_sent():
    cache = Cache()
    await cache.wait(3_600, ttl_s=None)
    cache.since = 0
    await cache.wait(3_600)
    assert cache.pings == []


async def test_what_was_waited_for_may_fail_and_the_watch_ends_with_it():
    cache = Cache()
    try:
        async with cache.keeper().kept():
            await cache.clock.sleep(300)
            raise RuntimeError("the tool broke")
    except RuntimeError:
        pass
    await cache.clock.sleep(3_600)
    assert cache.pings == [285]
