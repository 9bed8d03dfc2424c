"""P7: on a disk that is full, refuses or is busy, a session waits, says why, loses nothing and goes on by itself."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

from forked import BROKE, finish, fork, kill, wait
from labour import KINDS, Labour, turn
from promise import Count, Promise, delayed_s, scratch

from core.agent import runner
from core.journal.reserve import Reserve
from core.journal.store import Store

TURNS = 10
DISK = "3m"
REFUSALS = {
    "read-only": sqlite3.SQLITE_READONLY,
    "no file handle left": sqlite3.SQLITE_CANTOPEN,
    "busy": sqlite3.SQLITE_BUSY,
    "an error of the device": sqlite3.SQLITE_IOERR_WRITE,
    "full": sqlite3.SQLITE_FULL,
}
LASTS = 4
"""Commits in a row that are refused."""
WAITS_S, LOOK_S = 30.0, 0.02
CONTROL_WAITS_S = 4.0
"""What never says why it waits need not be waited for so long."""
LUCK = 4
"""So many lucky ones are no wonder: they are about one in five."""


def trial(count: int, seed: int) -> Count:
    """Every third disk is really full, where one can be mounted; the others refuse some commits in a row."""
    pick, found = random.Random(seed), Count()
    mounts = can_mount()
    for number in range(count):
        if mounts and number % 3 == 0:
            with disk() as place:
                found.note(_filled(Labour(place / "s")))
            found.see("full disks")
        else:
            with scratch("disk-") as place:
                found.note(_refused(Labour(place), list(REFUSALS)[number % len(REFUSALS)], pick.randint(3, 40)))
    return found


def control(count: int, seed: int) -> Count:
    """A session that kept no room: it can't write down why it waits, but by luck, in what its log's last page holds."""
    found = Count()
    while found.broken < count and found.tried < count + LUCK:
        with disk() as place, patch.object(Reserve, "_take", lambda self: None):
            found.note(_filled(Labour(place / "s"), CONTROL_WAITS_S, stays=True))
        found.see("full disks")
    return found


def can_mount() -> bool:
    """Whether a small disk can be had here."""
    try:
        with disk():
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def disk() -> Iterator[Path]:
    """A small file system of its own."""
    with tempfile.TemporaryDirectory(prefix="disk-") as place:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", place], check=True, capture_output=True)
        try:
            yield Path(place)
        finally:
            subprocess.run(["umount", "-l", place], check=True, capture_output=True)


def _begun(labour: Labour) -> None:
    labour.place.mkdir(exist_ok=True)
    script = [turn(KINDS[number % len(KINDS)], number) for number in range(TURNS)]
    assert finish(lambda: labour.begin(script), labour.log) == 0, labour.log.read_text()


def _agent(labour: Labour) -> Callable[[], int]:
    def agent() -> int:
        with patch.object(runner, "DISK_RETRY_S", 0.05):
            return labour.agent()

    return agent


def _filled(labour: Labour, waits_s: float = WAITS_S, stays: bool = False) -> list[str]:
    """Fill the disk while the agent works, wait until it says so, make room, let it end.

    `stays`: what the agent frees meanwhile is taken as well.
    """
    _begun(labour)
    pid, ballast = fork(_agent(labour), labour.log), labour.place.parent / "ballast"
    problems: list[str] = []
    if not _until(lambda: _count(labour, "tool.finished") >= 2, pid):
        problems.append("it did not begin")
    with ballast.open("wb", buffering=0) as out:
        _fill(out.fileno())

        def says_so() -> bool:
            if stays:
                _fill(out.fileno())
            return "disk" in _reasons(labour)

        if not _until(says_so, pid, waits_s):
            problems.append(f"it does not say that the disk is full: {_reasons(labour)}")
    problems += labour.damage()
    ballast.unlink()
    code = wait(pid, waits_s)
    if code is None:
        kill(pid)
        problems.append("it did not go on by itself")
        code = finish(_agent(labour), labour.log)
    return _judged(labour, code, problems)


def _fill(descriptor: int) -> None:
    """Take what room there is."""
    with suppress(OSError):
        while os.write(descriptor, bytes(4096)):
            pass


def _until(condition: Callable[[], object], pid: int, waits_s: float = WAITS_S) -> bool:
    """Look again and again while the agent lives, at most for so long, not counting what it waits for a processor."""
    end = time.monotonic() + waits_s
    while time.monotonic() < end + delayed_s(pid):
        if condition():
            return True
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return bool(condition())
        time.sleep(LOOK_S)
    return False


def _count(labour: Labour, kind: str) -> int:
    return sum(event.kind == kind for event in labour.events())


def _reasons(labour: Labour) -> list[str]:
    return [event.body.reason for event in labour.events() if event.kind == "session.paused"]  # type: ignore[attr-defined]


def _refused(labour: Labour, how: str, after: int) -> list[str]:
    """From commit number `after` on the disk refuses some commits."""
    _begun(labour)
    commit, seen = Store.commit, [0]

    async def refusing(store, batch, blobs, tail):
        seen[0] += 1
        if after <= seen[0] < after + LASTS:
            error = sqlite3.OperationalError(how)
            error.sqlite_errorcode = REFUSALS[how]
            store._stale = True
            raise error
        await commit(store, batch, blobs, tail)

    def agent() -> int:
        with patch.object(Store, "commit", refusing):
            return _agent(labour)()

    return _judged(labour, finish(agent, labour.log), [])


def _judged(labour: Labour, code: int | str | None, problems: list[str]) -> list[str]:
    if code != 0:
        said = labour.log.read_text()[-300:] if code == BROKE else ""
        problems.append(f"it ended with {code}: {said}")
    return problems or labour.problems()


PROMISE = Promise(
    id="P7",
    says="On a disk that is full, read-only, busy or out of file handles a session waits, says why, loses nothing, "
    "and goes on by itself",
    unit="disks",
    aim=100,
    shard=30,
    quick=5,
    trial=trial,
    control=control,
    control_says="a session that keeps no room to say so",
    quick_control=1,
)
