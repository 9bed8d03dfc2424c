"""Processes as /proc shows them: who is who, who descends from whom, and how to end a whole family.

A pid alone names nobody for long: a process is known by boot id, pid and start time. Where there is no /proc (macOS)
nothing can be told apart, so `alive` says no and only process groups are signalled.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from core.clock import monotonic, pause_real

SANDBOX = "bwrap"
"""The name of the process that holds a sandbox."""
_ROUNDS = 40
_PROC = Path("/proc")
_FIRST_LOOK_S: Final = 0.004
LATEST_LOOK_S: Final = 0.1
"""Seconds between two looks at a process whose end nobody tells, at first and later on."""


class Process(NamedTuple):
    """One line of /proc/<pid>/stat. `start` is in clock ticks since boot; `name` is what the process says it is."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    start: int
    name: str = ""


def parse(stat: str) -> Process | None:
    """The fields of a `stat` line; the name in it may contain anything, so they count from the last bracket."""
    front, _, back = stat.rpartition(")")
    fields = back.split()
    try:
        pid, _, name = front.partition(" ")
        parent, group, session, start = (int(fields[number]) for number in (1, 2, 3, 19))
        return Process(int(pid), fields[0], parent, group, session, start, name.lstrip("("))
    except (ValueError, IndexError):
        return None


def look(pid: int) -> Process | None:
    """The process that has this pid now; None when there is none, or only what is left of one (a zombie)."""
    try:
        process = parse((_PROC / str(pid) / "stat").read_bytes().decode("utf-8", "replace"))
    except OSError:
        return None
    return None if process is None or process.state in "ZX" else process


def cpu_ticks(pid: int) -> int:
    """Clock ticks of CPU that a process and its finished children have used; 0 when it is gone."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        return sum(map(int, fields[11:15]))
    except (OSError, ValueError):
        return 0


@cache
def boot_id() -> str:
    """Names this boot of the machine; empty where that can't be told."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def age(process: Process) -> float:
    """Seconds since it started; time that the machine slept is not held against it."""
    return max(0.0, monotonic() - process.start / os.sysconf("SC_CLK_TCK"))


def _pids() -> list[int]:
    """All but our own, zombies too; none where there is no /proc."""
    try:
        return [int(name) for name in os.listdir(_PROC) if name.isdigit() and int(name) != os.getpid()]  # noqa: PTH208
    except OSError:
        return []


def everyone() -> Iterator[Process]:
    """All living processes but our own."""
    return (process for pid in _pids() if (process := look(pid)) is not None)


def marked(pid: int, mark: bytes) -> bool:
    """Whether the process was started with `mark` (`NAME=value`) in its environment, which it inherits for ever."""
    try:
        return mark in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def family(leader: int | None, mark: bytes) -> set[int]:
    """Who belongs to a job: its leader's group and session, whoever carries its mark, and all their descendants.

    The mark finds those that went into a session of their own and whose parents are gone. `leader` must be alive.
    """
    everybody = list(everyone())
    members = {it.pid for it in everybody if leader in (it.pid, it.group, it.session) or marked(it.pid, mark)}
    found = members
    while found:
        found = {it.pid for it in everybody if it.parent in found} - members
        members = members | found
    return members


def stragglers(session: int, mark: bytes) -> set[int]:
    """Members of a session whose leader has ended, if there are any; a reused session id does not carry the mark."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, 0)
        members = (pid for pid in _pids() if _session_of(pid) == session)
        return {pid for pid in members if look(pid) is not None and marked(pid, mark)}
    return set()


def _session_of(pid: int) -> int | None:
    """Asked of the kernel, which takes a hundredth of the time that reading its `stat` does."""
    with suppress(OSError):
        return os.getsid(pid)
    return None


def sandboxes(pids: set[int]) -> set[int]:
    """Those that hold a sandbox: with the first of them everything inside is killed at once."""
    return {pid for pid in pids if (process := look(pid)) is not None and process.name == SANDBOX}


def send(pids: set[int], number: signal.Signals) -> None:
    """Signal all of them; those that are gone or not ours are passed over."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def destroy(find: Callable[[], set[int]]) -> None:
    """KILL whoever `find` finds until it finds nobody. Each round stops them first, so that none can fork away."""
    for _ in range(_ROUNDS):
        if not (pids := find()):
            return
        send(pids, signal.SIGSTOP)
        send(pids, signal.SIGKILL)


class Vigil:
    """Waiting between two looks at a process: until its end, where the kernel tells of it; else a while."""

    def __init__(self, end: asyncio.Event | None) -> None:
        self._end = end
        self._pause_s = _FIRST_LOOK_S

    async def wait(self) -> None:
        """Until it is time to look again."""
        if self._end is None:
            await pause_real(self._pause_s)
            self._pause_s = min(self._pause_s * 1.5, LATEST_LOOK_S)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(LATEST_LOOK_S):
                await self._end.wait()
        if self._end.is_set():  # It is told once: whatever keeps its folder from saying so is waited for.
            self._end = None


@contextmanager
def vigil(child: int | None) -> Iterator[Vigil]:
    """A vigil for a child of ours; None: for a process of which only looking tells."""
    try:
        told = os.pidfd_open(child) if child is not None else None
    except (AttributeError, OSError):  # Another system, an old kernel.
        told = None
    if told is None:
        yield Vigil(None)
        return
    loop, end = asyncio.get_running_loop(), asyncio.Event()

    def ended() -> None:
        loop.remove_reader(told)
        end.set()

    loop.add_reader(told, ended)
    try:
        yield Vigil(end)
    finally:
        loop.remove_reader(told)
        os.close(told)
