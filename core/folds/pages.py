"""A list that only grows, of which the latest values are held and the rest lie packed in a store.

A session may have a million events, and each leaves something in a dozen folds. What was long ago is seldom looked at,
so it is put away page by page and read back when it is: memory and the state of a fold stay small at any length.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, Generic, Protocol, TypeVar, overload

from core.folds.packing import Columns, columns_of, values_of

PAGE: Final = 128
"""Values of a page."""

T = TypeVar("T")


class PageStore(Protocol):
    """Where pages lie."""

    def keep(self, values: list[Any]) -> int:
        """Put a page away; its place. Raises OSError."""
        ...

    def values(self, place: int) -> list[Any]:
        """The page at a place. Raises LostPages when it can't be read back."""
        ...


class LostPages(Exception):
    """What was put away can't be read back; the log has it all, so the session only needs to be opened again."""


class Pages(Sequence[T], Generic[T]):
    """Values in the order in which they came; the latest page at least is in memory."""

    __slots__ = ("_changed", "_places", "_store", "_tail")

    def __init__(self, values: Iterable[T] = ()) -> None:
        self._tail: list[T] = list(values)
        self._places = array("q")
        self._changed: dict[int, T] = {}
        """Values that became others after their page was put away."""
        self._store: PageStore | None = None

    def append(self, value: T) -> None:
        self._tail.append(value)

    def put_away(self, store: PageStore) -> None:
        """Leave the latest page, and what fills no other one, in memory. Raises OSError; nothing is lost then."""
        self._store = store
        while len(self._tail) >= 2 * PAGE:
            self._places.append(store.keep(self._tail[:PAGE]))
            del self._tail[:PAGE]

    def __len__(self) -> int:
        return len(self._places) * PAGE + len(self._tail)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return self._slice(*index.indices(len(self)))
        held = len(self._places) * PAGE
        place = index + held + len(self._tail) if index < 0 else index
        if place >= held:
            return self._tail[place - held]
        if place < 0:
            raise IndexError(index)
        if place in self._changed:
            return self._changed[place]
        return self._page(place // PAGE)[place % PAGE]

    def __setitem__(self, index: int, value: T) -> None:
        held = len(self._places) * PAGE
        index += len(self) if index < 0 else 0
        if index >= held:
            self._tail[index - held] = value
        else:
            self._changed[index] = value

    def __iter__(self) -> Iterator[T]:
        return self.since(0)

    def since(self, first: int) -> Iterator[T]:
        """The values from one on, page by page."""
        for number in range(first // PAGE, len(self._places)):
            page, base = self._page(number), number * PAGE
            for offset in range(max(0, first - base), PAGE):
                place = base + offset
                yield self._changed[place] if place in self._changed else page[offset]
        yield from self._tail[max(0, first - len(self._places) * PAGE) :]

    def _slice(self, start: int, stop: int, step: int) -> list[T]:
        held = len(self._places) * PAGE
        if start >= held and step > 0:
            return self._tail[start - held : max(0, stop - held) : step]
        if step == 1:
            return list(islice(self.since(start), max(0, stop - start)))
        return [self[place] for place in range(start, stop, step)]

    def _page(self, number: int) -> list[T]:
        if self._store is None:
            raise LostPages("What was put away of this session was never found again. Open it once more.")
        return self._store.values(self._places[number])

    def __getstate__(self) -> tuple[array[int], Columns, dict[int, T]]:
        return self._places, columns_of(self._tail), self._changed

    def __setstate__(self, state: tuple[array[int], Columns, dict[int, T]]) -> None:
        self._places, tail, self._changed = state
        self._tail, self._store = values_of(tail), None


def pages_of(whole: object) -> Iterator[Pages[Any]]:
    """Every list of that kind that a view holds, in its folds and in what those are made of."""
    met: set[int] = set()
    left = [whole]
    while left:
        thing = left.pop()
        if id(thing) in met:
            continue
        met.add(id(thing))
        if isinstance(thing, Pages):
            yield thing
        elif isinstance(thing, dict):
            left += thing.values() if _may_hold(next(iter(thing.values()), None)) else ()
        else:
            left += [part for part in vars(thing).values() if _may_hold(part)]


def _may_hold(thing: object) -> bool:
    kind = type(thing)
    return kind in (Pages, dict) or (kind.__module__.startswith("core.folds.") and hasattr(thing, "__dict__"))
