"""What befalls a rehearsal: outages, kills, a full disk, a night with the laptop closed, each at a named event.

An event is named by the call after which it comes, so that a session meets the same on a slow machine and a fast one.
What takes time takes it on the virtual clock.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.clock import MICROSECONDS, VirtualClock, pause_real
from core.events import Event, SessionPaused
from core.simulator import Fault, FaultKind, Faults

HOURS = 35
"""Hours of the reference session; a shorter rehearsal meets the same at the same share of its calls."""
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


_HOURS: tuple[tuple[float, Happening], ...] = (
    (9, Happening.OUTAGE),
    (14, Happening.KILLED),
    (16, Happening.NIGHT),
    (21, Happening.FULL_DISK),
    (22, Happening.TERMINAL),
    (27, Happening.EXPIRED),
    (30, Happening.KILLED_IN_CALL),
    *((hour + 0.5, Happening.CUT) for hour in range(HOURS)),
)


def due(calls: int) -> tuple[Due, ...]:
    """The reference session's happenings in a rehearsal of so many calls."""
    return tuple(sorted((Due(max(1, round(calls * hour / HOURS)), what) for hour, what in _HOURS), key=_order))


def still_s(share: float) -> float:
    """Seconds in which the agent can't work, which its pauses leave room for. `share`: of the reference's calls."""
    return share * (OUTAGE_S + NIGHT_S + ROTATED_S + FULL_S)


def _order(one: Due) -> tuple[int, str]:
    return one.calls, one.what


class Weather(Faults):
    """What the provider does: refuses for a while, cuts a stream now and then."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self._until_us = 0
        self._cuts = 0

    def refuse(self, seconds: float) -> None:
        """Overloaded from now on for so long."""
        self._until_us = self._clock.now_us() + int(seconds * MICROSECONDS)

    def cut(self) -> None:
        """Cut the next stream."""
        self._cuts += 1

    def take(self, request: int, text: str) -> Fault | None:
        if self._clock.now_us() < self._until_us:
            return Fault(FaultKind.OVERLOADED)
        if self._cuts:
            self._cuts -= 1
            return Fault(FaultKind.CUT, value=_CUT_AFTER)
        return None


class FullDisk:
    """A disk that is full for a minute, for this process alone and without root: no file of it may grow meanwhile.

    The minute passes on the virtual clock; really it lasts as long as it takes to be noticed.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def fill(self) -> None:
        task = asyncio.get_running_loop().create_task(self._lasts())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _lasts(self) -> None:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        try:
            await pause_real(NOTICED_S)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        self._clock.advance(FULL_S)


@dataclass(slots=True)
class Around:
    """What a calendar can reach: the clock, the provider, the variable with the key, the disk, the terminal. All that
    takes time takes `share` of what it takes in the reference session.

    `expect` tells the provider which key is good; `before_death` runs before this process is killed; `lose_terminal`
    has a viewer lose its terminal and another come.
    """

    clock: VirtualClock
    weather: Weather
    environ: MutableMapping[str, str]
    variable: str
    expect: Callable[[str], None]
    fill_disk: Callable[[], None]
    share: float = 1.0
    before_death: Callable[[], None] = lambda: None
    lose_terminal: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Calendar:
    """Watches the log and lets happen what is due. `calls`: how many there were before this process began."""

    around: Around
    calls: int
    left: list[Due] = field(default_factory=list)
    _dies_in_call: bool = False

    @classmethod
    def of(cls, around: Around, calls: int, everything: tuple[Due, ...]) -> Calendar:
        return cls(around, calls, [one for one in everything if one.calls > calls])

    def observe(self, events: list[Event]) -> None:
        """To be called after each commit."""
        for event in events:
            if event.kind == "tool.finished":
                self.calls += 1
            elif event.kind == "tool.started" and self._dies_in_call:
                self._die()
            elif isinstance(event.body, SessionPaused) and event.body.reason == "auth":
                self._rotate()
        while self.left and self.left[0].calls <= self.calls:
            self._happen(self.left.pop(0).what)

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
                around.clock.advance(around.share * NIGHT_S)
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
