"""The tree of moments: which events are on the branch that was current as of any event.

Between two HEAD moves the log grows straight on, so a branch is a few closed ranges of seqs and a tail: the
ranges of the node that HEAD moved to, then everything since the move. Seeking is a bisection, whatever the length.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, NamedTuple, TypeVar, overload

from core.events import BranchNamed, Event, HeadMoved
from core.folds.fold import SEQ, Handler
from core.folds.numbers import Numbers, left, right
from core.folds.pages import Pages
from core.folds.rows import Items


class Span(NamedTuple):
    """Seqs from `first` to `last`, both included."""

    first: int
    last: int


class Jump(NamedTuple):
    """Event `seq` moved HEAD from node `origin` to node `to`."""

    seq: int
    to: int
    origin: int


FOREVER = 2**62


def until(spans: Sequence[Span], before: int | None) -> Sequence[Span]:
    """What of the spans lies before event `before` (None: all)."""
    return spans if before is None else [Span(first, min(last, before - 1)) for first, last in spans if first < before]


class Branches:
    """The visible path per HEAD move. `spans(at)` are the seqs of the path as of event `at`, ascending."""

    def __init__(self) -> None:
        self._moves: list[int] = [0]
        self._bases: list[tuple[Span, ...]] = [()]
        self.jumps: list[Jump] = []
        """The moves of HEAD, in their order."""
        self.named: list[tuple[int, int, str]] = []
        """(event, number of the branch, its name), in their order."""

    def handlers(self) -> dict[str, Handler]:
        return {"head.moved": self._moved, "branch.named": self._named}

    def _moved(self, event: Event) -> None:
        if isinstance(event.body, HeadMoved):
            self._bases.append(self.path_to(event.body.to))
            self._moves.append(event.seq)
            self.jumps.append(Jump(event.seq, event.body.to, event.body.origin))

    def _named(self, event: Event) -> None:
        if isinstance(event.body, BranchNamed):
            self.named.append((event.seq, event.body.branch, event.body.name))

    def path_to(self, node: int) -> tuple[Span, ...]:
        """The seqs from the root to `node` and the side events between, whichever branch it is on."""
        return self.spans(node)

    def spans(self, at: int | None = None) -> tuple[Span, ...]:
        """The branch as of event `at` (None: now, with an open end)."""
        if at is None:
            return (*self._bases[-1], Span(self._moves[-1], FOREVER))
        move = bisect_right(self._moves, at) - 1
        return (*self._bases[move], Span(self._moves[move], at))

    def visible(self, seq: int, at: int | None = None) -> bool:
        """Whether event `seq` is on the branch as of `at`."""
        return any(first <= seq <= last for first, last in self.spans(at))

    def parting(self, node: int) -> int:
        """The last node that the current branch has in common with the path to `node`."""
        return parting(self.spans(), self.path_to(node))

    @property
    def moves(self) -> list[int]:
        """The seqs of the HEAD moves so far."""
        return self._moves[1:]


def parting(one: Sequence[Span], other: Sequence[Span]) -> int:
    """The last event that two paths from the root have in common; 0: none."""
    return max((min(a.last, b.last) for a in one for b in other if a.first == b.first), default=0)


T = TypeVar("T")


class Window(Sequence[T]):
    """Some ranges of a list, one after the other, read in place: what a branch shows of a column."""

    def __init__(self, items: Items[T] | Sequence[T], ranges: Sequence[range]) -> None:
        self._items = items
        self.ranges = ranges
        self._ends = list(accumulate(map(len, ranges)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self._items[self.source(at)] for at in range(*index.indices(len(self)))]
        return self._items[self.source(index)]

    def source(self, index: int) -> int:
        """Where the item at `index` stands in the list underneath. Raises IndexError."""
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        part = bisect_right(self._ends, index)
        return self.ranges[part].stop - (self._ends[part] - index)

    def position(self, source: int) -> int | None:
        """The index here of the item `source` of the list underneath; None where it is not shown."""
        for indexes, end in zip(self.ranges, self._ends, strict=True):
            if source in indexes:
                return end - (indexes.stop - source)
        return None

    def common(self, other: Window[T]) -> int:
        """How many items two windows on the same list have alike from the start."""
        common = 0
        for mine, others in zip(self.ranges, other.ranges, strict=False):
            if mine.start != others.start:
                break
            common += min(mine.stop, others.stop) - mine.start
            if mine.stop != others.stop:
                break
        return common


class Column(Generic[T]):
    """Items in the order of their events, of which a branch shows some: append-only.

    They are kept in pages, or in what is given: an array for numbers, or `core.folds.rows.Rows`.
    """

    def __init__(self, items: Items[T] | None = None, seqs: Numbers | None = None) -> None:
        self.items: Items[T] = Pages() if items is None else items
        self._seqs: array[int] | Numbers = array(SEQ) if seqs is None else seqs

    @classmethod
    def packed(cls, items: Items[T]) -> Column[T]:
        """One whose old events are packed, for what a runner keeps of every call."""
        return cls(items, Numbers())

    def append(self, seq: int, item: T) -> None:
        self._seqs.append(seq)
        self.items.append(item)

    def index(self, seq: int) -> int | None:
        """Where the first item of event `seq` is, if it has one."""
        index = left(self._seqs, seq)
        return index if index < len(self._seqs) and self._seqs[index] == seq else None

    def window(self, spans: Sequence[Span]) -> Window[T]:
        """The items within `spans` as a sequence that copies nothing; fixed, whatever is appended later."""
        return Window(self.items, self.ranges(spans))

    def ranges(self, spans: Sequence[Span]) -> list[range]:
        """The indexes of the items within `spans`, as ascending ranges, empty ones left out."""
        found = (range(left(self._seqs, first), right(self._seqs, last)) for first, last in spans)
        return [indexes for indexes in found if indexes]

    def within(self, spans: Sequence[Span]) -> list[T]:
        """The items within `spans`; costs as much as there are."""
        return [item for indexes in self.ranges(spans) for item in self.items[indexes.start : indexes.stop]]

    def seqs(self, spans: Sequence[Span]) -> list[int]:
        """The events of the items within `spans`; costs as much as there are."""
        return [seq for indexes in self.ranges(spans) for seq in self._seqs[indexes.start : indexes.stop]]

    def pairs(self, spans: Sequence[Span]) -> list[tuple[int, T]]:
        """The items within `spans`, each with its event; costs as much as there are."""
        return [(self._seqs[index], self.items[index]) for indexes in self.ranges(spans) for index in indexes]

    def count(self, spans: Sequence[Span]) -> int:
        """How many items there are within `spans`, by bisection."""
        return sum(map(len, self.ranges(spans)))

    def tail(self, spans: Sequence[Span], most: int) -> list[tuple[int, T]]:
        """The last `most` items within `spans`, each with its event, oldest first; costs as much as these."""
        found: list[tuple[int, T]] = []
        for indexes in reversed(self.ranges(spans)):
            last = indexes[max(0, len(indexes) - (most - len(found))) :]
            found[:0] = [(self._seqs[index], self.items[index]) for index in last]
        return found

    def last(self, spans: Sequence[Span]) -> T | None:
        """The latest item within `spans`, by bisection."""
        ranges = self.ranges(spans)
        return self.items[ranges[-1][-1]] if ranges else None
