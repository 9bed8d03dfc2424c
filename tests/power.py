"""A session's journal written on a recorded disk, and whether each disk that a power cut could leave keeps its word."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

from damage import conversation
from recorded_disk import Recording, after_power_cut, recorded

from core.clock import VirtualClock
from core.events import Draft
from core.journal import Journal, JournalError, Reader
from core.journal.lease import acquire
from core.journal.schema import DATABASE
from core.journal.store import JournalMode

_TURNS = 30
_CHECKPOINT_EVERY = 9
_REOPEN_EVERY = 41
_BEING_MADE = {f".{DATABASE}.new": DATABASE}


class Image(NamedTuple):
    """One disk: what had been promised, what a reader finds, and whether it is all sound. -1: it can't be read."""

    promised: int
    found: int
    sound: bool


async def record(place: Path, mode: JournalMode, *, synchronous: str | None = None) -> Recording:
    """A session with outputs, checkpoints, snapshots and restarts. `synchronous` weakens the writer, to see it fail."""
    folder, clock = place / "s", VirtualClock()
    log, outputs = conversation(_TURNS, "s")
    with recorded(_BEING_MADE) as recording:
        journal = await Journal.create(folder, clock, journal_mode=mode)
        for number, event in enumerate(log.events, start=1):
            if number % _REOPEN_EVERY == 1:
                await journal.close()
                lease = acquire(folder)
                journal = await Journal.open(folder, clock, lease=lease, journal_mode=mode)
                if synchronous:
                    await journal._store._db.execute_fetchall(f"PRAGMA synchronous={synchronous}")
            draft = Draft(event.body, key=event.key, actor=event.actor)
            await journal.append(draft, blobs=[outputs[event.seq]] if event.seq in outputs else [])
            recording.acknowledge(journal.last_seq)
            if number % _CHECKPOINT_EVERY == 0:
                await journal.save_snapshot("totals", 1, journal.last_seq, b"{}" * 900)
                await journal.checkpoint(force=True)
            if number % _REOPEN_EVERY == 0:
                lease.release()
        await journal.close()
    return recording


def examined(recording: Recording, place: Path, pick: random.Random) -> Image:
    """Cut the power at some moment, put the disk that is left in `place`, and read the session on it."""
    first = next(number for number, op in enumerate(recording.ops) if op.what == "acknowledged")
    until = pick.randrange(first + 1, len(recording.ops) + 1)
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    for name, data in after_power_cut(recording, until, pick).items():
        (place / name).write_bytes(data)
    promised = recording.acknowledged(until)
    try:
        with Reader(place) as reader:
            found = reader.last_seq()
            sound = reader.verify() is None and not reader.faults()
            outputs = {name for name, _ in reader.blobs() if reader.blob(name)}
            mentioned = {getattr(event.body, "blob", None) for event in reader.events()} - {None}
        return Image(promised, found, sound and mentioned <= outputs)
    except JournalError:
        return Image(promised, -1, False)


class Tally(NamedTuple):
    """`lost`: images without something that was promised, at most `most_lost` events of one."""

    images: int
    lost: int
    most_lost: int
    unsound: int
    unreadable: int


def tally(images: list[Image]) -> Tally:
    missing = [image.promised - image.found for image in images if image.found >= 0]
    return Tally(
        images=len(images),
        lost=sum(count > 0 for count in missing),
        most_lost=max(0, *missing, 0),
        unsound=sum(not image.sound for image in images if image.found >= 0),
        unreadable=sum(image.found < 0 for image in images),
    )
