"""Vendors' usage fields brought into one form in which each token is counted once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.events import MOST_TOKENS, Usage


def merge_usage(earlier: Mapping[str, Any], later: object) -> dict[str, Any]:
    """The usage of a stream after one more report: counts are running totals, so the larger one stands."""
    merged = dict(earlier)
    for name, value in later.items() if isinstance(later, Mapping) else ():
        before = merged.get(name)
        if value is None or (_is_count(value) and _is_count(before) and before > value):
            continue
        merged[name] = value
    return merged


def usage_of(raw: Mapping[str, Any]) -> Usage | None:
    """Tokens of one reply; None when the server did not say (a prompt of no tokens at all is not an answer).

    A server-side compaction is billed but left out of the vendor's own totals, so its entries are added.
    """
    entries = raw.get("iterations")
    hidden = [entry for entry in entries if _is_compaction(entry)] if isinstance(entries, list) else []
    usages = [_counts(entry) for entry in (raw, *hidden)]
    total = Usage(
        fresh=_sum(usage.fresh for usage in usages),
        cache_read=_sum(usage.cache_read for usage in usages),
        cache_write_5m=_sum(usage.cache_write_5m for usage in usages),
        cache_write_1h=_sum(usage.cache_write_1h for usage in usages),
        output=_sum(usage.output for usage in usages),
    )
    return total if total.sent else None


def _is_compaction(entry: object) -> bool:
    return isinstance(entry, Mapping) and entry.get("type") == "compaction"


def _counts(raw: Mapping[str, Any]) -> Usage:
    """One entry: `input_tokens` leaves the cache out; what isn't known to be a one-hour write is a short one."""
    written = _count(raw.get("cache_creation_input_tokens"))
    split = raw.get("cache_creation")
    by_life = split if isinstance(split, Mapping) else {}
    one_hour = _count(by_life.get("ephemeral_1h_input_tokens"))
    short = _count(by_life.get("ephemeral_5m_input_tokens"))
    return Usage(
        fresh=_count(raw.get("input_tokens")),
        cache_read=_count(raw.get("cache_read_input_tokens")),
        cache_write_5m=max(short, written - one_hour),
        cache_write_1h=one_hour,
        output=_count(raw.get("output_tokens")),
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _count(value: object) -> int:
    """What it says; nothing where that can be no count, which a journal would not take for one either."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_TOKENS else 0


def _sum(counts: Iterable[int]) -> int:
    return min(MOST_TOKENS, sum(counts))
