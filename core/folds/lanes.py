"""The session at a glance: what happened in each cell of a strip, counted by bisection at any length of the log."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from core.clock import MICROSECONDS
from core.events import ContextPolicy, Event, GuardRaised, GuidanceDelivered, ToolFinished
from core.folds.costs import Costs
from core.folds.fold import SEQ, Handler
from core.folds.timeline import Timeline, probes

Axis = Literal["events", "time"]

LANES = ("calls", "errors", "edits", "compressions", "checkpoints", "guards", "humans", "rewinds", "bookmarks")
"""What is counted, by the names that the fields of a `Cell` have."""

_KINDS = {
    "tool.started": "calls",
    "model.failed": "errors",
    "context.compressed": "compressions",
    "checkpoint.made": "checkpoints",
    "command.accepted": "humans",
    "head.moved": "rewinds",
    "bookmark.added": "bookmarks",
}


class Cell(Struct, frozen=True):
    """Events `first` to `last` (none where `first` is greater) and what they came to. `usd`: of the priced replies.

    `guards`: their signals, and compressions that were switched off; `humans`: commands that were accepted.
    """

    first: int
    last: int
    usd: float
    calls: int
    errors: int
    edits: int
    compressions: int
    checkpoints: int
    guards: int
    humans: int
    rewinds: int
    bookmarks: int


class Lanes:
    """One ascending list of seqs a lane, on every branch: what was done on an abandoned one was done."""

    def __init__(self, timeline: Timeline, costs: Costs) -> None:
        self._timeline = timeline
        self._costs = costs
        self._seqs = {lane: array(SEQ) for lane in LANES}

    def handlers(self) -> dict[str, Handler]:
        return {
            **dict.fromkeys(_KINDS, self._note),
            "tool.finished": self._finished,
            "guidance.delivered": self._guided,
            "context.policy": self._policy,
            "guard.raised": self._raised,
        }

    def strip(self, width: int, at: int | None = None, axis: Axis = "events") -> list[Cell]:
        """The session up to event `at` (None: all of it) in at most `width` cells of as many events or as much time.

        Their size is a round one, so that cells fill up and stay where they are while the log grows. Empty without
        events or width. Costs the bisections of `width` cells, however long the log is.
        """
        last = min(len(self._timeline.times), len(self._timeline.times) if at is None else at)
        if width < 1 or last < 1:
            return []
        edges = self._by_time(width, last) if axis == "time" else self._by_events(width, last)
        places = {lane: [bisect_right(seqs, edge) for edge in edges] for lane, seqs in self._seqs.items()}
        spent = [self._costs.spent.at(edge) for edge in edges]
        return [
            Cell(
                edges[i] + 1,
                edges[i + 1],
                spent[i + 1] - spent[i],
                **{lane: place[i + 1] - place[i] for lane, place in places.items()},
            )
            for i in range(len(edges) - 1)
        ]

    def first(self, lane: str, cell: Cell) -> int | None:
        """The first event of a lane in a cell: what a click on it means."""
        seqs = self._seqs[lane]
        index = bisect_left(seqs, cell.first)
        return seqs[index] if index < len(seqs) and seqs[index] <= cell.last else None

    def _by_events(self, width: int, last: int) -> list[int]:
        """The last event of each cell, after a zero."""
        return [*range(0, last, rounded(-(-last // width))), last]

    def _by_time(self, width: int, last: int) -> list[int]:
        """The same for cells of equal time."""
        start, end = self._timeline.at_us(1), self._timeline.at_us(last)
        step_us = rounded(-(-((end - start) // width + 1) // MICROSECONDS)) * MICROSECONDS
        inner = (self._timeline.seq_at(start + i * step_us - 1) for i in range(1, (end - start) // step_us + 1))
        return [0, *(min(seq, last) for seq in inner), last]

    def _note(self, event: Event) -> None:
        if not probes(event):
            self._seqs[_KINDS[event.kind]].append(event.seq)

    def _finished(self, event: Event) -> None:
        if isinstance(event.body, ToolFinished):
            if not event.body.ok:
                self._seqs["errors"].append(event.seq)
            if event.body.files:
                self._seqs["edits"].append(event.seq)

    def _guided(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered) and event.body.source == "guard":
            self._seqs["guards"].append(event.seq)

    def _raised(self, event: Event) -> None:
        """What the agent is told has an event of its own, which is counted."""
        if isinstance(event.body, GuardRaised) and event.body.rung in ("notice", "pause"):
            self._seqs["guards"].append(event.seq)

    def _policy(self, event: Event) -> None:
        if isinstance(event.body, ContextPolicy) and event.body.tokens:
            self._seqs["guards"].append(event.seq)


def rounded(least: int) -> int:
    """The smallest round number that is not less: 1 to 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120 and so on."""
    if least <= 10:
        return max(1, least)
    scale = int(10 ** (len(str(least)) - 2))
    return next(step * scale for step in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100) if step * scale >= least)


def cell_of(cells: Sequence[Cell], seq: int) -> int:
    """The index of the cell that holds event `seq`; the nearest where none does."""
    return min(bisect_left(cells, seq, key=lambda cell: cell.last), max(0, len(cells) - 1))
