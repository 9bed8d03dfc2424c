"""The finished calls of a branch. Kept are where each stands in the log, which commands failed, which files changed.

All else about a call is read again when it is asked for: its line, what it answered.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.events import Event, FileChange, ToolFinished, ToolStarted
from core.folds.branches import Branches, Column, until
from core.folds.numbers import Numbers
from core.folds.rows import Rows, Words
from core.folds.words import call_line, one_line
from core.request.archive import Archive, single

_KINDS = frozenset({"tool.started", "tool.finished"})


@dataclass(frozen=True, slots=True)
class Deed:
    """A finished call on one line, with what came of it. `command` is what a shell ran, empty for other tools."""

    seq: int
    key: str
    line: str
    command: str
    ok: bool
    outcome: str

    @property
    def handle(self) -> str:
        return f"out:{self.key}"


class Answer(NamedTuple):
    """A finished call with the words of its result, and the files that it changed."""

    deed: Deed
    content: str
    files: list[FileChange]


class Change(NamedTuple):
    """A file that the call at event `seq` changed: lines added and removed, or the whole file deleted."""

    seq: int
    path: str
    added: int
    removed: int
    deleted: bool


class Deeds:
    """Feed it each call's start and end."""

    def __init__(self, branches: Branches, archive: Archive) -> None:
        self._branches = branches
        self._archive = archive
        self._starts: Column[int] = Column.packed(Numbers())
        """Of each finished call: how many events before its end it started; 0 where nothing says so."""
        self._runs: Column[Deed] = Column()
        self._changes: Column[Change] = Column.packed(_changes())
        self._places: dict[str, array[int]] = {}
        """Of each file which of the changes are its own."""
        self._failed: set[str] = set()
        self._running: dict[str, Event] = {}

    def started(self, event: Event) -> None:
        if event.key:
            self._running[event.key] = event

    def finished(self, event: Event) -> None:
        start = self._running.pop(event.key or "", None)
        self._starts.append(event.seq, event.seq - start.seq if start else 0)
        if not isinstance(event.body, ToolFinished):
            return
        for change in event.body.files:
            deleted = change.after is None
            self._places.setdefault(change.path, array("I")).append(len(self._changes.items))
            self._changes.append(event.seq, Change(event.seq, change.path, change.added, change.removed, deleted))
        if command := _command(start):
            if not event.body.ok:
                self._failed.add(command)
            if command in self._failed:
                self._runs.append(event.seq, _deed(start, event, event.body))

    def runs(self) -> list[Deed]:
        """The commands of this branch that failed, and the later runs of the same ones, oldest first."""
        return self._runs.within(self._branches.spans())

    def changed(self, before: int | None) -> list[Change]:
        """The last change of each file on this branch before event `before` (None: of all), oldest first.

        Costs as much as there are files, however often they were changed.
        """
        ranges = self._changes.ranges(until(self._branches.spans(), before))
        last = (_last_within(places, ranges) for places in self._places.values())
        return [self._changes.items[place] for place in sorted(place for place in last if place is not None)]

    def latest(self, before: int | None, most: int) -> list[Deed]:
        """The last finished calls before event `before` (None: of all), at most so many, oldest first."""
        found = self._starts.tail(until(self._branches.spans(), before), most)
        return [answer.deed for answer in self._read(found)]

    def answer(self, seq: int) -> Answer | None:
        """The finished call that event `seq` of this branch is, read again; else None."""
        place = self._starts.index(seq)
        if place is None or not self._branches.visible(seq):
            return None
        return next(self._read([(seq, self._starts.items[place])]), None)

    def answers(self) -> Iterator[Answer]:
        """The finished calls of this branch, oldest first; reads them all."""
        events = self._archive(self._branches.spans(), _KINDS)
        return (answer for answer in _answers(events) if self._starts.index(answer.deed.seq) is not None)

    def _read(self, places: Iterable[tuple[int, int]]) -> Iterator[Answer]:
        seqs = {seq for end, distance in places for seq in (end - distance, end)}
        return _answers(self._archive(single(seqs), _KINDS))


def _last_within(places: array[int], ranges: Sequence[range]) -> int | None:
    """The last of some ascending numbers that is in one of the ranges, which ascend, too."""
    for indexes in reversed(ranges):
        found = bisect_left(places, indexes.stop) - 1
        if found >= 0 and places[found] in indexes:
            return places[found]
    return None


def _changes() -> Rows[Change]:
    """Changes in a few bytes each: files are changed again and again, so their paths recur."""
    paths: Words[str] = Words()

    def pack(change: Change) -> tuple[int, ...]:
        return change.seq, paths.number(change.path), change.added, change.removed, change.deleted

    def unpack(seq: int, path: int, added: int, removed: int, deleted: int) -> Change:
        return Change(seq, paths.word(path), added, removed, bool(deleted))

    return Rows(5, pack, unpack)


def outcome_of(body: ToolFinished) -> str:
    """The line that says most: of an error the first and the last one, of a success the first."""
    lines = [line for line in body.content.splitlines() if line.strip()]
    if not lines:
        return "no output"
    if body.ok or len(lines) == 1:
        return one_line(lines[0], 120)
    return one_line(f"{lines[0]} … {lines[-1]}", 200)


def _answers(events: Iterable[Event]) -> Iterator[Answer]:
    starts: dict[str, Event] = {}
    for event in events:
        match event.body:
            case ToolStarted():
                starts[event.key or ""] = event
            case ToolFinished() as body:
                start = starts.pop(event.key or "", None)
                yield Answer(_deed(start, event, body), body.content, body.files)


def _deed(start: Event | None, end: Event, body: ToolFinished) -> Deed:
    started = start.body if start else None
    line = call_line(started.name, started.arguments) if isinstance(started, ToolStarted) else body.name
    return Deed(end.seq, end.key or "", line, _command(start), body.ok, outcome_of(body))


def _command(start: Event | None) -> str:
    body = start.body if start else None
    shell = isinstance(body, ToolStarted) and body.effect == "command"
    return str(body.arguments.get("command", "")) if shell and isinstance(body, ToolStarted) else ""
