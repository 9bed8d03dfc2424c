"""What a fold is: a pure reducer over events that says which kinds it reads."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from core.events import Event, Unknown
from core.folds.pages import Pages

Handler = Callable[[Event], None]


class Fold(Protocol):
    """Knows nothing but events; the same events in the same order always give the same state."""

    def handlers(self) -> dict[str, Handler]:
        """The method for each kind of event that this fold reads."""
        ...


class Dispatcher:
    """Hands each event to the folds that read its kind, so that a fold costs nothing for the others."""

    def __init__(self, folds: Iterable[Fold]) -> None:
        self._handlers: dict[str, list[Handler]] = {}
        for fold in folds:
            for kind, handler in fold.handlers().items():
                self._handlers.setdefault(kind, []).append(handler)

    def apply(self, event: Event) -> None:
        if isinstance(event.body, Unknown):
            return  # Of a known kind, perhaps, but in the shape of a newer version.
        for handler in self._handlers.get(event.kind, ()):
            handler(event)


T = TypeVar("T")

SEQ = "I"
"""How an array keeps numbers of events: four bytes each, which do for four thousand million of them."""


class Series(Generic[T]):
    """A value that changes at certain events: append-only, `at(seq)` by bisection."""

    def __init__(self, initial: T, values: Pages[T] | array[Any] | None = None) -> None:
        """`values` holds them: an array does for numbers that are looked at all over the log, without reading pages."""
        self._seqs = array(SEQ, (0,))
        self._values: Pages[T] | array[Any] = Pages() if values is None else values
        self._values.append(initial)
        self.last = initial
        """The value now."""

    def __len__(self) -> int:
        return len(self._values)

    def append(self, seq: int, value: T) -> None:
        """From event `seq` on the value is this."""
        self.last = value
        if self._seqs[-1] == seq:
            self._values[-1] = value
        else:
            self._seqs.append(seq)
            self._values.append(value)

    def at(self, seq: int | None) -> T:
        """The value as of event `seq` (None: now)."""
        if seq is None or seq >= self._seqs[-1]:
            return self.last
        return self._values[bisect_right(self._seqs, seq) - 1]

    def since(self, seq: int | None = None) -> int:
        """The event from which on the value as of event `seq` holds; 0 for the initial one."""
        return self._seqs[-1 if seq is None else bisect_right(self._seqs, seq) - 1]

    def sampled(self, count: int, seq: int | None = None) -> list[tuple[int, T]]:
        """`count` of the (seq, value) up to `seq`, evenly spaced, the last one among them; fewer are repeated.

        The initial value is none of them. Costs as much as `count`, however many there are.
        """
        end = len(self._seqs) if seq is None else bisect_right(self._seqs, seq)
        points = end - 1
        places = [-(-column * points // count) for column in range(1, count + 1)] if points else []
        return [(self._seqs[place], self._values[place]) for place in places]


class Ordinals:
    """How often something has happened as of any event."""

    def __init__(self) -> None:
        self._seqs = array(SEQ)

    @property
    def last(self) -> int:
        return len(self._seqs)

    def add(self, seq: int) -> None:
        """It happened with event `seq`, which is later than the last one."""
        self._seqs.append(seq)

    def at(self, seq: int | None) -> int:
        """As of event `seq` (None: now)."""
        return len(self._seqs) if seq is None else bisect_right(self._seqs, seq)

    def seq(self, time: int) -> int:
        """The event with which it happened for the first time (1), the second, and so on; 0 for time 0."""
        return self._seqs[time - 1] if time else 0


class Latest(Series[T]):
    """The same for whoever never looks back, as a runner does: only the value of now is kept."""

    def append(self, seq: int, value: T) -> None:
        self.last = self._values[-1] = value
        self._seqs[-1] = seq


def series_of(initial: T, history: bool) -> Series[T]:
    """A series with its past, or without."""
    return Series(initial) if history else Latest(initial)
