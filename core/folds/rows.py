"""Items as rows of small whole numbers, the older ones packed: for folds that keep one for each call of a session."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar, overload

from core.folds.numbers import Numbers

T = TypeVar("T")


class Items(Protocol[T]):
    """What a column keeps its items in: a list, an array of numbers, or rows."""

    def append(self, item: T, /) -> None: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[T]: ...
    @overload
    def __getitem__(self, index: int, /) -> T: ...
    @overload
    def __getitem__(self, index: slice, /) -> Sequence[T]: ...


class Rows(Generic[T]):
    """Items that come to a few numbers each, made anew when they are asked for.

    `pack` gives the numbers of an item, so many as there are `columns`; `unpack` takes them and gives the item.
    """

    def __init__(self, columns: int, pack: Callable[[T], Sequence[int]], unpack: Callable[..., T]) -> None:
        self._columns = [Numbers() for _ in range(columns)]
        self._pack = pack
        self._unpack = unpack

    def append(self, item: T, /) -> None:
        for numbers, number in zip(self._columns, self._pack(item), strict=True):
            numbers.append(number)

    def __len__(self) -> int:
        return len(self._columns[0])

    def __iter__(self) -> Iterator[T]:
        return map(self._unpack, *self._columns)

    @overload
    def __getitem__(self, index: int, /) -> T: ...
    @overload
    def __getitem__(self, index: slice, /) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice, /) -> T | Sequence[T]:
        if isinstance(index, slice):
            return [self._unpack(*row) for row in zip(*(numbers[index] for numbers in self._columns), strict=True)]
        return self._unpack(*(numbers[index] for numbers in self._columns))


W = TypeVar("W", bound=Hashable)


class Words(Generic[W]):
    """Words, or whatever else recurs, each kept once and known by its number."""

    def __init__(self) -> None:
        self._words: list[W] = []
        self._numbers: dict[W, int] = {}

    def number(self, word: W) -> int:
        """The number of a word; a new one for a new word."""
        if (found := self._numbers.get(word)) is None:
            found = self._numbers[word] = len(self._words)
            self._words.append(word)
        return found

    def word(self, number: int) -> W:
        return self._words[number]
