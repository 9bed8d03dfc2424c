"""Between two calls nobody but people and what they started changes files: what the log knows of these gaps."""

from __future__ import annotations

from bisect import bisect_right
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

    def handlers(self) -> dict[str, Handler]:
        return {"checkpoint.made": self._found, "tool.finished": self._finished, "head.moved": self._moved}

    def since(self, seq: int) -> Handwork:
        """The gaps that ended after event `seq`."""
        return Handwork(tuple(self._gaps[bisect_right(self._seqs, seq) :]), self._left)

    def _found(self, event: Event) -> None:
        if isinstance(event.body, CheckpointMade):
            self._gap(event.seq, event.body.tree)
            self._left = None

    def _finished(self, event: Event) -> None:
        if isinstance(event.body, ToolFinished) and event.body.tree:
            self._left = event.body.tree

    def _moved(self, event: Event) -> None:
        if isinstance(event.body, HeadMoved) and event.body.tree_after:
            self._gap(event.seq, event.body.tree_before)
            self._left = event.body.tree_after

    def _gap(self, seq: int, found: str | None) -> None:
        if self._left and found and self._left != found:
            self._seqs.append(seq)
            self._gaps.append((self._left, found))
