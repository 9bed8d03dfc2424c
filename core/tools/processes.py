"""Processes as /proc shows them: who is who, who descends from whom, and how to end a whole family.

A pid alone names nobody for long: a process is known by boot id, pid and start time. Where there is no /proc (macOS)
nothing can be told apart, so `alive` says no and only process groups are signalled.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from core.clock import monotonic

SANDBOX = "bwrap"
"""The name of the process that holds a sandbox."""
_ROUNDS = 40
_PROC = Path("/proc")


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
        process = parse((_PROC / str(pid) / "stat").read_text("utf-8", "replace"))
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


def boot_id() -> str:
    """Names this boot of the machine; empty where that can't be told."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def age(process: Process) -> float:
    """Seconds since it started; time that the machine slept is not held against it."""
    return max(0.0, monotonic() - process.start / os.sysconf("SC_CLK_TCK"))


def everyone() -> Iterator[Process]:
    """All living processes but our own."""
    if not _PROC.is_dir():
        return
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    yield from (process for pid in pids if pid != os.getpid() and (process := look(pid)) is not None)


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
        return {it.pid for it in everyone() if it.session == session and marked(it.pid, mark)}
    return set()


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
