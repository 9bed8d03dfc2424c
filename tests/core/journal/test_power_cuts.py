"""Power cuts on a recorded disk: nothing that was acknowledged is lost. The full run is `tests/bench/power_cuts.py`."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest
from power import Tally, examined, record, tally
from recorded_disk import after_power_cut, can_record, recorded

pytestmark = pytest.mark.skipif(not can_record(), reason="this Python brings a SQLite of its own")
IMAGES = 120


async def tried(place: Path, mode, synchronous: str | None = None) -> Tally:
    recording, pick = await record(place, mode, synchronous=synchronous), random.Random(7)
    return tally([examined(recording, place / "image", pick) for _ in range(IMAGES)])


@pytest.mark.parametrize("mode", ["wal", "delete"])
async def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path, mode) -> None:
    assert await tried(tmp_path, mode) == Tally(IMAGES, lost=0, most_lost=0, unsound=0, unreadable=0)


@pytest.mark.parametrize(("mode", "synchronous"), [("wal", "NORMAL"), ("wal", "OFF"), ("delete", "FULL")])
async def test_a_writer_that_syncs_less_is_caught(tmp_path: Path, mode, synchronous: str) -> None:
    """The negative control. In rollback mode even FULL forgets a commit: the journal's name may come back."""
    assert (await tried(tmp_path, mode, synchronous)).lost > 0


def test_the_recording_is_what_the_disk_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with recorded() as recording:
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("PRAGMA journal_mode=wal")
        db.execute("CREATE TABLE t(a)")
        for number in range(50):
            db.execute("INSERT INTO t VALUES (?)", ("x" * number * 40,))
        files = {file.name: file.read_bytes() for file in tmp_path.iterdir() if not file.name.endswith("-shm")}
        until = len(recording.ops)
        db.close()
    assert after_power_cut(recording, until, AllSurvives()) == files


class AllSurvives(random.Random):
    """A disk that had written everything."""

    def choice(self, options):
        return options[-1]
