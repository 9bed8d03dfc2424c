"""Heights of the items of a virtual list: which item is on which line, in blocks of which far ones are only guessed.

To measure every item of a very long session would cost seconds before the first line is drawn. So a block may count as
so many lines an item until somebody comes near; measuring it then moves what stands below, and nothing that is seen.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

BLOCK = 32
"""Items of a block; the last one may hold fewer."""


class Heights:
    """Heights are at least one line. A block that was not measured counts `guess` lines for each of its items."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self.guess = 1
        self._blocks: list[array[int] | None] = []
        """For each block the line after each of its items, from its own first line; None: not measured."""
        self._tops: list[int] = [0]
        """The first line of each block, and the line after the last one."""
        self._count = 0
        self.extend(heights)

    def __len__(self) -> int:
        return self._count

    @property
    def total(self) -> int:
        """Lines of all items."""
        return self._tops[-1]

    def top(self, item: int) -> int:
        """First line of `item`."""
        number, index = divmod(item, BLOCK)
        if not index:
            return self._tops[number]
        ends = self._blocks[number]
        return self._tops[number] + (index * self.guess if ends is None else ends[index - 1])

    def height(self, item: int) -> int:
        number, index = divmod(item, BLOCK)
        ends = self._blocks[number]
        if ends is None:
            return self.guess
        return ends[index] - ends[index - 1] if index else ends[0]

    def locate(self, line: int) -> tuple[int, int]:
        """(item, line within it) at `line`, which must lie in `range(total)`."""
        number = bisect_right(self._tops, line) - 1
        ends, line = self._blocks[number], line - self._tops[number]
        if ends is None:
            index, part = divmod(line, self.guess)
            return number * BLOCK + index, part
        index = bisect_right(ends, line)
        return number * BLOCK + index, line - (ends[index - 1] if index else 0)

    def extend(self, heights: Iterable[int]) -> None:
        """Measured items at the end; what they follow in their block must be measured too."""
        for height in heights:
            if not self._count % BLOCK:
                self._blocks.append(array("q"))
                self._tops.append(self._tops[-1])
            ends = self._blocks[-1]
            assert ends is not None
            ends.append((ends[-1] if ends else 0) + height)
            self._tops[-1] += height
            self._count += 1

    def suppose(self, blocks: int) -> None:
        """Whole blocks at the end that nobody has measured; the one before must be full."""
        for _ in range(blocks):
            self._blocks.append(None)
            self._tops.append(self._tops[-1] + BLOCK * self.guess)
        self._count += blocks * BLOCK

    def unmeasured(self, first: int, last: int) -> list[int]:
        """The numbers of the blocks, of those that hold the items `first` to `last`, that were not measured."""
        numbers = range(max(0, first) // BLOCK, min(last // BLOCK + 1, len(self._blocks)))
        return [number for number in numbers if self._blocks[number] is None]

    def measured(self, number: int, heights: Iterable[int]) -> None:
        """The heights of the items of a block that were not known."""
        ends = self._blocks[number] = array("q", accumulate(heights))
        self._shift(number, ends[-1] - len(ends) * self.guess)

    def truncate(self, length: int) -> None:
        """Keep the first `length` items, fewer where that cuts a block that nobody has measured."""
        if length >= self._count:
            return
        number, index = divmod(length, BLOCK)
        ends = self._blocks[number]
        del self._blocks[number:], self._tops[number + 1 :]
        self._count = number * BLOCK
        if index and ends is not None:
            self.extend(map(int.__sub__, ends[:index], [0, *ends[: index - 1]]))

    def set(self, item: int, height: int) -> int:
        """Change the height of a measured item; returns by how many lines it grew. Of a guessed one, nothing."""
        number, index = divmod(item, BLOCK)
        ends = self._blocks[number]
        if ends is None:
            return 0
        growth = height - self.height(item)
        if growth:
            ends[index:] = array("q", [end + growth for end in ends[index:]])
            self._shift(number, growth)
        return growth

    def _shift(self, number: int, lines: int) -> None:
        """What stands below a block moves."""
        if lines:
            self._tops[number + 1 :] = [top + lines for top in self._tops[number + 1 :]]
