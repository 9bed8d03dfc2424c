"""The figures of a report: rows of a name and a value, and those of two sessions side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

Rows = Sequence[tuple[str, str]]
"""(name, value); a row without a name goes on with the one above it."""


def side_by_side(rows: Rows, others: Rows) -> list[tuple[str, str, str]]:
    """(name, value, the other's value): rows meet by their names, and what one of them does not have stays empty."""
    ours, theirs = _by_name(rows), _by_name(others)
    found = []
    for name in _in_order(list(ours), list(theirs)):
        pairs = zip_longest(ours.get(name, ()), theirs.get(name, ()), fillvalue="")
        found += [(name if index == 0 else "", value, other) for index, (value, other) in enumerate(pairs)]
    return found


def _by_name(rows: Rows) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    last = ""
    for name, value in rows:
        last = name or last
        found.setdefault(last, []).append(value)
    return found


def _in_order(names: list[str], others: list[str]) -> list[str]:
    """All names; one that only the others have comes after the one that it follows there."""
    merged, place = list(names), 0
    for name in others:
        if name in merged:
            place = merged.index(name) + 1
        else:
            merged.insert(place, name)
            place += 1
    return merged
