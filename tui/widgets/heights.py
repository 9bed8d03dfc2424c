"""Heights of the items of a virtual list as prefix sums: which item is on which line."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate


class Heights:
    """`ends[i]` is the line after item `i`; heights are at least one line."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._ends = list(accumulate(heights))

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def total(self) -> int:
        """Lines of all items."""
        return self._ends[-1] if self._ends else 0

    def top(self, item: int) -> int:
        """First line of `item`."""
        return self._ends[item - 1] if item else 0

    def height(self, item: int) -> int:
        return self._ends[item] - self.top(item)

    def locate(self, line: int) -> tuple[int, int]:
        """(item, line within it) at `line`, which must lie in `range(total)`."""
        item = bisect_right(self._ends, line)
        return item, line - self.top(item)

    def extend(self, heights: Iterable[int]) -> None:
        line = self.total
        self._ends.extend(line := line + height for height in heights)

    def truncate(self, length: int) -> None:
        """Keep the first `length` items."""
        del self._ends[length:]

    def set(self, item: int, height: int) -> int:
        """Change the height of one item; returns by how many lines it grew."""
        growth = height - self.height(item)
        if growth:
            self._ends[item:] = [end + growth for end in self._ends[item:]]
        return growth
