"""Whole numbers in the order in which they came, the older ones packed.

A runner keeps a few numbers of every call for as long as it lives, and seldom looks at the old ones: only going back
asks for them. What follows each other differs by little, so that packed they take a byte or two.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import overload

BLOCK = 512
"""Numbers that are packed together."""
_FASTEST = 1


class Numbers(Sequence[int]):
    """Append-only. A look at an old one unpacks its block, and the block that was looked at last stays unpacked."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._firsts = array("q")
        """The first number of each packed block."""
        self._tail = array("q")
        self._open: tuple[int, array[int]] = (-1, array("q"))

    def append(self, number: int, /) -> None:
        if len(self._tail) == BLOCK:
            steps = array("q", (self._tail[0], *(later - earlier for earlier, later in pairwise(self._tail))))
            self._firsts.append(self._tail[0])
            self._packed.append(zlib.compress(steps.tobytes(), _FASTEST))
            self._tail = array("q")
        self._tail.append(number)

    def __len__(self) -> int:
        return len(self._packed) * BLOCK + len(self._tail)

    def __iter__(self) -> Iterator[int]:
        for block in range(len(self._packed) + 1):
            yield from self._block(block)

    @overload
    def __getitem__(self, index: int, /) -> int: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[int]: ...
    def __getitem__(self, index: int | slice, /) -> int | list[int]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(index)
        return self._block(place // BLOCK)[place % BLOCK]

    def left(self, number: int) -> int:
        """Where the first one stands that is not below `number`, in numbers that never fall."""
        block = max(0, bisect_left(self._heads(), number) - 1)
        return block * BLOCK + bisect_left(self._block(block), number)

    def right(self, number: int) -> int:
        """Where the first one stands that is above `number`, in numbers that never fall."""
        block = max(0, bisect_right(self._heads(), number) - 1)
        return block * BLOCK + bisect_right(self._block(block), number)

    def _heads(self) -> array[int]:
        return self._firsts + self._tail[:1]

    def _block(self, number: int) -> array[int]:
        if number == len(self._packed):
            return self._tail
        if self._open[0] != number:
            steps = array("q")
            steps.frombytes(zlib.decompress(self._packed[number]))
            self._open = number, array("q", accumulate(steps))
        return self._open[1]


def left(numbers: array[int] | Numbers, number: int) -> int:
    """`Numbers.left`, of an array too."""
    return numbers.left(number) if isinstance(numbers, Numbers) else bisect_left(numbers, number)


def right(numbers: array[int] | Numbers, number: int) -> int:
    """`Numbers.right`, of an array too."""
    return numbers.right(number) if isinstance(numbers, Numbers) else bisect_right(numbers, number)
