"""What befalls a rehearsal: outages, kills, a full disk, a night with the laptop closed, each at a named event.

An event is named by the call after which it comes, so that a session meets the same on a slow machine and a fast one.
What takes time takes it on the virtual clock.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.clock import MICROSECONDS, VirtualClock, pause_real
from core.events import Event, ModelResponded, SessionPaused, ToolStarted
from core.rehearsal.pace import HOURS, Hours
from core.simulator import Fault, FaultKind, Faults

OUTAGE_S = 2 * 3_600
NIGHT_S = 6 * 3_600
ROTATED_S = 25 * 60
"""Until somebody's script has stored another key."""
FULL_S, NOTICED_S = 60, 1.5
_CUT_AFTER = "4"
"""Events of a reply that arrive before its stream is cut."""


class Happening(StrEnum):
    """What can befall it."""

    OUTAGE = "outage"
    CUT = "cut stream"
    EXPIRED = "expired key"
    NIGHT = "night"
    KILLED = "killed"
    KILLED_IN_CALL = "killed in a call"
    FULL_DISK = "full disk"
    TERMINAL = "terminal lost"


@dataclass(frozen=True, slots=True)
class Due:
    """After so many calls."""

    calls: int
    what: Happening


_BEGINS: dict[float, Happening] = {
    9: Happening.OUTAGE,
    12.2: Happening.KILLED,
    13: Happening.NIGHT,
    21.5: Happening.FULL_DISK,
    22.5: Happening.TERMINAL,
    27: Happening.EXPIRED,
    30: Happening.KILLED_IN_CALL,
}
_LASTS_S = {
    Happening.OUTAGE: OUTAGE_S,
    Happening.NIGHT: NIGHT_S,
    Happening.FULL_DISK: FULL_S,
    Happening.EXPIRED: ROTATED_S,
}
STILL_H: dict[float, float] = {hour: _LASTS_S[what] / 3_600 for hour, what in _BEGINS.items() if what in _LASTS_S}
"""From which hour of the reference session on the agent can't work, and for how many hours."""


def due(calls: int) -> tuple[Due, ...]:
    """What befalls a rehearsal of so many calls. A stream is cut in each hour in which it works."""
    hours = Hours(calls, STILL_H)
    cut = {hours.call(hour + 0.5) for hour in range(HOURS) if hours.works(hour + 0.5)}
    single = (Due(hours.call(hour), what) for hour, what in _BEGINS.items())
    return tuple(sorted((*single, *(Due(place, Happening.CUT) for place in cut)), key=_order))


def _order(one: Due) -> tuple[int, str]:
    return one.calls, one.what


class Weather(Faults):
    """What the provider does: refuses for a while, cuts a stream now and then."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self._refuses_s = 0.0
        self._until_us = 0
        self._cuts = 0

    def refuse(self, seconds: float) -> None:
        """Overloaded from the next request on for so long."""
        self._refuses_s = seconds

    def cut(self) -> None:
        """Cut the next stream."""
        self._cuts += 1

    def take(self, request: int, text: str) -> Fault | None:
        if self._refuses_s:
            self._until_us = self._clock.now_us() + int(self._refuses_s * MICROSECONDS)
            self._refuses_s = 0.0
        if self._clock.now_us() < self._until_us:
            return Fault(FaultKind.OVERLOADED)
        if self._cuts:
            self._cuts -= 1
            return Fault(FaultKind.CUT, value=_CUT_AFTER)
        return None


class FullDisk:
    """A disk that is full for a minute, for this process alone and without root: no file of it may grow meanwhile.

    The room that the session gives up (`reserve`) is free to it at once, until it has written down that it waits. The
    minute passes on the virtual clock; really it lasts as long as it takes to be noticed.
    """

    def __init__(self, clock: VirtualClock, reserve: Path) -> None:
        self._clock, self._reserve = clock, str(reserve)
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        self._full = False
        self._noted = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def fill(self) -> None:
        sys.addaudithook(self._heard)  # told of the removal before whoever removes goes on
        self._limit(0)
        task = asyncio.get_running_loop().create_task(self._lasts())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def noted(self) -> None:
        """The session has written down that it waits for room, of which there is none from here on."""
        if self._tasks:
            self._limit(0)
        self._noted.set()

    async def _lasts(self) -> None:
        try:
            await self._noted.wait()
            await pause_real(NOTICED_S)
        finally:
            self._limit(None)
        self._clock.advance(FULL_S)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        given_up = event == "os.remove" and str(arguments[0]) == self._reserve
        if given_up and self._full and not self._noted.is_set():
            self._limit(None)

    def _limit(self, size: int | None) -> None:
        """How large a file may be; None: as large as before."""
        self._full = size is not None
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits if size is None else (size, self._limits[1]))


class Lull:
    """Knows when nothing is under way: all calls of the newest reply have ended, and no request is out yet.

    What comes from outside comes then, so that it does not hang on which of several calls was faster.
    """

    def __init__(self) -> None:
        self._open = -1

    @classmethod
    def last(cls, events: list[Event]) -> int:
        """How many calls had ended at the last one of a log."""
        lull, calls, settled = cls(), 0, 0
        for event in events:
            calls += event.kind == "tool.finished"
            settled = calls if lull.begins(event) else settled
        return settled

    def begins(self, event: Event) -> bool:
        """Whether this event ends the last of them. After a process began that is not told before the next reply."""
        if isinstance(event.body, ModelResponded):
            self._open = sum(block.get("type") == "tool_use" for block in event.body.content)
        elif event.kind == "tool.finished":
            self._open -= 1
            return self._open == 0
        return False


@dataclass(slots=True)
class Around:
    """What a calendar can reach: the clock, the provider, the variable with the key, the disk, the terminal. All that
    takes time takes `share` of what it takes in the reference session.

    `expect` tells the provider which key is good; `disk_noted` hears that the session waits for room; `before_death`
    runs before this process is killed; `lose_terminal` has a viewer lose its terminal and another come.
    """

    clock: VirtualClock
    weather: Weather
    environ: MutableMapping[str, str]
    variable: str
    expect: Callable[[str], None]
    fill_disk: Callable[[], None]
    disk_noted: Callable[[], None]
    share: float = 1.0
    before_death: Callable[[], None] = lambda: None
    lose_terminal: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Calendar:
    """Watches the log and lets happen what is due. `calls`: how many there have been."""

    around: Around
    calls: int
    left: list[Due] = field(default_factory=list)
    _dies_in_call: bool = False
    _lull: Lull = field(default_factory=Lull)

    @classmethod
    def of(cls, around: Around, calls: int, everything: tuple[Due, ...], settled: int | None = None) -> Calendar:
        """`settled`: calls at the last lull, until which all that was due has come (None: as many as there are)."""
        come = calls if settled is None else settled
        return cls(around, calls, [one for one in everything if one.calls > come])

    def observe(self, events: list[Event]) -> None:
        """To be called after each commit."""
        for event in events:
            body = event.body
            self.calls += event.kind == "tool.finished"
            if isinstance(body, ToolStarted) and body.effect == "command" and self._dies_in_call:
                self._die()
            elif isinstance(body, SessionPaused) and body.reason == "auth":
                self._rotate()
            elif isinstance(body, SessionPaused) and body.reason == "disk":
                self.around.disk_noted()
            if self._lull.begins(event):
                self._come()

    def _come(self) -> None:
        """Let happen what is due; the end of this process waits for the next lull, for it would take the rest along."""
        come = [one for one in self.left if one.calls <= self.calls]
        ends = [one for one in come if one.what is Happening.KILLED]
        others = [one for one in come if one.what is not Happening.KILLED]
        self.left = [*(ends if others else []), *self.left[len(come) :]]
        for one in others or ends:
            self._happen(one.what)

    def _happen(self, what: Happening) -> None:
        around = self.around
        match what:
            case Happening.OUTAGE:
                around.weather.refuse(around.share * OUTAGE_S)
            case Happening.CUT:
                around.weather.cut()
            case Happening.EXPIRED:
                around.expect(f"{around.environ[around.variable]}-next")
            case Happening.NIGHT:
                around.clock.suspend(around.share * NIGHT_S)
            case Happening.KILLED:
                self._die()
            case Happening.KILLED_IN_CALL:
                self._dies_in_call = True
            case Happening.FULL_DISK:
                around.fill_disk()
            case Happening.TERMINAL:
                around.lose_terminal()

    def _rotate(self) -> None:
        self.around.clock.advance(self.around.share * ROTATED_S)
        self.around.environ[self.around.variable] += "-next"

    def _die(self) -> None:
        self.around.before_death()
        os.kill(os.getpid(), signal.SIGKILL)
