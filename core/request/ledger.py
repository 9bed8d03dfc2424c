"""The facts of a branch that a digest is made of: guidance, memory, files, failures, names. All from the log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from core.events import (
    Event,
    FileChange,
    GuidanceDelivered,
    ModelResponded,
    PlanChanged,
    SessionOpened,
    ToolFinished,
    ToolStarted,
)
from core.folds.branches import Branches, Column
from core.folds.fold import Handler
from core.folds.memories import Entry as MemoryEntry
from core.folds.memories import Memories
from core.folds.plan import Plan
from core.folds.words import call_line, one_line

_NAMES = re.compile(r"(?:[\w.\-]+/)+[\w.\-]+|[A-Za-z_][A-Za-z0-9_]{8,}")
"""What counts as a name: paths and long identifiers (as in the retention measurements)."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A finished call on one line, with what it changed."""

    seq: int
    key: str
    line: str
    ok: bool
    outcome: str
    files: tuple[FileChange, ...]


class Ledger:
    """A fold over what happened, by branch."""

    def __init__(self, branches: Branches, memories: Memories, plan: Plan) -> None:
        self._branches = branches
        self._memories = memories
        self._plan = plan
        self._opened: SessionOpened | None = None
        self._guidance: Column[tuple[int, GuidanceDelivered]] = Column()
        self._deeds: Column[Deed] = Column()
        self._turns: Column[int] = Column()
        self._names: Column[tuple[str, str]] = Column()
        self._running: dict[str, str] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._open,
            "guidance.delivered": self._guided,
            "model.responded": self._replied,
            "tool.started": self._started,
            "tool.finished": self._finished,
        }

    @property
    def task(self) -> str:
        return self._opened.task if self._opened else ""

    @property
    def opened(self) -> SessionOpened | None:
        return self._opened

    def guidance(self) -> list[tuple[int, GuidanceDelivered]]:
        """What people and guards said on this branch, oldest first."""
        return self._guidance.within(self._branches.spans())

    def deeds(self) -> list[Deed]:
        """The finished calls of this branch, oldest first."""
        return self._deeds.within(self._branches.spans())

    def turns(self) -> list[int]:
        """The seqs of the replies of this branch."""
        return self._turns.within(self._branches.spans())

    def memories(self) -> list[MemoryEntry]:
        return self._memories.known()

    def plan(self) -> PlanChanged | None:
        return self._plan.at()

    def names(self, limit: int) -> list[tuple[str, str]]:
        """(name, handle of the call that used it last), most recently used first, at most `limit`."""
        found: dict[str, str] = {}
        for indexes in reversed(self._names.ranges(self._branches.spans())):
            for index in reversed(indexes):
                name, handle = self._names.items[index]
                found.setdefault(name, handle)
                if len(found) >= limit:
                    return list(found.items())
        return list(found.items())

    def _open(self, event: Event) -> None:
        if isinstance(event.body, SessionOpened):
            self._opened = event.body

    def _guided(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered):
            self._guidance.append(event.seq, (event.seq, event.body))

    def _replied(self, event: Event) -> None:
        if isinstance(event.body, ModelResponded):
            self._turns.append(event.seq, event.seq)

    def _started(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ToolStarted) and event.key:
            self._running[event.key] = call_line(body.name, body.arguments)
            for name in _names_in(body.arguments):
                self._names.append(event.seq, (name, f"out:{event.key}"))

    def _finished(self, event: Event) -> None:
        body, key = event.body, event.key or ""
        if isinstance(body, ToolFinished):
            line = self._running.pop(key, body.name)
            outcome = _outcome(body)
            self._deeds.append(event.seq, Deed(event.seq, key, line, body.ok, outcome, tuple(body.files)))


def _names_in(arguments: dict[str, Any]) -> list[str]:
    text = " ".join(str(value) for value in arguments.values() if isinstance(value, str))
    return list(dict.fromkeys(_NAMES.findall(text[:2000])))[:20]


def _outcome(body: ToolFinished) -> str:
    """The line that says most: of an error the last one, of a success the first."""
    lines = [line for line in body.content.splitlines() if line.strip()]
    if not lines:
        return "no output"
    if body.ok:
        return one_line(lines[0], 120)
    return one_line(lines[0] if len(lines) == 1 else f"{lines[0]} … {lines[-1]}", 200)
