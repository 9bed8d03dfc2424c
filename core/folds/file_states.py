"""Between two calls nobody but people and what they started changes files: what the log knows of these gaps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from core.events import CheckpointMade, Event, HeadMoved, ToolFinished
from core.folds.fold import Handler


class Handwork(NamedTuple):
    """Pairs of unlike trees, as one call left the files and as the next one found them; and how the last one left them.

    `left` is None while a call is under way, or where the last one's end was not looked at.
    """

    gaps: tuple[tuple[str, str], ...]
    left: str | None


class FileStates:
    """In the order of the log, across branches: a file that an abandoned branch changed is changed."""

    def __init__(self) -> None:
        self._seqs: list[int] = []
        self._gaps: list[tuple[str, str]] = []
        self._left: str | None = None
        self._known: str | None = None
        self._first: str | None = None
        self._parted: dict[int, str | None] = {}

    def handlers(self) -> dict[str, Handler]:
        return {"checkpoint.made": self._found, "tool.finished": self._finished, "head.moved": self._moved}

    def since(self, seq: int) -> Handwork:
        """The gaps that ended after event `seq`."""
        return Handwork(tuple(self._gaps[bisect_right(self._seqs, seq) :]), self._left)

    @property
    def first(self) -> str | None:
        """The files as they were when they were first looked at."""
        return self._first

    def gaps(self) -> Iterator[tuple[int, str, str]]:
        """(event, before, after) of every change that no call made, oldest first: as many as there were of those."""
        return ((seq, *gap) for seq, gap in zip(self._seqs, self._gaps, strict=True))

    def known(self, move: int | None = None) -> str | None:
        """The files as they were when event `move` moved HEAD away; None: as they are now, as far as was looked."""
        return self._known if move is None else self._parted.get(move)

    def _found(self, event: Event) -> None:
        if isinstance(event.body, CheckpointMade):
            self._gap(event.seq, event.body.tree)
            self._left = None
            self._became(event.body.tree or self._known)

    def _finished(self, event: Event) -> None:
        if isinstance(event.body, ToolFinished) and event.body.tree:
            self._left = event.body.tree
            self._became(event.body.tree)

    def _moved(self, event: Event) -> None:
        if not isinstance(event.body, HeadMoved):
            return
        self._parted[event.seq] = event.body.tree_before or self._known
        if event.body.tree_after:
            self._became(event.body.tree_after)
            self._gap(event.seq, event.body.tree_before)
            self._left = event.body.tree_after

    def _became(self, tree: str | None) -> None:
        self._known, self._first = tree, self._first or tree

    def _gap(self, seq: int, found: str | None) -> None:
        if self._left and found and self._left != found:
            self._seqs.append(seq)
            self._gaps.append((self._left, found))
