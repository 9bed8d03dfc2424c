"""Rows that moved up or down as a whole: the terminal can move them by itself, for a handful of bytes.

Terminals move whole rows only, so this serves what spans the screen: a single pane, or one that is zoomed. Which rows
moved is found by looking, so whatever scrolls profits, and nothing has to say that it scrolled.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tui.pen import Cell

UNKNOWN: Cell = ("\x00", "")
"""What may be anything."""
FEWEST_ROWS = 4
"""Rows that have to be found at another place, before anything else is looked at."""
_SEQUENCE, _JUMP = 24, 8
"""Bytes of the sequence that moves rows, and about those that it takes to go to a row."""

Row = Sequence[Cell]


class Shift(NamedTuple):
    """The rows from `top` to `bottom` move `by` rows up; below zero: down. What comes in is unknown."""

    top: int
    bottom: int
    by: int

    @property
    def rows(self) -> range:
        return range(self.top, self.bottom + 1)

    @property
    def sequence(self) -> str:
        """To be followed by a move: the cursor is somewhere afterwards."""
        move = f"{self.by}M" if self.by > 0 else f"{-self.by}L"
        return f"\x1b[{self.top + 1};{self.bottom + 1}r\x1b[{self.top + 1}H\x1b[{move}\x1b[r"

    def applied(self, rows: Sequence[list[Cell]]) -> list[list[Cell]]:
        """The same rows after it."""
        within = rows[self.top : self.bottom + 1]
        coming = [[UNKNOWN] * len(within[0]) for _ in range(abs(self.by))]
        moved = [*within[self.by :], *coming] if self.by > 0 else [*coming, *within[: self.by]]
        return [*rows[: self.top], *moved, *rows[self.bottom + 1 :]]


def find_shift(old: Sequence[list[Cell]], new: Mapping[int, list[Cell]]) -> Shift | None:
    """How the rows on a terminal are best moved before those of `new`, by their numbers, are written; None: not."""
    found = _commonest(old, new)
    if found is None:
        return None
    target = {y: new.get(y, old[y]) for y in found.rows}
    if any(UNKNOWN in row for row in target.values()):
        return None
    moved = found.applied(old)
    before = sum(_cost(old[y], row) for y, row in target.items())
    after = sum(_cost(moved[y], row) for y, row in target.items())
    return found if after + _SEQUENCE < before else None


def _commonest(old: Sequence[list[Cell]], new: Mapping[int, list[Cell]]) -> Shift | None:
    """The move that most rows have made, over all of them."""
    places: defaultdict[tuple[Cell, ...], list[int]] = defaultdict(list)
    for y, row in enumerate(old):
        places[_mark(row)].append(y)
    moves: defaultdict[int, list[int]] = defaultdict(list)
    for y, row in new.items():
        for at in places.get(mark, ()) if len(set(mark := _mark(row))) > 1 else ():
            moves[at - y].append(y)
    moves.pop(0, None)
    if not moves:
        return None
    by, rows = max(moves.items(), key=lambda move: len(move[1]))
    if len(rows) < FEWEST_ROWS:
        return None
    first, last = min(rows), max(rows)
    return Shift(min(first, first + by), max(last, last + by), by)


def _mark(row: Row) -> tuple[Cell, ...]:
    """By what a row is known again: all but its end, where a scroll bar stands still."""
    return tuple(row[: len(row) * 3 // 4])


def _cost(shown: Row, wanted: Row) -> int:
    """About so many bytes take a row from what it shows to what it is to show: blanks are cheap, many at once."""
    changed = Counter(
        cell[0] == " " for was, cell in zip(shown, wanted, strict=True) if was is not cell and was != cell
    )
    return _JUMP + changed[False] + min(changed[True], _JUMP) if changed else 0
