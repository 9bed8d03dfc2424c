"""The facts of a branch that a compression is made of: guidance, memory, plan, files, failures, names. All of the log.

What an abandoned branch did or named does not count. Adding an event costs the same at any length; asking costs as much
as the branch is long, which is fine: a compression is rare. Of calls and replies no words are kept, only a line and
where they stand in the log; who needs the words reads them there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from core.events import (
    ContextCompressed,
    ContextRestored,
    Event,
    GuidanceDelivered,
    ItemEvicted,
    ItemPinned,
    ItemUnpinned,
    ModelResponded,
    PlanChanged,
    PlanStep,
    SessionOpened,
    ToolFinished,
)
from core.folds.branches import Branches, Column, until
from core.folds.fold import Handler
from core.folds.memories import Entry as MemoryEntry
from core.folds.memories import Memories
from core.folds.plan import Plan
from core.request.archive import Archive, single
from core.request.branch_names import BranchNames
from core.request.deeds import Answer, Deed, Deeds
from core.request.names import NameIndex, listed_in

OPEN_ERRORS = 8
"""Failing commands that count as open, at most: the latest ones."""
HELD_CATEGORIES = frozenset({"constraint", "preference"})
"""Categories of memory entries that stay word for word, as pinned ones do."""
_SAID = frozenset({"guidance.delivered", "model.responded"})
_ENTRY = re.compile(r"\((m\d+)\)$", re.MULTILINE)


class Compressed(NamedTuple):
    """A compression that holds: its event, what it kept, the memory entries in the ledger's block that it appended."""

    seq: int
    keep_from: int | None
    entries: tuple[str, ...]


def entries_in(block: str) -> tuple[str, ...]:
    """The memory entries that a block of the ledger names."""
    return tuple(_ENTRY.findall(block))


class Ledger:
    """A fold over what happened, by branch."""

    def __init__(self, branches: Branches, memories: Memories, plan: Plan, archive: Archive) -> None:
        self._branches = branches
        self._memories = memories
        self._plan = plan
        self._archive = archive
        self.deeds = Deeds(branches, archive)
        self._opened: SessionOpened | None = None
        self._guidance: Column[tuple[int, GuidanceDelivered]] = Column()
        self._replies: Column[int] = Column.packed(bytearray())
        self._marks: Column[ItemPinned | ItemUnpinned | ItemEvicted] = Column()
        self._compressions: Column[Compressed | ContextRestored] = Column()
        self._names = BranchNames(branches, archive)

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._open,
            "guidance.delivered": self._guided,
            "model.responded": self._replied,
            "tool.started": self._started,
            "tool.finished": self._finished,
            "context.compressed": self._compressed,
            "context.restored": self._compressed,
            **dict.fromkeys(("item.pinned", "item.unpinned", "item.evicted"), self._marked),
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

    def standing_beside(self, node: int) -> list[str]:
        """What the user said here for good that was not said on the path to `node`."""
        there = {body.text for _, body in self._guidance.within(self._branches.path_to(node)) if body.standing}
        return [body.text for _, body in self.guidance() if body.standing and body.text not in there]

    def turns(self, before: int | None = None) -> int:
        """The number of this branch's replies before event `before` (None: of all)."""
        return self._replies.count(until(self._branches.spans(), before))

    def memories(self) -> list[MemoryEntry]:
        """The entries known on this branch, each in its newest revision only."""
        return list(self._memories.known())

    def held_memories(self) -> list[MemoryEntry]:
        """Those that stay word for word: constraints, preferences, pinned ones."""
        return [entry for entry in self.memories() if entry.pinned or entry.category in HELD_CATEGORIES]

    def plan(self) -> PlanChanged | None:
        return self._plan.at()

    def open_steps(self) -> list[PlanStep]:
        plan = self.plan()
        return [step for step in plan.steps if step.status in ("todo", "active")] if plan else []

    def closed_steps(self) -> list[tuple[int, PlanStep]]:
        """(event, step) of each step when it was first done or dropped, oldest first; opened again it may recur."""
        found, before = [], set[tuple[str, str]]()
        for seq, plan in self._plan.changes():
            closed = {(step.id, step.status): step for step in plan.steps if step.status in ("done", "dropped")}
            found += [(seq, step) for mark, step in closed.items() if mark not in before]
            before = set(closed)
        return found

    def open_errors(self) -> list[Deed]:
        """The latest commands whose last run failed, oldest first."""
        last: dict[str, Deed] = {}
        for deed in self.deeds.runs():
            last.pop(deed.command, None)
            last[deed.command] = deed
        return [deed for deed in last.values() if not deed.ok][-OPEN_ERRORS:]

    def pinned(self) -> set[int]:
        """The events whose words are to stay; the last word on each counts, and evicting one unpins it."""
        last = {mark.seq: mark for mark in self._marks.within(self._branches.spans())}
        return {seq for seq, mark in last.items() if isinstance(mark, ItemPinned)}

    def compressions(self) -> list[Compressed]:
        """Those on this branch that were not undone, oldest first."""
        made: list[Compressed] = []
        for mark in self._compressions.within(self._branches.spans()):
            if isinstance(mark, Compressed):
                made.append(mark)
            elif any(compressed.seq == mark.seq for compressed in made):
                made = [compressed for compressed in made if compressed.seq < mark.seq]
        return made

    def names(self) -> NameIndex[str]:
        """The names of this branch. After HEAD has moved this reads all of it once."""
        return self._names.index()

    def names_known(self) -> int:
        """How many names of this branch recall can reach."""
        return len(self.names())

    def names_listed(self, digest: str) -> int:
        """How many of them the index of a digest lists."""
        known = self.names()
        return sum(name in known for name in listed_in(digest))

    def texts(self) -> Iterator[str]:
        """Everything that was said, called, answered or remembered on this branch."""
        yield self.task
        if self._opened:
            yield f"{self._opened.workspace} {self._opened.settings.get('test_command') or ''}"
        yield from (body.text for _, body in self.guidance())
        for event in self._archive(self._branches.spans(), {"model.responded", "tool.finished"}):
            match event.body:
                case ModelResponded(content=content):
                    yield json.dumps(content, ensure_ascii=False)
                case ToolFinished(content=content, files=files):
                    yield content
                    yield from (change.path for change in files)
        yield from (f"{entry.topic} {entry.text}" for entry in self.memories())

    def item(self, seq: int) -> GuidanceDelivered | ModelResponded | Answer | None:
        """The guidance, the reply or the finished call that event `seq` of this branch is, read again; else None."""
        if answer := self.deeds.answer(seq):
            return answer
        said = self._archive(single([seq] if self._branches.visible(seq) else []), _SAID)
        bodies = (event.body for event in said)
        return next((body for body in bodies if isinstance(body, GuidanceDelivered | ModelResponded)), None)

    def _open(self, event: Event) -> None:
        if isinstance(event.body, SessionOpened):
            self._opened = event.body
            self._names.take(event)

    def _guided(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered):
            self._guidance.append(event.seq, (event.seq, event.body))
            self._names.take(event)

    def _replied(self, event: Event) -> None:
        self._replies.append(event.seq, 0)
        self._names.take(event)

    def _started(self, event: Event) -> None:
        self.deeds.started(event)
        self._names.take(event)

    def _finished(self, event: Event) -> None:
        self.deeds.finished(event)
        self._names.take(event)

    def _marked(self, event: Event) -> None:
        if isinstance(event.body, ItemPinned | ItemUnpinned | ItemEvicted):
            self._marks.append(event.seq, event.body)

    def _compressed(self, event: Event) -> None:
        match event.body:
            case ContextCompressed(keep_from=keep_from, ledger=block):
                self._compressions.append(event.seq, Compressed(event.seq, keep_from, entries_in(block)))
            case ContextRestored() as body:
                self._compressions.append(event.seq, body)
