"""The checkpoints, and where a rewind to each of them leads."""

from __future__ import annotations

from bisect import bisect_right

from msgspec import Struct

from core.events import CheckpointMade, Event, ToolStarted
from core.folds.branches import Branches, Column
from core.folds.fold import Handler
from core.folds.state import RunState
from core.folds.words import call_line


class Checkpoint(Struct, frozen=True):
    """A snapshot of the files. `boundary` is the node at which the conversation was whole before it."""

    id: str
    seq: int
    at_us: int
    boundary: int
    tree: str | None
    label: str
    turn: int
    skipped: int


class Checkpoints:
    """All checkpoints, and which tree holds the files as they were at a node."""

    def __init__(self, branches: Branches, state: RunState) -> None:
        self.column: Column[Checkpoint] = Column()
        self._branches = branches
        self._state = state
        self._commands: Column[tuple[int, str]] = Column()

    def handlers(self) -> dict[str, Handler]:
        return {"checkpoint.made": self._made, "tool.started": self._started}

    def _made(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, CheckpointMade):
            return
        boundary = boundary_at(self._state, self._branches, event.seq)
        checkpoint = Checkpoint(
            id=event.key or "",
            seq=event.seq,
            at_us=event.at_us,
            boundary=boundary or 1,
            tree=body.tree,
            label=body.label,
            turn=self._state.turns,
            skipped=len(body.skipped),
        )
        self.column.append(event.seq, checkpoint)

    def _started(self, event: Event) -> None:
        if isinstance(event.body, ToolStarted) and event.body.effect in ("command", "delegate"):
            line = call_line(event.body.name, event.body.arguments)
            self._commands.append(event.seq, (event.seq, line))

    def on_branch(self, at: int | None = None) -> list[Checkpoint]:
        """The checkpoints of the branch as of `at`, oldest first."""
        return self.column.within(self._branches.spans(at))

    def after(self, node: int) -> Checkpoint | None:
        """The checkpoint whose tree holds the files as they were at boundary `node` of the current branch.

        Nothing mutates before its checkpoint, so it is the first one after the node; None when there is none (nothing
        was changed since).
        """
        return next((checkpoint for checkpoint in self.on_branch() if checkpoint.seq > node), None)

    def commands_since(self, node: int) -> list[str]:
        """Commands run on the current branch after `node`: what they did outside the workspace stays done."""
        return [line for seq, line in self._commands.within(self._branches.spans()) if seq > node]


def boundary_at(state: RunState, branches: Branches, seq: int) -> int | None:
    """The last node at or before `seq`, on the branch as of `seq`, after which the history may be cut."""
    for first, last in reversed(branches.spans(seq)):
        index = bisect_right(state.boundaries, min(last, seq)) - 1
        if index >= 0 and state.boundaries[index] >= first:
            return state.boundaries[index]
    return None
