"""Which tool calls are shown: of one kind, of one tool, with some words; each call is looked at once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from core.folds.tool_calls import Call, Picked, Shelf, ToolCalls

KINDS = ("all", "errors", "edits", "commands", "slow", "repeats")
"""In the order of their chips; names of `ToolCalls.shelves`."""


class CallFilter(Struct, frozen=True):
    """A kind, and what narrows it further: a tool's name, words that must all be in the name or the target."""

    kind: str = "all"
    name: str = ""
    words: str = ""

    def step(self, by: int) -> CallFilter:
        """The next kind, or the one before, round the end."""
        return replace(self, kind=KINDS[(KINDS.index(self.kind) + by) % len(KINDS)])

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return self != CallFilter()

    def shelf(self, calls: ToolCalls) -> Shelf:
        """The shortest shelf that holds all of it."""
        return calls.shelf(self.name) if self.kind == "all" and self.name else calls.shelves[self.kind]

    def passes(self, call: Call) -> bool:
        if self.name and call.name != self.name:
            return False
        text = f"{call.name} {call.target}".casefold()
        return all(word in text for word in self.words.casefold().split())


class Sifted:
    """The calls of a shelf that pass a filter, as of any event; what is new on the shelf is looked at by `look`."""

    def __init__(self, calls: ToolCalls, wanted: CallFilter, wider: Sifted | None = None) -> None:
        """`wider`: what was found before a letter more was typed; only that is looked through then."""
        self.wanted = wanted
        self.calls = calls
        self._shelf = wanted.shelf(calls)
        self._whole = not wanted.words and (not wanted.name or wanted.kind == "all")
        self._places: list[int] = []
        self._looked = 0
        self._found: list[Call] = []
        if wider is not None and not self._whole and not wider._whole and wider._holds(calls, wanted):
            kept = [at for at, call in enumerate(wider.found) if wanted.passes(call)]
            self._places, self._found = [wider._places[at] for at in kept], [wider.found[at] for at in kept]
            self._looked = wider._looked

    @property
    def found(self) -> Sequence[Call]:
        """What passes, in the order of the shelf."""
        return self._shelf.calls if self._whole else self._found

    def _holds(self, calls: ToolCalls, wanted: CallFilter) -> bool:
        """Whether everything that `wanted` lets pass is among what was found here."""
        mine = self.wanted
        alike = self.calls is calls and (mine.kind, mine.name) == (wanted.kind, wanted.name)
        return alike and wanted.words.startswith(mine.words)

    def look(self) -> None:
        """Take in what came onto the shelf since the last look."""
        if self._whole:
            return
        calls = self._shelf.calls
        for place in range(self._looked, len(calls)):
            if self.wanted.passes(call := calls[place]):
                self._places.append(place)
                self._found.append(call)
        self._looked = len(calls)

    def count(self, at: int | None) -> int:
        """How many of `found` were there as of `at`: the first ones."""
        held = self._shelf.count(at)
        return held if self._whole else bisect_left(self._places, held)

    def index(self, call: Call | None, count: int) -> int | None:
        """Where a call stands among the first `count`, if it does; for shelves in the order of the calls' start."""
        if call is None:
            return None
        found = self.found
        if isinstance(found, Picked):
            index = bisect_left(found.numbers, call.number, hi=count)
        else:
            index = bisect_left(found, call.number, hi=count, key=lambda other: other.number)
        return index if index < count and found[index].number == call.number else None
