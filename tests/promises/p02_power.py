"""P2: whatever disk a power cut leaves, no event that was told of is missing on it."""

from __future__ import annotations

import asyncio
import random
import tempfile
from pathlib import Path

from power import examined, record
from promise import Count, Promise

from core.journal.store import JournalMode


def trial(count: int, seed: int) -> Count:
    """Half of the disks under a write-ahead log, half under a rollback journal."""
    found = Count()
    for mode in ("wal", "delete"):
        _cut(found, mode, None, count // 2 + (count % 2 if mode == "wal" else 0), seed)
    return found


def control(count: int, seed: int) -> Count:
    found = Count()
    _cut(found, "wal", "OFF", count, seed)
    return found


def _cut(found: Count, mode: JournalMode, synchronous: str | None, count: int, seed: int) -> None:
    with tempfile.TemporaryDirectory(prefix="power-") as place:
        recording = asyncio.run(record(Path(place), mode, synchronous=synchronous))
        pick = random.Random(f"{seed} {mode} {synchronous}")
        for _ in range(count):
            image = examined(recording, Path(place, "image"), pick)
            problems = []
            if image.found < 0:
                problems.append(f"{mode}: the disk can't be read")
            elif image.found < image.promised:
                problems.append(f"{mode}: {image.promised - image.found} events that were told of are lost")
            elif not image.sound:
                problems.append(f"{mode}: the session is not whole")
            found.note(problems)


PROMISE = Promise(
    id="P2",
    says="After a simulated power cut (recorded writes, torn sectors) no event that anybody was told of is missing",
    unit="disks",
    aim=50_000,
    shard=2_000,
    quick=40,
    trial=trial,
    control=control,
    control_says="`synchronous=OFF`",
    quick_control=40,
)
