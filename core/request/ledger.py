"""The facts of a branch that a compression is made of: guidance, memory, plan, files, failures, names. All of the log.

What an abandoned branch did or named does not count. Adding an event costs the same at any length; asking costs as much
as the branch is long, which is fine: a compression is rare.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.events import (
    ContextCompressed,
    ContextRestored,
    Event,
    FileChange,
    GuidanceDelivered,
    ItemEvicted,
    ItemPinned,
    ItemUnpinned,
    ModelResponded,
    PlanChanged,
    PlanStep,
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
from core.request.names import NameIndex, listed_in, name_tokens, name_weight, names_in

OPEN_ERRORS = 8
"""Failing commands that count as open, at most: the latest ones."""
HELD_CATEGORIES = frozenset({"constraint", "preference"})
"""Categories of memory entries that stay word for word, as pinned ones do."""
_ARGUMENT_CHARS, _REPLY_CHARS, _RESULT_CHARS = 6_000, 20_000, 60_000
"""How far names are looked for in a call's arguments, in a reply and in a result."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A finished call on one line, with what came of it. `command` is what a shell ran, empty for other tools."""

    seq: int
    key: str
    line: str
    command: str
    body: ToolFinished

    @property
    def ok(self) -> bool:
        return self.body.ok

    @property
    def files(self) -> list[FileChange]:
        return self.body.files

    @property
    def handle(self) -> str:
        return f"out:{self.key}"

    @property
    def outcome(self) -> str:
        """The line that says most: of an error the first and the last one, of a success the first."""
        lines = [line for line in self.body.content.splitlines() if line.strip()]
        if not lines:
            return "no output"
        if self.body.ok or len(lines) == 1:
            return one_line(lines[0], 120)
        return one_line(f"{lines[0]} … {lines[-1]}", 200)


class _Started(NamedTuple):
    line: str
    command: str
    words: str


class _Mention(NamedTuple):
    seq: int
    by_call: bool
    names: tuple[str, ...]


class Ledger:
    """A fold over what happened, by branch."""

    def __init__(self, branches: Branches, memories: Memories, plan: Plan) -> None:
        self._branches = branches
        self._memories = memories
        self._plan = plan
        self._opened: SessionOpened | None = None
        self._guidance: Column[tuple[int, GuidanceDelivered]] = Column()
        self._deeds: Column[Deed] = Column()
        self._replies: Column[tuple[int, ModelResponded]] = Column()
        self._plans: Column[tuple[int, PlanChanged]] = Column()
        self._marks: Column[ItemPinned | ItemUnpinned | ItemEvicted] = Column()
        self._compressions: Column[tuple[int, ContextCompressed | ContextRestored]] = Column()
        self._mentions: Column[_Mention] = Column()
        self._running: dict[str, _Started] = {}
        self._names, self._named, self._named_after = new_index(), 0, 0

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._open,
            "guidance.delivered": self._guided,
            "model.responded": self._replied,
            "tool.started": self._started,
            "tool.finished": self._finished,
            "plan.changed": self._planned,
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

    def deeds(self) -> list[Deed]:
        """The finished calls of this branch, oldest first."""
        return self._deeds.within(self._branches.spans())

    def replies(self) -> list[tuple[int, ModelResponded]]:
        """The replies of this branch, oldest first."""
        return self._replies.within(self._branches.spans())

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
        for seq, plan in self._plans.within(self._branches.spans()):
            closed = {(step.id, step.status): step for step in plan.steps if step.status in ("done", "dropped")}
            found += [(seq, step) for mark, step in closed.items() if mark not in before]
            before = set(closed)
        return found

    def open_errors(self) -> list[Deed]:
        """The latest commands whose last run failed, oldest first."""
        last: dict[str, Deed] = {}
        for deed in self.deeds():
            if deed.command:
                last.pop(deed.command, None)
                last[deed.command] = deed
        return [deed for deed in last.values() if not deed.ok][-OPEN_ERRORS:]

    def pinned(self) -> set[int]:
        """The events whose words are to stay; the last word on each counts, and evicting one unpins it."""
        last = {mark.seq: mark for mark in self._marks.within(self._branches.spans())}
        return {seq for seq, mark in last.items() if isinstance(mark, ItemPinned)}

    def compressions(self) -> list[tuple[int, ContextCompressed]]:
        """(event, compression) of those on this branch that were not undone, oldest first."""
        made: list[tuple[int, ContextCompressed]] = []
        for seq, body in self._compressions.within(self._branches.spans()):
            if isinstance(body, ContextCompressed):
                made.append((seq, body))
            elif any(of == body.seq for of, _ in made):
                made = [pair for pair in made if pair[0] < body.seq]
        return made

    def names(self) -> NameIndex[str]:
        """The names of this branch. Fed with what is new; built again after HEAD has moved."""
        moves = len(self._branches.moves)
        if moves != self._named_after:
            self._names, self._named_after = new_index(), moves
            mentions = self._mentions.within(self._branches.spans())
        else:
            mentions = self._mentions.items[self._named :]
        self._named = len(self._mentions.items)
        for mention in mentions:
            (self._names.used if mention.by_call else self._names.seen)(mention.names, mention.seq)
        return self._names

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
        yield from (json.dumps(body.content, ensure_ascii=False) for _, body in self.replies())
        for deed in self.deeds():
            yield deed.body.content
            yield from (change.path for change in deed.files)
        yield from (f"{entry.topic} {entry.text}" for entry in self.memories())

    def item(self, seq: int) -> GuidanceDelivered | ModelResponded | Deed | None:
        """The guidance, the reply or the finished call that event `seq` of this branch is; else None."""
        deed = next((deed for deed in self.deeds() if deed.seq == seq), None)
        guidance = next((body for at, body in self.guidance() if at == seq), None)
        return deed or guidance or next((body for at, body in self.replies() if at == seq), None)

    def _open(self, event: Event) -> None:
        if isinstance(event.body, SessionOpened):
            self._opened = event.body
            self._mention(event.seq, event.body.task[:_RESULT_CHARS])

    def _guided(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered):
            self._guidance.append(event.seq, (event.seq, event.body))
            self._mention(event.seq, event.body.text[:_RESULT_CHARS])

    def _replied(self, event: Event) -> None:
        if isinstance(event.body, ModelResponded):
            self._replies.append(event.seq, (event.seq, event.body))
            words = "\n".join(str(block["text"]) for block in event.body.content if block.get("text"))
            self._mention(event.seq, words[:_REPLY_CHARS])

    def _started(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ToolStarted) and event.key:
            command = str(body.arguments.get("command", "")) if body.effect == "command" else ""
            words = "\n".join(_strings(body.arguments))[:_ARGUMENT_CHARS]
            self._running[event.key] = _Started(call_line(body.name, body.arguments), command, words)

    def _finished(self, event: Event) -> None:
        body, key = event.body, event.key or ""
        if isinstance(body, ToolFinished):
            started = self._running.pop(key, _Started(body.name, "", ""))
            self._deeds.append(event.seq, Deed(event.seq, key, started.line, started.command, body))
            self._mention(event.seq, started.words, by_call=True)
            self._mention(event.seq, body.content[:_RESULT_CHARS])

    def _planned(self, event: Event) -> None:
        if isinstance(event.body, PlanChanged):
            self._plans.append(event.seq, (event.seq, event.body))

    def _marked(self, event: Event) -> None:
        if isinstance(event.body, ItemPinned | ItemUnpinned | ItemEvicted):
            self._marks.append(event.seq, event.body)

    def _compressed(self, event: Event) -> None:
        if isinstance(event.body, ContextCompressed | ContextRestored):
            self._compressions.append(event.seq, (event.seq, event.body))

    def _mention(self, seq: int, text: str, by_call: bool = False) -> None:
        names = names_in(text)
        if names or by_call:
            self._mentions.append(seq, _Mention(seq, by_call, names))


def new_index() -> NameIndex[str]:
    """An index of names as texts have them."""
    return NameIndex(name_tokens, name_weight)


def _strings(value: Any) -> Iterator[str]:
    """Every string in a call's arguments."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)
