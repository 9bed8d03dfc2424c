"""Where something stands in the conversation: counted, numbered and gone to by bisection, on any branch at any event.

A place is an index into the column of all entries; what a branch shows are ranges of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from core.folds.conversation import Item
from core.folds.rows import Items


class Hit(NamedTuple):
    """The `number`th of `total`, counted from the start, is at `place`."""

    place: int
    number: int
    total: int


class Matches:
    """The entries that hold some words, whatever their case; each entry is read once."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.places: list[int] = []
        self._wanted = words.casefold()
        self._read = 0

    def look(self, items: Items[Item]) -> None:
        """Read what was added since the last look."""
        for place in range(self._read, len(items)):
            if self._wanted in items[place].text.casefold():
                self.places.append(place)
        self._read = len(items)


def next_hit(places: Sequence[int], ranges: Sequence[range], here: int | None, step: int) -> Hit | None:
    """From `here` (None: before the start, or after the end) the next place forwards (1) or backwards (-1), round the
    end; None where `ranges` hold none."""
    parts = [(bisect_left(places, part.start), bisect_left(places, part.stop)) for part in ranges]
    total = sum(last - first for first, last in parts)
    if not total:
        return None
    bound = (0 if step > 0 else ranges[-1].stop) if here is None else here + (step > 0)
    before = sum(min(max(bisect_left(places, bound), first), last) - first for first, last in parts)
    number = (before if step > 0 else before - 1) % total
    left = number
    for first, last in parts:
        if left < last - first:
            return Hit(places[first + left], number + 1, total)
        left -= last - first
    return None
