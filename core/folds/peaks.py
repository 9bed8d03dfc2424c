"""Numbers over time for a chart: the highest of any stretch, at a cost that hardly grows with their count."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import pairwise

from core.folds.fold import SEQ

BLOCK = 64


class Peaks:
    """A number at certain events, append-only; above each full block of them its highest is kept.

    In four bytes each: exact for whole numbers up to sixteen million.
    """

    def __init__(self) -> None:
        self._seqs = array(SEQ)
        self._values = array("f")
        self._blocks = array("f")

    def append(self, seq: int, value: float) -> None:
        """From event `seq` (later than the last one) on the number is this."""
        self._seqs.append(seq)
        self._values.append(value)
        if len(self._values) % BLOCK == 0:
            self._blocks.append(max(self._values[-BLOCK:]))

    def at(self, seq: int) -> float:
        """The number as of event `seq`; 0 where there was none yet."""
        count = self.count(seq)
        return self._values[count - 1] if count else 0.0

    def count(self, at: int | None = None) -> int:
        """How many numbers there are as of event `at` (None: now)."""
        return len(self._seqs) if at is None else bisect_right(self._seqs, at)

    def highest(self, first: int, last: int) -> float:
        """The highest of the numbers with indices `first` to `last` (left out); 0 where there are none."""
        start, end = -(-first // BLOCK), last // BLOCK
        if start >= end:
            return max(self._values[first:last], default=0.0)
        rest = (*self._values[first : start * BLOCK], *self._values[end * BLOCK : last])
        return max(max(self._blocks[start:end]), *rest, 0.0) if rest else max(self._blocks[start:end])

    def columns(self, count: int, at: int | None = None) -> list[float]:
        """The numbers as of event `at` in `count` stretches of equal length, each its highest; fewer are stretched."""
        there = self.count(at)
        if not there:
            return []
        edges = [column * there // count for column in range(count + 1)]
        return [self.highest(first, max(last, first + 1)) for first, last in pairwise(edges)]
