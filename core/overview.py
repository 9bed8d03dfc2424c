"""All sessions of a home at a glance: state, cost and size of each, read little by little and kept between looks.

A look costs four questions to the file system for each session; a journal is opened only when its trace differs from
the one that is kept. What is known is also kept in a file of the home, which is a cache: losing it costs time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from core.clock import Clock, SystemClock, monotonic
from core.events import ContextCompressed, Event, ModelRequested, ModelResponded
from core.folds.fold import Dispatcher
from core.folds.totals import Totals
from core.journal.catalogue import SESSIONS, Summary, Trace, damaged, session_folders, summary_of, trace
from core.journal.errors import JournalError
from core.journal.lease import holder
from core.journal.reader import Reader

CACHE: Final = "sessions.cache"
VERSION: Final = 4
STEP_S: Final = 0.15
"""Time between two partial answers of a look that takes longer."""
SETTLED_NS: Final = 2_000_000_000
"""A file that changed so shortly before it was read may change again within its clock's tick: not to be trusted yet."""
_TAIL: Final = 60
_TASK_CHARACTERS: Final = 500


class Figures(msgspec.Struct, frozen=True):
    """What the log comes to. `usd` is the known part (decimal string); `context` tokens of the newest request, or of
    what a compression made of it, `window` None where it is unknown; `waiting` for the next try of a request; `asking`
    its user before a call.
    """

    calls: int = 0
    usd: str = "0"
    unpriced: int = 0
    started_us: int = 0
    lasted_us: int = 0
    context: int = 0
    window: int | None = None
    waiting: bool = False
    asking: bool = False


class Overview(msgspec.Struct, frozen=True):
    """One session: what its catalogue entry says, what its log comes to, and by which trace both were read."""

    summary: Summary
    figures: Figures
    trace: Trace
    read_ns: int = 0

    @property
    def id(self) -> str:
        return self.summary.id

    @classmethod
    def missing(cls, id: str, folder: Path) -> Overview:
        """A session that went away while it was looked at."""
        return cls(Summary(id, folder, "damaged", 0, detail="It is no longer there."), Figures(), Trace(0, 0, 0, 0))

    @property
    def active_us(self) -> int:
        """When it last did anything; of a damaged one, when its files last changed."""
        return self.summary.last_us or self.summary.changed_ns // 1000

    @property
    def lasted_us(self) -> int:
        """From its first event to its end, or to the last event while it has none."""
        return self.figures.lasted_us

    @property
    def usd(self) -> Decimal:
        """The known part of its cost."""
        return Decimal(self.figures.usd)


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of `total` sessions; complete once `unread` is 0."""

    sessions: list[Overview]
    unread: int = 0

    @property
    def total(self) -> int:
        return len(self.sessions) + self.unread


class _Kept(msgspec.Struct):
    version: tuple[int, int]
    sessions: list[Overview]


class _Counting:
    """The totals of one session, going on from where they were read last."""

    def __init__(self, reader: Reader) -> None:
        stored = reader.snapshot(Totals.NAME, Totals.VERSION)
        self.totals = msgspec.json.decode(stored[1], type=Totals) if stored else Totals()
        self._dispatch = Dispatcher([self.totals])
        self._context = 0
        self._window: int | None = None
        if stored:
            self._observe(reader.events(max(0, self.totals.seq - _TAIL), _TAIL))

    def go_on(self, reader: Reader) -> Figures:
        events = reader.events(self.totals.seq)
        for event in events:
            self.totals.observe(event)
            self._dispatch.apply(event)
        self._observe(events)
        totals = self.totals
        return Figures(
            calls=totals.tool_calls,
            usd=totals.usd,
            unpriced=totals.unpriced,
            started_us=totals.started_us,
            lasted_us=totals.lasted_us,
            context=self._context,
            window=self._window,
            waiting=totals.state == "waiting" and totals.reason == "retry",
            asking=totals.state == "waiting" and totals.reason in ("approval", "question"),
        )

    def _observe(self, events: list[Event]) -> None:
        for event in events:
            match event.body:
                case ModelRequested(purpose="main") as asked:
                    self._window = asked.window
                case ModelResponded() as reply:
                    self._context = reply.usage.sent
                case ContextCompressed() as made:
                    self._context = made.tokens_after


class Overviews:
    """The sessions of one home. Methods block: call them in a thread, one at a time."""

    def __init__(self, home: Path, clock: Clock | None = None) -> None:
        self.home, self._clock = home, clock or SystemClock()
        self._known: dict[str, Overview] = {}
        self._counting: dict[str, _Counting] = {}
        self._loaded = self._changed = False

    def look(self) -> Iterator[Look]:
        """Everything that is known, every `STEP_S` a little more, at last all of it. Raises JournalError.

        What runs is read first, then what changed last.
        """
        self._load()
        traced = {folder: found for folder in session_folders(self.home) if (found := trace(folder)) is not None}
        gone = self._known.keys() - {folder.name for folder in traced}
        for name in gone:
            self._changed = True
            del self._known[name]
            self._counting.pop(name, None)
        stale = [folder for folder, found in traced.items() if not self._fresh(folder, found)]
        stale.sort(key=lambda folder: (holder(folder) is not None, traced[folder].changed_ns), reverse=True)
        told_s = monotonic()
        for count, folder in enumerate(stale):
            if monotonic() - told_s >= STEP_S:
                yield self._look(traced, stale[count:])
                told_s = monotonic()
            self._known[folder.name] = self.read(folder, traced[folder])
            self._changed = True
        yield self._look(traced, [])

    def keep(self) -> None:
        """Write what is known to the home, for the next start; if a disk or a name refuses that, it is no matter."""
        if not self._changed:
            return
        aside = self.home / f".{CACHE}.{os.getpid()}"
        kept = _Kept((VERSION, Totals.VERSION), list(self._known.values()))
        with contextlib.suppress(OSError, UnicodeEncodeError):
            try:
                descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(msgspec.json.encode(kept, enc_hook=str))
                aside.replace(self.home / CACHE)
                self._changed = False
            finally:
                aside.unlink(missing_ok=True)

    def _look(self, traced: dict[Path, Trace], unread: list[Path]) -> Look:
        missing = sum(folder.name not in self._known for folder in unread)
        return Look([known for folder in traced if (known := self._known.get(folder.name))], missing)

    def _fresh(self, folder: Path, found: Trace) -> bool:
        known = self._known.get(folder.name)
        if known is None or known.trace != found or known.read_ns - found.changed_ns <= SETTLED_NS:
            return False
        return not known.summary.held or holder(folder) is not None

    def read(self, folder: Path, found: Trace) -> Overview:
        """One session as its journal tells it now. Never raises: what can't be read is damaged, with the sentence."""
        read_ns = self._clock.now_us() * 1000
        try:
            with Reader(folder) as reader:
                summary, figures = summary_of(reader, found.changed_ns), self._count(reader)
        except JournalError as error:
            self._counting.pop(folder.name, None)
            return Overview(damaged(folder, found.changed_ns, error), Figures(), found, read_ns)
        if not summary.held:
            self._counting.pop(folder.name, None)
        return Overview(replace(summary, task=summary.task[:_TASK_CHARACTERS]), figures, found, read_ns)

    def _count(self, reader: Reader) -> Figures:
        counting = self._counting.get(reader.folder.name)
        if counting is None:
            counting = self._counting[reader.folder.name] = _Counting(reader)
        return counting.go_on(reader)

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            data = (self.home / CACHE).read_bytes()
            kept = msgspec.json.decode(data, type=_Kept, dec_hook=lambda kind, value: kind(value))
            if kept.version == (VERSION, Totals.VERSION):
                here = self.home / SESSIONS
                self._known = {one.id: one for one in kept.sessions if one.summary.folder.parent == here}


def read_totals(folder: Path) -> Totals:
    """The counters of a session: its newest snapshot and the events since; blocks. Raises JournalError."""
    with Reader(folder) as reader:
        stored = reader.snapshot(Totals.NAME, Totals.VERSION)
        totals = _stored_totals(stored[1]) if stored else Totals()
        dispatch = Dispatcher([totals])
        for event in reader.events(totals.seq):
            totals.observe(event)
            dispatch.apply(event)
    return totals


def _stored_totals(body: bytes) -> Totals:
    """A snapshot of the counters; where it is damaged, none: everything is counted again."""
    try:
        return msgspec.json.decode(body, type=Totals)
    except msgspec.DecodeError:
        return Totals()
