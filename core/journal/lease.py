"""Who runs a session: one process at a time, by an flock that dies with its owner and a record that others can read.

The record in `lease.lock` names the owner (pid, process start time, host, boot id) and an epoch that grows with each
taking; the journal keeps the same epoch and refuses writes of an older one. The heartbeat is a file's time of change:
no commit, and visible where the lock is not (another host on a shared disk).
"""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec

from core.clock import MICROSECONDS, SystemClock, monotonic, pause_real
from core.journal.errors import JournalError

LOCK: Final = "lease.lock"
BEAT: Final = "lease.beat"
BEAT_EVERY_S: Final = 5.0
TRUSTED_S: Final = 30.0
LEFT_S: Final = 5.0
"""For how long a lock may outlive its owner: a child that it had just forked has it until its own program begins."""
BRIEF_S: Final = 30.0
"""For how long whoever has the session for a moment is waited for."""
LOOK_EVERY_S: Final = 0.02


class Holder(msgspec.Struct, frozen=True):
    """The owner of a lease. `pid` 0: nobody since `since_us`; `started` is the kernel's start time of the process."""

    pid: int = 0
    started: str = ""
    host: str = ""
    boot: str = ""
    epoch: int = 0
    since_us: int = 0
    version: str = ""
    """Of the product that the owner runs; empty when it is too old to say."""
    brief: bool = False
    """Whether it runs nothing: it writes down what was ordered, say, and is gone in a moment."""


class LeaseHeld(JournalError):
    """Another process runs the session; `still`: it has given no sign of life for a while."""

    def __init__(self, pid: int, host: str, since_us: int, *, still: bool = False) -> None:
        place = f"process {pid} on {host}" if pid else "another process"
        advice = (
            f"which has given no sign of life for {TRUSTED_S:.0f} s and more: it is stopped, or hangs. If it stays so, "
            "end that process, and resume the session"
            if still
            else "attach to it instead, or stop it first"
        )
        super().__init__(f"This session is already run by {place}{', ' if still else '; '}{advice}.")
        self.pid, self.host, self.since_us = pid, host, since_us


class Lease:
    """The right to run a session; held until `release` or the end of the process."""

    def __init__(self, folder: Path, descriptor: int, owner: Holder) -> None:
        self.folder, self.owner = folder, owner
        self._descriptor: int | None = descriptor

    @property
    def epoch(self) -> int:
        """Grows by one each time the session is taken."""
        return self.owner.epoch

    def beat(self) -> None:
        """Say that the owner lives; every `BEAT_EVERY_S` seconds is often enough."""
        _touch(self.folder / BEAT)

    def release(self) -> None:
        """Give the session back. Safe to call twice."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            _write(descriptor, Holder(epoch=self.epoch, since_us=SystemClock().now_us()))
        finally:
            os.close(descriptor)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()


def acquire(folder: Path, version: str = "", *, brief: bool = False) -> Lease:
    """Take the session, over a dead owner if need be; `version` of the product, and `brief`, are told to others.

    Raises LeaseHeld when its owner lives, JournalError otherwise.
    """
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise JournalError(f"The session in {folder} can't be written: {error.strerror}.") from error
    try:
        return _take(folder, descriptor, version, brief)
    except BaseException:
        os.close(descriptor)
        raise


async def taken(folder: Path, version: str = "", *, brief: bool = False) -> Lease:
    """The same as `acquire`, but a lock that a dead owner left behind is waited for, for `LEFT_S` at most.

    So is whoever has it for a moment: nobody who wants to run the session may fail for that.
    """
    began = monotonic()
    while True:
        try:
            return acquire(folder, version, brief=brief)
        except LeaseHeld:
            owner = holder(folder)
            patience_s = LEFT_S if owner is None else BRIEF_S if owner.brief else 0.0
            if monotonic() - began >= patience_s:
                raise
        await pause_real(LOOK_EVERY_S)


def _take(folder: Path, descriptor: int, version: str, brief: bool) -> Lease:
    locked = _lock(descriptor)
    last = _read(descriptor)
    mine = last.pid == os.getpid() and locked
    if not locked or (last.pid and not mine and _lives(last, folder)):
        raise LeaseHeld(last.pid, last.host, last.since_us, still=unresponsive(folder) is not None)
    owner = Holder(
        pid=os.getpid(),
        started=_start_time(os.getpid()) or "",
        host=socket.gethostname(),
        boot=_boot_id(),
        epoch=last.epoch + 1,
        since_us=SystemClock().now_us(),
        version=version,
        brief=brief,
    )
    _write(descriptor, owner)
    _touch(folder / BEAT)
    return Lease(folder, descriptor, owner)


def holder(folder: Path) -> Holder | None:
    """Who runs the session now, or None; looks without taking or touching anything."""
    try:
        record = _decode((folder / LOCK).read_bytes())
    except OSError:
        return None
    return record if record.pid and _lives(record, folder) else None


def unresponsive(folder: Path) -> int | None:
    """The process that runs the session and has given no sign of life for `TRUSTED_S`: it is stopped, or hangs.

    None where nobody runs it, or whoever does is well.
    """
    owner = holder(folder)
    return owner.pid if owner is not None and _beat_age_s(folder) >= TRUSTED_S else None


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # A disk without locks: the record and its heartbeat decide.
    return True


def _lives(owner: Holder, folder: Path) -> bool:
    """On this boot the process table knows; anywhere else the heartbeat tells."""
    if owner.host == socket.gethostname() and owner.boot == _boot_id():
        return _start_time(owner.pid) == owner.started
    if owner.host == socket.gethostname() and owner.boot:
        return False
    return _beat_age_s(folder) < TRUSTED_S


def _beat_age_s(folder: Path) -> float:
    try:
        beat_us = (folder / BEAT).stat().st_mtime_ns // 1000
    except OSError:
        return float("inf")
    return (SystemClock().now_us() - beat_us) / MICROSECONDS


def _start_time(pid: int) -> str | None:
    """Start time of a process in clock ticks since boot ("" where /proc is missing); None when it is dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None if Path("/proc/self/stat").exists() or not _signalled(pid) else ""
    return None if fields[0] in "ZX" else fields[19]


def _signalled(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _read(descriptor: int) -> Holder:
    return _decode(os.pread(descriptor, 4096, 0))


def _decode(data: bytes) -> Holder:
    try:
        return msgspec.json.decode(data, type=Holder)
    except msgspec.DecodeError:
        return Holder()


def _write(descriptor: int, owner: Holder) -> None:
    data = msgspec.json.encode(owner)
    os.pwrite(descriptor, data, 0)
    os.ftruncate(descriptor, len(data))


def _touch(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.utime(descriptor)
    finally:
        os.close(descriptor)
