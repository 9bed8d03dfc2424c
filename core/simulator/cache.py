"""Prompt caching as the vendors bill it: what of a prompt is read from the cache, written to it, or fresh."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.clock import MICROSECONDS, Clock
from core.simulator.errors import invalid
from core.simulator.prompt import TTL_SECONDS, Block

_LONG_TTL_S = TTL_SECONDS["1h"]
_PURGE_ABOVE = 1_000


@dataclass(frozen=True, slots=True)
class CacheRules:
    """`minimum` tokens before anything is cached, `look_back` in blocks, lifetimes in seconds of the clock."""

    enabled: bool = True
    minimum: int = 1_024
    max_markers: int = 4
    look_back: int = 20


@dataclass(frozen=True, slots=True)
class Billed:
    """Tokens of one prompt, each counted once."""

    fresh: int
    cache_read: int = 0
    write_5m: int = 0
    write_1h: int = 0

    @property
    def total(self) -> int:
        return self.fresh + self.cache_read + self.write_5m + self.write_1h

    def counts(self) -> dict[str, Any]:
        """The prompt's part of the `usage` object of the wire."""
        return {
            "input_tokens": self.fresh,
            "cache_creation_input_tokens": self.write_5m + self.write_1h,
            "cache_read_input_tokens": self.cache_read,
            "cache_creation": {
                "ephemeral_5m_input_tokens": self.write_5m,
                "ephemeral_1h_input_tokens": self.write_1h,
            },
        }


@dataclass(slots=True)
class _Entry:
    expires_us: int
    ttl_s: int


class _Mark(NamedTuple):
    """A marker's place: hash of everything up to here, tokens up to here, lifetime asked for here."""

    prefix: int
    tokens: int
    ttl_s: int


class PromptCache:
    """Entries exist only where a marker was; a marker finds entries at most `look_back` blocks before it."""

    def __init__(self, rules: CacheRules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._entries: dict[int, _Entry] = {}

    def evict(self) -> None:
        """Forget every entry, as a vendor may inside a lifetime."""
        self._entries.clear()

    def entries(self) -> list[tuple[int, int, int]]:
        """Everything that is kept, as (prefix, expires in microseconds, lifetime in seconds).

        A prefix is the same in another process only where both have the same PYTHONHASHSEED.
        """
        return [(prefix, entry.expires_us, entry.ttl_s) for prefix, entry in self._entries.items()]

    def restore(self, entries: Iterable[tuple[int, int, int]]) -> None:
        """Keep what another cache kept."""
        self._entries |= {prefix: _Entry(expires_us, ttl_s) for prefix, expires_us, ttl_s in entries}

    def bill(self, scope: Any, blocks: Iterable[Block], keep: bool = True) -> Billed:
        """Split a prompt's tokens. `scope` (hashable) is what must be equal for a hit besides the blocks: the model.

        `keep=False` only looks. Raises ApiError (400) for too many markers or a 1h marker after a 5m one.
        """
        prefixes, sums, places = _running(scope, blocks)
        marks = [_Mark(prefixes[index], sums[index], ttl_s) for index, ttl_s in places]
        self._check(marks)
        total = sums[-1] if sums else 0
        if not self._rules.enabled:
            return Billed(total)
        now_us = self._clock.now_us()
        read = self._longest_hit(prefixes, sums, [index for index, _ in places], now_us)
        eligible = [mark for mark in marks if mark.tokens >= self._rules.minimum]
        if keep:
            self._store(eligible, now_us)
        return _split(total, read, eligible)

    def _check(self, marks: list[_Mark]) -> None:
        limit = self._rules.max_markers
        if len(marks) > limit:
            raise invalid(f"A maximum of {limit} blocks with cache_control may be provided. Found {len(marks)}.")
        lifetimes = [mark.ttl_s for mark in marks]
        if lifetimes != sorted(lifetimes, reverse=True):
            raise invalid("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")

    def _longest_hit(self, prefixes: list[int], sums: list[int], marks: list[int], now_us: int) -> int:
        for mark in reversed(marks):
            for index in range(mark, max(-1, mark - self._rules.look_back), -1):
                entry = self._entries.get(prefixes[index])
                if entry and entry.expires_us > now_us:
                    entry.expires_us = now_us + entry.ttl_s * MICROSECONDS
                    return sums[index]
        return 0

    def _store(self, marks: list[_Mark], now_us: int) -> None:
        for mark in marks:
            self._entries[mark.prefix] = _Entry(now_us + mark.ttl_s * MICROSECONDS, mark.ttl_s)
        if len(self._entries) > _PURGE_ABOVE:
            self._entries = {prefix: entry for prefix, entry in self._entries.items() if entry.expires_us > now_us}


def _running(scope: Any, blocks: Iterable[Block]) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """Hash and tokens up to each block, and (place, lifetime) of each marker."""
    prefix, tokens = hash(scope), 0
    prefixes: list[int] = []
    sums: list[int] = []
    marks: list[tuple[int, int]] = []
    for index, block in enumerate(blocks):
        prefix = hash((prefix, block.digest))
        tokens += block.tokens
        prefixes.append(prefix)
        sums.append(tokens)
        if block.ttl_s is not None:
            marks.append((index, block.ttl_s))
    return prefixes, sums, marks


def _split(total: int, read: int, marks: list[_Mark]) -> Billed:
    written = {True: 0, False: 0}
    reached = read
    for mark in marks:
        if mark.tokens > reached:
            written[mark.ttl_s == _LONG_TTL_S] += mark.tokens - reached
            reached = mark.tokens
    return Billed(total - reached, read, written[False], written[True])
