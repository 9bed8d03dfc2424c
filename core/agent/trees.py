"""Which snapshot holds the files as they were at a moment: where each stands in the log, where it is read again."""

from __future__ import annotations

from typing import NamedTuple

from core.events import CheckpointMade, Event, ToolStarted
from core.folds.branches import Branches, Column, Span
from core.folds.fold import Handler
from core.folds.words import call_line
from core.request.archive import Archive, single


class Taken(NamedTuple):
    """A checkpoint: its event, the snapshot (None where none could be made), and what it was made before."""

    seq: int
    tree: str | None
    label: str


class Trees:
    """The checkpoints and the commands of each branch, by number of event alone."""

    def __init__(self, branches: Branches, archive: Archive) -> None:
        self.last: Taken | None = None
        self._branches = branches
        self._archive = archive
        self._made: Column[int] = Column.packed(bytearray())
        self._commands: Column[int] = Column.packed(bytearray())

    def handlers(self) -> dict[str, Handler]:
        return {"checkpoint.made": self._checkpoint, "tool.started": self._started}

    def after(self, node: int) -> Taken | None:
        """The checkpoint whose tree holds the files as they were at boundary `node` of the current branch.

        Nothing mutates before its checkpoint, so it is the first one after the node; None when there is none (nothing
        was changed since).
        """
        seqs = self._made.seqs(self._since(node))
        return next((_taken(event) for event in self._archive(single(seqs[:1]), {"checkpoint.made"})), None)

    def commands_since(self, node: int) -> list[str]:
        """Commands run on the current branch after `node`: what they did outside the workspace stays done."""
        started = self._archive(single(self._commands.seqs(self._since(node))), {"tool.started"})
        bodies = (event.body for event in started)
        return [call_line(body.name, body.arguments) for body in bodies if isinstance(body, ToolStarted)]

    def _since(self, node: int) -> list[Span]:
        return [Span(max(first, node + 1), last) for first, last in self._branches.spans() if last > node]

    def _checkpoint(self, event: Event) -> None:
        self.last = _taken(event)
        self._made.append(event.seq, 0)

    def _started(self, event: Event) -> None:
        if isinstance(event.body, ToolStarted) and event.body.effect in ("command", "delegate"):
            self._commands.append(event.seq, 0)


def _taken(event: Event) -> Taken | None:
    body = event.body
    return Taken(event.seq, body.tree, body.label) if isinstance(body, CheckpointMade) else None
