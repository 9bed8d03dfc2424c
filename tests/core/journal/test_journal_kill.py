"""kill -9 of a writing process at random moments: nothing that was acknowledged is lost, and the chain holds."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import threading
from pathlib import Path

from journal_drafts import opened

from core.clock import VirtualClock
from core.journal import Journal, Reader

WRITER = """
import asyncio, sys
from itertools import count
from pathlib import Path
from core.clock import SystemClock
from core.events import Draft, GuidanceDelivered
from core.journal import Journal
from core.journal.lease import acquire
async def main():
    folder = Path(sys.argv[1])
    async with await Journal.open(folder, SystemClock(), lease=acquire(folder)) as journal:
        async def caller(name):
            for n in count():
                text = f"{name}-{n}-" + "x" * (n * 997 % 5000)
                events = await journal.append(Draft(GuidanceDelivered(text=text)), blobs=[text.encode()])
                print(events[-1].seq, flush=True)
        await asyncio.gather(*(caller(f"{sys.argv[2]}.{n}") for n in range(3)))
asyncio.run(main())
"""
ROUNDS = 8


async def test_no_acknowledged_event_is_lost_to_a_kill(tmp_path: Path) -> None:
    folder, pick, acknowledged = tmp_path / "s", random.Random(11), 1
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened())
    for number in range(ROUNDS):
        acknowledged = max(acknowledged, await asyncio.to_thread(_round, folder, number, pick))
        with Reader(folder) as reader:
            assert reader.last_seq() >= acknowledged
            assert reader.verify() is None
            for event in reader.events(after=acknowledged - 5):
                assert reader.blob(Journal.hash_of(event.body.text.encode())) == event.body.text.encode()
    assert acknowledged > ROUNDS * 20


def _round(folder: Path, number: int, pick: random.Random) -> int:
    """Let a writer go on for some acknowledgements and a little longer, then kill it; the last it acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(number)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    last = 0
    for _ in range(pick.randrange(20, 150)):
        last = int(process.stdout.readline())
    killer = threading.Timer(pick.uniform(0, 0.05), process.kill)
    killer.start()
    with process:
        for line in process.stdout:
            last = int(line) if line.endswith("\n") else last
    killer.join()
    return last
