"""Is a running command slow, or does it hang? Facts from its files and /proc; a pure judgement; nothing is ever ended.

A command that writes or computes is at work. One that has done neither for minutes may hang: it may also sleep, or wait
for a network, which nobody can tell from outside; so it is only said.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from core.clock import MICROSECONDS, Clock, SystemClock
from core.tools import processes
from core.tools.jobs import MARK, Phase, job_status, output_path

TELL_AFTER_S: Final = 5.0
"""A command that runs for less is not worth a word."""
QUIET_S: Final = 30.0
"""Without output for so long, a command counts as silent."""
HANG_AFTER_S: Final = 120.0
"""Silent and idle for so long, a command may hang."""
KEPT: Final = 60
"""Looks over which the use of the processor is told."""
IDLE_SHARE: Final = 0.005
"""Less of one processor than this is none."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """One look at a running command. Seconds; `cpu_s` of all its processes, None where they can't be seen from here."""

    at_s: float
    running_s: float
    silent_s: float
    size: int
    cpu_s: float | None
    processes: int = 0


@dataclass(frozen=True, slots=True)
class Pulse:
    """What several looks come to. `words` as in `command 12 min, output 3 s ago`."""

    words: str
    may_hang: bool = False


class Pulses:
    """Looks at the running command of a session, one after the other, and what they come to.

    Time in which the machine slept between them is not held against a command: it could neither write nor compute.
    """

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self._jobs = folder / "jobs"
        self._clock = clock or SystemClock()
        self._call, self._size = "", -1
        self._looks: deque[Vitals] = deque(maxlen=KEPT)
        self._asleep_s = self._at_first_s = self._at_output_s = 0.0
        """What the machine had slept by the last look, by the first one, and by the one before the last output."""

    def feel(self, call: str) -> Pulse | None:
        """How the command of this call is. Blocks; never raises."""
        asleep_s = self._clock.asleep_us() / MICROSECONDS
        if call != self._call:
            self._call, self._size = call, -1
            self._looks.clear()
            self._asleep_s = self._at_first_s = asleep_s
        if (seen := look_at(self._jobs / call)) is not None:
            if seen.size != self._size:
                self._size, self._at_output_s = seen.size, self._asleep_s
            self._asleep_s = asleep_s
            self._looks.append(self._awake(seen))
        return judge(self._looks)

    def _awake(self, seen: Vitals) -> Vitals:
        return replace(
            seen,
            at_s=seen.at_s - self._asleep_s,
            running_s=max(0.0, seen.running_s - (self._asleep_s - self._at_first_s)),
            silent_s=max(0.0, seen.silent_s - (self._asleep_s - self._at_output_s)),
        )


def judge(looks: Iterable[Vitals]) -> Pulse | None:
    """How a command is, by the looks at it, oldest first; None while there is nothing worth saying."""
    seen = list(looks)
    now = seen[-1] if seen else None
    if now is None or now.running_s < TELL_AFTER_S:
        return None
    if now.silent_s < QUIET_S:
        return Pulse(f"command {_span(now.running_s)}, output {_span(now.silent_s)} ago")
    silent, share = f"command silent for {_span(now.silent_s)}", _share(seen)
    if share is None:
        return Pulse(silent)
    if share >= IDLE_SHARE:
        return Pulse(f"{silent}, CPU {max(share, 0.01):.0%}")
    may_hang = now.silent_s >= HANG_AFTER_S
    return Pulse(f"{silent}, 0 CPU" + (": may hang" if may_hang else ""), may_hang)


def _share(seen: list[Vitals]) -> float | None:
    """The share of a processor that was used since the oldest look, or since the start where there is one look only."""
    first, now = seen[0], seen[-1]
    if now.cpu_s is None or first.cpu_s is None:
        return None
    if now.at_s > first.at_s:
        return max(0.0, now.cpu_s - first.cpu_s) / (now.at_s - first.at_s)
    return now.cpu_s / now.running_s


def _span(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 5 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def look_at(folder: Path) -> Vitals | None:
    """One look at the job in `folder`; None when none runs there. Blocks for about as long as a `ps`; never raises."""
    state = job_status(folder)
    try:
        started, output = (folder / "started").stat(), output_path(folder).stat()
    except OSError:
        return None
    if state.phase is not Phase.RUNNING:
        return None
    now_s = SystemClock().now_us() / MICROSECONDS
    last_s = max(started.st_mtime, output.st_mtime) if output.st_size else started.st_mtime
    cpu_s, count = _used(state.process.pid, f"{MARK}={folder}".encode()) if state.process else (None, 0)
    running_s, silent_s = max(0.0, now_s - started.st_mtime), max(0.0, now_s - last_s)
    return Vitals(now_s, running_s, silent_s, output.st_size, cpu_s, count)


def _used(leader: int, mark: bytes) -> tuple[float, int]:
    """Seconds of CPU that a job's processes and their finished children have used, and how many live."""
    family = processes.family(leader, mark)
    ticks = sum(processes.cpu_ticks(pid) for pid in family)
    return ticks / os.sysconf("SC_CLK_TCK"), len(family)
