"""The prompt cache: how much was read from it, when it expires, and what became of every prefix that was lost."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from core.clock import MICROSECONDS
from core.events import (
    Event,
    HeadMoved,
    ModelConsulted,
    ModelFailed,
    ModelRequested,
    ModelResponded,
    Outlook,
    Price,
    Usage,
)
from core.folds.branches import FOREVER, Column, Span
from core.folds.costs import MILLION
from core.folds.fold import Handler, Series

RECENT = 20
"""Main requests that the second hit rate looks back on."""

LOOK_BACK = 20
"""Content blocks before a marker in which a provider looks for what it has cached."""

SLACK_TOKENS, SLACK_SHARE = 256, 0.03
"""A reply that read this much less than it might have is no miss: caches work in blocks, and estimates err."""

SHARING = frozenset({"main", "ping", "digest"})
"""The purposes of requests that go out with the session's own prefix."""

NOT_JUDGED = "unknown: the provider does not say how long its cache lives"
"""Stands where misses would: without a lifetime none can be told from a cache that was given up."""

COMPRESSED, UNEXPLAINED = "compressed", "unexplained"


class Miss(msgspec.Struct, frozen=True):
    """A prefix that had to be written anew: how many tokens, and what that cost more than reading them.

    `cause`: expired, prefix changed, model changed, system changed, tools changed, below minimum, look-back,
    unexplained; or compressed, which was planned and is no loss. `usd` is None where prices are unknown.
    """

    seq: int
    at_us: int
    cause: str
    detail: str
    tokens: int
    usd: Decimal | None

    @property
    def planned(self) -> bool:
        return self.cause == COMPRESSED


class Loss(msgspec.Struct, frozen=True):
    """All misses of one cause. `usd` leaves out `unpriced` ones."""

    count: int = 0
    tokens: int = 0
    usd: Decimal = Decimal(0)
    unpriced: int = 0

    def plus(self, miss: Miss) -> Loss:
        return Loss(
            self.count + 1, self.tokens + miss.tokens, self.usd + (miss.usd or 0), self.unpriced + (miss.usd is None)
        )


class Asked(msgspec.Struct, frozen=True):
    """A request, as far as its cache is concerned. `system`, `tools`: hashes; `mark`: its last cache marker."""

    at_us: int
    purpose: str
    model: str
    system: str
    tools: str
    mark: int | None
    kept_mark: bool
    outlook: Outlook | None


class CacheWatch(msgspec.Struct):
    """What it takes to name the cause of a miss: bounded, serialisable, and the same for every reader of the log.

    `answered` and `sent` are the last answered main request and its tokens, `refreshed_us` when the last request that
    kept the cache alive started (0: none since the model was switched), `moved` what happened to the history since,
    `blocks` how many it grew by, `missed` the miss that the last event brought to light.
    """

    asked: dict[str, Asked] = {}
    answered: Asked | None = None
    sent: int = 0
    refreshed_us: int = 0
    system: str = ""
    tools: str = ""
    moved: str = ""
    blocks: int = 0
    recent: list[tuple[int, int]] = []
    missed: Miss | None = None

    @property
    def recent_rate(self) -> float | None:
        """The share of tokens that the last main requests read from the cache; None before the first."""
        sent = sum(sent for _read, sent in self.recent)
        return sum(read for read, _sent in self.recent) / sent if sent else None

    @property
    def judging(self) -> bool:
        """Whether misses can be told: the cache of the last answered request has a known lifetime."""
        outlook = self.answered.outlook if self.answered else None
        return outlook is None or outlook.ttl_s is not None

    def observe(self, event: Event) -> Miss | None:
        """Take in an event; the miss that it brought to light."""
        self.missed = self._observe(event)
        return self.missed

    def _observe(self, event: Event) -> Miss | None:
        match event.body:
            case ModelRequested() as body if event.key:
                self._request(event.key, event.at_us, body)
            case ModelResponded() as body:
                return self._reply(event, body)
            case ModelConsulted() as body:
                asked = self.asked.pop(event.key or "", None)
                if asked and (asked.purpose == "ping" or (asked.purpose in SHARING and body.usage.cache_read)):
                    self.refreshed_us = max(self.refreshed_us, asked.at_us)
            case ModelFailed() as failed:
                asked = self.asked.pop(event.key or "", None)
                if asked and asked.purpose in SHARING and failed.usage and failed.usage.cache_read:
                    self.refreshed_us = max(self.refreshed_us, asked.at_us)
            case _:
                self._grow(event)
        return None

    def _grow(self, event: Event) -> None:
        if event.kind == "model.switched":
            self.refreshed_us = 0
        elif event.kind in _MOVES:
            self.moved = event.body.reason if isinstance(event.body, HeadMoved) else _MOVES[event.kind]
        else:
            self.blocks += 1

    def _request(self, key: str, at_us: int, body: ModelRequested) -> None:
        self.system, self.tools = body.system or self.system, body.tools or self.tools
        before = self.answered.mark if self.answered else None
        self.asked[key] = Asked(
            at_us,
            body.purpose,
            body.model,
            self.system,
            self.tools,
            max(body.marks, default=None),
            before in body.marks,
            body.outlook,
        )

    def _reply(self, event: Event, body: ModelResponded) -> Miss | None:
        asked = self.asked.pop(event.key or "", None)
        if asked is None:
            return None
        miss = self._judged(event, asked, body)
        self.answered, self.sent, self.moved, self.blocks = asked, body.usage.sent, "", len(body.content)
        self.refreshed_us = asked.at_us
        self.recent = [*self.recent, (body.usage.cache_read, body.usage.sent)][-RECENT:]
        return miss

    def _judged(self, event: Event, asked: Asked, body: ModelResponded) -> Miss | None:
        if self.answered is None or asked.outlook is None or asked.outlook.ttl_s is None:
            return None
        cause, detail = self._cause(self.answered, asked, asked.outlook, asked.outlook.ttl_s)
        expected = min(self.sent, body.usage.sent)
        if cause == UNEXPLAINED:
            expected = min(expected, asked.outlook.readable)
        lost = expected - body.usage.cache_read
        if lost <= SLACK_TOKENS + SLACK_SHARE * expected:
            return None
        return Miss(event.seq, event.at_us, cause, detail, lost, premium_usd(lost, body.usage, body.price))

    def _cause(self, before: Asked, asked: Asked, outlook: Outlook, ttl_s: int) -> tuple[str, str]:
        """Why a prefix would be lost; what is certain comes first."""
        waited_s = (asked.at_us - self.refreshed_us) // MICROSECONDS
        place = f"at block {outlook.changed_at}" if outlook.changed_at is not None else ""
        if self.refreshed_us and waited_s >= ttl_s:
            return "expired", f"{waited_s:,} s after the last refresh, it lives {ttl_s:,} s"
        if asked.model != before.model or not self.refreshed_us:
            return "model changed", f"{before.model} → {asked.model}"
        for name in ("system", "tools"):
            if getattr(asked, name) != getattr(before, name):
                return f"{name} changed", ""
        if self.moved == COMPRESSED:
            return COMPRESSED, place
        if self.moved or place:
            return "prefix changed", ", ".join(part for part in (place, _AFTER.get(self.moved, self.moved)) if part)
        if self.sent < outlook.minimum:
            return "below minimum", f"{self.sent:,} tokens, {outlook.minimum:,} are the least"
        if self.blocks > LOOK_BACK and not asked.kept_mark:
            return "look-back", f"{self.blocks} blocks since the last marker"
        return UNEXPLAINED, ""


_MOVES = {"context.compressed": COMPRESSED, "context.restored": "restored", "head.moved": "rewind"}
_AFTER = {
    "restored": "after undoing a compression",
    "rewind": "after a rewind",
    "undo": "after undoing a rewind",
    "switch": "after a switch of branches",
    "revert": "after files were reverted",
}

WATCHED = (
    *("model.requested", "model.responded", "model.consulted", "model.failed", "model.switched"),
    *("tool.finished", "guidance.delivered", *_MOVES),
)
"""The kinds of events that a `CacheWatch` reads."""


def premium_usd(tokens: int, usage: Usage, price: Price) -> Decimal | None:
    """What `tokens` cost more than reading them from the cache, at the prices of this reply; None: unknown."""
    row = price.row
    counts = {"input": usage.fresh, "cache_write": usage.cache_write_5m, "cache_write_1h": usage.cache_write_1h}
    paid = {name: count for name, count in counts.items() if count}
    if not paid or "cache_read" not in row or not row.keys() >= paid.keys():
        return None
    rate = sum((count * Decimal(row[name]) for name, count in paid.items()), Decimal(0)) / sum(paid.values())
    return (tokens * max(Decimal(0), rate - Decimal(row["cache_read"])) / MILLION).quantize(Decimal("1e-9"))


class Lifetime(msgspec.Struct, frozen=True):
    """How long the cached prefix lives: from the start of the last request that refreshed it."""

    refreshed_us: int = 0
    ttl_s: int | None = None

    def left_s(self, now_us: int) -> int | None:
        """Whole seconds until it expires, 0 when it has; None where no cache is known."""
        if self.ttl_s is None or not self.refreshed_us:
            return None
        return max(0, self.ttl_s - (now_us - self.refreshed_us) // MICROSECONDS)


class CacheLedger:
    """Hit rates, lifetime and misses as of any event.

    `watch` is one that somebody else keeps, and that has seen each event before it comes here; None: one of its own.
    """

    def __init__(self, watch: CacheWatch | None = None) -> None:
        self.recent_rate: Series[float | None] = Series(None)
        self.lifetime: Series[Lifetime] = Series(Lifetime())
        self.losses: Series[Mapping[str, Loss]] = Series({})
        self._misses: Column[Miss] = Column()
        self._watch, self._shared = watch or CacheWatch(), watch is not None
        self._ttl_s: int | None = None

    def handlers(self) -> dict[str, Handler]:
        return dict.fromkeys(WATCHED, self._observe)

    def misses(self, at: int | None = None) -> list[Miss]:
        """Every miss as of event `at`, oldest first."""
        return self._misses.within([Span(0, FOREVER if at is None else at)])

    def last_miss(self, at: int | None = None) -> Miss | None:
        """The latest miss as of event `at`."""
        return self._misses.last([Span(0, FOREVER if at is None else at)])

    def _observe(self, event: Event) -> None:
        body, watch = event.body, self._watch
        miss = watch.missed if self._shared else watch.observe(event)
        refreshed_us = watch.refreshed_us
        if isinstance(body, ModelRequested) and body.purpose in ("main", "ping"):
            refreshed_us = event.at_us
            self._ttl_s = body.outlook.ttl_s if body.outlook else self._ttl_s
        lifetime = Lifetime(refreshed_us, self._ttl_s)
        if event.kind.startswith("model.") and lifetime != self.lifetime.last:
            self.lifetime.append(event.seq, lifetime)
        if isinstance(body, ModelResponded):
            self.recent_rate.append(event.seq, watch.recent_rate)
        if miss is not None:
            self._misses.append(event.seq, miss)
            lost = self.losses.last
            self.losses.append(event.seq, {**lost, miss.cause: lost.get(miss.cause, Loss()).plus(miss)})
