"""What befell a rehearsal, as its log has it, and what somebody at a screen was told: the words of the alarm."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.clock import MICROSECONDS
from core.events import (
    Event,
    MachineSlept,
    ModelRequested,
    RetryWaiting,
    RunnerAttached,
    RunnerRecovered,
    ScreenCame,
    ScreenLost,
    SessionPaused,
)
from core.folds.alarms.alarm import Alarm, Look
from core.folds.alarms.finding import alarms
from core.folds.verdict import lasted
from core.folds.view import SessionView
from core.journal.lease import holder
from core.journal.reader import Reader
from core.rehearsal.stage import Staged, sent_to_terminals

HOUR_US = 3_600 * MICROSECONDS
GONE = "its runner is gone"
NEVER = "not in the log"
UNTOLD = "no alarm"


class Befallen(NamedTuple):
    """`hour` of the session, empty where it never came; what the log says; the words of the alarm that was raised."""

    what: str
    hour: str
    logged: str
    alarm: str


class Witnessed(msgspec.Struct, frozen=True):
    """What a screen says of a session whose process was killed after event `seq`, and that nobody has resumed yet."""

    seq: int
    alarm: str


def witness(staged: Staged) -> None:
    """Look at a killed session as a screen does, and note what the look came to. Blocks. Raises OSError."""
    events, view = _read(staged)
    gone = "" if holder(staged.folder) else GONE
    found = alarms(view, None, Look(now_us=events[-1].at_us, gone=gone))
    with _notes(staged).open("ab") as file:
        file.write(msgspec.json.encode(Witnessed(events[-1].seq, _words(found, "gone"))) + b"\n")


def befallen(staged: Staged) -> list[Befallen]:
    """Everything that the calendar has. Blocks."""
    log, sent = _Log(staged), sent_to_terminals(staged)
    drawn = int(sent.read_text(encoding="ascii")) if sent.exists() else 0
    return [
        log.failing("provider overloaded", "overloaded"),
        log.failing("streams cut", "stream_cut"),
        log.paused("key refused", "auth"),
        log.paused("disk full", "disk"),
        log.night(),
        *log.kills(),
        log.terminal(drawn),
    ]


class _Log:
    """A log that was read to its end, with the alarms as of any event."""

    def __init__(self, staged: Staged) -> None:
        self._events, self._view = _read(staged)
        self._witnessed = {one.seq: one.alarm for one in _noted(staged)}

    def failing(self, what: str, error: str) -> Befallen:
        """Requests that failed in one way: how many and for how long, what was said of the first, and how often."""
        waits = [event for event in self._events if isinstance(event.body, RetryWaiting) and event.body.error == error]
        if not waits:
            return Befallen(what, "", NEVER, UNTOLD)
        told = [words for event in waits if (words := self._alarm(event, "outage")) != UNTOLD]
        over = self._answered(waits[-1])
        long = f" in {lasted(over.at_us - waits[0].at_us)}" if error == "overloaded" else ""
        words = f"{(told or [UNTOLD])[-1]} ({len(told)} of {len(waits)} times)"
        return Befallen(what, self._hour(waits[0]), f"{len(waits)} tried again{long}", words)

    def paused(self, what: str, reason: str) -> Befallen:
        """A pause of its own accord, until it went on."""
        for pause in self._events:
            if isinstance(pause.body, SessionPaused) and pause.body.reason == reason:
                again = self._next(pause, lambda event: event.kind == "session.continued")
                logged = f"paused for {lasted(again.at_us - pause.at_us)}"
                return Befallen(what, self._hour(pause), logged, self._alarm(pause, "stopped"))
        return Befallen(what, "", NEVER, UNTOLD)

    def night(self) -> Befallen:
        """The machine slept. The screen is closed, too, so that the alarm is for whoever opens it again."""
        for event in self._events:
            if isinstance(event.body, MachineSlept):
                before, long = self._events[event.seq - 2], lasted(event.body.us)
                return Befallen("laptop closed", self._hour(before), f"slept for {long}", self._alarm(event, "asleep"))
        return Befallen("laptop closed", "", NEVER, UNTOLD)

    def terminal(self, drawn: int) -> Befallen:
        """A screen was lost, and another one came; they were sent so many bytes."""
        lost = next((event for event in self._events if isinstance(event.body, ScreenLost)), None)
        if lost is None:
            return Befallen("terminal lost", "", "it was over before that" if drawn else NEVER, UNTOLD)
        came = self._next(lost, lambda event: isinstance(event.body, ScreenCame))
        if not isinstance(came.body, ScreenCame):
            others = isinstance(lost.body, ScreenLost) and lost.body.others
            logged = "lost, others looked on" if others else "lost, and nobody came"
            return Befallen("terminal lost", self._hour(lost), logged, UNTOLD)
        logged = f"another came after {lasted(came.at_us - lost.at_us)}; {drawn:,} bytes to both"
        return Befallen("terminal lost", self._hour(lost), logged, self._alarm(came, "unseen"))

    def kills(self) -> list[Befallen]:
        """Runners that came without the one before having left, and what of its work was open."""
        found = []
        for before, event in pairwise(self._events):
            if not isinstance(event.body, RunnerAttached) or before.kind in ("session.opened", "runner.detached"):
                continue
            settled = self._settled(event)
            logged = f"resumed, {settled or 'no'} open {'call' if settled == 1 else 'calls'}"
            found.append(Befallen("killed", self._hour(before), logged, self._witnessed.get(before.seq, UNTOLD)))
        return found or [Befallen("killed", "", NEVER, UNTOLD)]

    def _settled(self, attached: Event) -> int:
        """How many calls a runner settled that it found open: before it asked for anything."""
        first = self._next(attached, lambda event: isinstance(event.body, RunnerRecovered | ModelRequested))
        return len(first.body.findings) if isinstance(first.body, RunnerRecovered) else 0

    def _hour(self, event: Event) -> str:
        return f"{(event.at_us - self._events[0].at_us) / HOUR_US:.1f}"

    def _alarm(self, event: Event, kind: str) -> str:
        return _words(alarms(self._view, event.seq), kind)

    def _answered(self, event: Event) -> Event:
        return self._next(event, lambda event: event.kind == "model.responded")

    def _next(self, event: Event, wanted: Callable[[Event], bool]) -> Event:
        """The first such event from this one on, the last one of all where there is none."""
        return next((one for one in self._events[event.seq :] if wanted(one)), self._events[-1])


def _words(found: Iterable[Alarm], kind: str) -> str:
    return next((alarm.words[0] for alarm in found if alarm.kind == kind), UNTOLD)


def _read(staged: Staged) -> tuple[list[Event], SessionView]:
    view = SessionView()
    with Reader(staged.folder) as reader:
        events = reader.events()
    for event in events:
        view.apply(event)
    return events, view


def _notes(staged: Staged) -> Path:
    return staged.workspace.parent / "witnessed.jsonl"


def _noted(staged: Staged) -> list[Witnessed]:
    path = _notes(staged)
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [msgspec.json.decode(line, type=Witnessed) for line in lines]
