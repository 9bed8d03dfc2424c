"""P8: two runners never write one session: processes that race, die, are stopped, and wake up too late."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from promise import Count, Promise, scratch

from core.clock import VirtualClock
from core.events import Draft, GuidanceDelivered
from core.journal import Journal, Reader
from core.journal.errors import LeaseLost
from core.journal.lease import LOCK, Lease, LeaseHeld, acquire, holder

RACERS = 4
HELD, LOST = b"H", b"L"


def forked(work: Callable[[], bytes]) -> tuple[int, int]:
    """A process that does the work; its pid, and a pipe that gives what the work came to."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    code = 1
    try:
        os.close(reading)
        os.write(writing, work())
        os.close(writing)
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(code)


def told(reading: int) -> bytes:
    with os.fdopen(reading, "rb") as pipe:
        return pipe.read()


def write(folder: Path, lease: Lease | None, words: str) -> None:
    """Append one event under a lease. Raises LeaseLost."""

    async def append() -> None:
        async with await Journal.open(folder, VirtualClock(), lease=lease) as journal:
            await journal.append(Draft(GuidanceDelivered(text=words)))

    asyncio.run(append())


def made(folder: Path) -> None:
    """An empty session."""

    async def create() -> None:
        async with await Journal.create(folder, VirtualClock()):
            pass

    asyncio.run(create())


def written(folder: Path) -> list[str]:
    with Reader(folder) as reader:
        broken = reader.verify()
        return [f"event {broken} is broken"] if broken else [event.body.text for event in reader.events()]


def race(folder: Path) -> str:
    """Several take one session at the same moment, and hold it until all have tried."""
    start_r, start_w = os.pipe()
    end_r, end_w = os.pipe()

    def run() -> bytes:
        os.close(start_w), os.close(end_w)
        os.read(start_r, 1)
        try:
            with acquire(folder) as lease:
                write(folder, lease, str(os.getpid()))
                os.read(end_r, 1)
                return HELD
        except LeaseHeld:
            return LOST

    runners = [forked(run) for _ in range(RACERS)]
    os.close(start_r), os.close(end_r)
    os.close(start_w)
    lost = [pid for pid, _ in runners]
    while len(lost) > 1:  # All but the one that holds it end by themselves.
        pid, _ = os.waitpid(-1, 0)
        lost.remove(pid)
    os.close(end_w)
    os.waitpid(lost[0], 0)
    verdicts = [told(reading) for _, reading in runners]
    ok = sorted(verdicts) == [HELD] + [LOST] * (RACERS - 1) and written(folder) == [str(lost[0])]
    return "" if ok else f"{verdicts} wrote {written(folder)}"


def killed(folder: Path) -> str:
    """A runner is killed while it holds the session; the next takes it over at once."""
    pid, reading = _holding(folder)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # Dead, and not even reaped.
    try:
        with acquire(folder) as lease:
            write(folder, lease, "next")
            epoch = lease.epoch
    except LeaseHeld as held:
        return f"the dead one still holds it: {held}"
    finally:
        os.waitpid(pid, 0)
        os.close(reading)
    return "" if written(folder) == ["first", "next"] and epoch == 2 else f"epoch {epoch}, {written(folder)}"


def stopped(folder: Path) -> str:
    """A runner that is only stopped still holds the session."""
    pid, reading = _holding(folder)
    os.kill(pid, signal.SIGSTOP)
    try:
        with suppress(LeaseHeld), acquire(folder):
            return "a stopped runner was taken for a dead one"
        found = holder(folder)
        return "" if found and found.pid == pid else f"the holder is {found}"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reading)


def awakened(folder: Path, fenced: bool = True) -> str:
    """A runner sleeps, its lock is lost with the disk's server, another takes over; then it wakes up and writes on."""
    go_r, go_w = os.pipe()

    def run() -> bytes:
        os.close(go_w)

        async def work(lease: Lease) -> bytes:
            async with await Journal.open(folder, VirtualClock(), lease=lease) as journal:
                await journal.append(Draft(GuidanceDelivered(text="first")))
                os.kill(os.getpid(), signal.SIGSTOP)
                os.read(go_r, 1)
                if fenced:
                    try:
                        await journal.append(Draft(GuidanceDelivered(text="too late")))
                    except LeaseLost:
                        return LOST
                    return HELD
            async with await Journal.open(folder, VirtualClock()) as unfenced:
                await unfenced.append(Draft(GuidanceDelivered(text="too late")))
            return HELD

        return asyncio.run(work(acquire(folder)))

    pid, reading = forked(run)
    os.close(go_r)
    os.waitpid(pid, os.WUNTRACED)
    (folder / LOCK).rename(folder / "lost.lock")  # As a lock that a file server has forgotten.
    (folder / LOCK).write_bytes((folder / "lost.lock").read_bytes().replace(f'"pid":{pid}'.encode(), b'"pid":0'))
    with acquire(folder) as lease:
        write(folder, lease, "second")
        os.kill(pid, signal.SIGCONT)
        os.close(go_w)
        verdict = told(reading)
        os.waitpid(pid, 0)
        write(folder, lease, "third")
    said = written(folder)
    return "" if verdict == LOST and said == ["first", "second", "third"] else f"{verdict!r}, {said}"


def reused(folder: Path) -> str:
    """The dead owner's number belongs to another living process: it is no owner."""
    pid, reading = _holding(folder)
    record = (folder / LOCK).read_bytes()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(reading)
    (folder / LOCK).write_bytes(record.replace(f'"pid":{pid}'.encode(), f'"pid":{os.getppid()}'.encode()))
    if holder(folder) is not None:
        return "another process with its number counts as the owner"
    with acquire(folder) as lease:
        write(folder, lease, "next")
    return "" if written(folder) == ["first", "next"] else str(written(folder))


def _holding(folder: Path) -> tuple[int, int]:
    """A process that has taken the session, written to it, and holds it."""
    ready_r, ready_w = os.pipe()

    def run() -> bytes:
        lease = acquire(folder)
        write(folder, lease, "first")
        os.write(ready_w, b"1")
        signal.pause()
        return HELD

    pid, reading = forked(run)
    os.close(ready_w)
    os.read(ready_r, 1)
    os.close(ready_r)
    return pid, reading


KINDS: dict[str, Callable[[Path], str]] = {
    "race": race,
    "killed": killed,
    "stopped": stopped,
    "awakened": awakened,
    "reused": reused,
}


def trial(count: int, seed: int) -> Count:
    kinds, found = list(KINDS), Count()
    random.Random(seed).shuffle(kinds)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        wrong = _in_a_session(KINDS[kind])
        found.note([f"{kind}: {wrong}"] if wrong else [])
        found.see(kind)
    return found


def control(count: int, seed: int) -> Count:
    found = Count()
    for _ in range(count):
        wrong = _in_a_session(lambda folder: awakened(folder, fenced=False))
        found.note([wrong] if wrong else [])
    return found


def _in_a_session(play: Callable[[Path], str]) -> str:
    with scratch("writers-") as place:
        made(folder := place / "s")
        return play(folder)


PROMISE = Promise(
    id="P8",
    says="One runner writes a session, whoever races, dies, is stopped or wakes up late; a dead one holds up nobody",
    unit="rounds",
    aim=500,
    shard=100,
    quick=20,
    trial=trial,
    control=control,
    control_says="a writer without the epoch's fence",
    quick_control=3,
)
