"""A journal on a disk without shared memory: rollback mode, and a crash in the middle of a commit."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from damage import write

from core.clock import VirtualClock
from core.journal import Journal, JournalError, Reader, schema
from core.journal.doctor import examine


@pytest.fixture
async def crashed(tmp_path: Path) -> Path:
    """A session whose writer was killed between the first page of a commit and the last."""
    await write(tmp_path / "s", 8, unmerged=1)
    with closing(sqlite3.connect(schema.database(tmp_path / "s"), isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=delete")
        db.execute("PRAGMA cache_size=2")
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE event SET actor = 'half written'")
        db.execute("INSERT INTO blob SELECT 'b' || seq, 400, 'raw', zeroblob(400) FROM event")
        shutil.copytree(tmp_path / "s", tmp_path / "crashed" / "s")
    assert (tmp_path / "crashed" / "s" / "session.db-journal").stat().st_size
    return tmp_path / "crashed" / "s"


def test_a_half_written_commit_is_read_as_if_it_had_not_begun_and_left_to_the_writer(crashed: Path) -> None:
    before = {path.name: path.read_bytes() for path in crashed.iterdir()}
    with Reader(crashed) as reader:
        assert reader.verify() is None
        assert reader.last_seq() == 33
    assert {path.name: path.read_bytes() for path in crashed.iterdir()} == before
    assert not any(found.level == "problem" for found in examine(crashed))


async def test_its_next_writer_rolls_it_back_and_goes_on(crashed: Path) -> None:
    async with await Journal.open(crashed, VirtualClock(), journal_mode="delete") as journal:
        assert journal.last_seq == 33
    assert not (crashed / "session.db-journal").exists()


async def test_an_output_that_can_not_be_unpacked_is_a_sentence(tmp_path: Path) -> None:
    await write(tmp_path / "s", 20, unmerged=1)
    with closing(sqlite3.connect(schema.database(tmp_path / "s"), isolation_level=None)) as db:
        db.execute("UPDATE blob SET codec = 'zlib', data = x'00112233'")
    with Reader(tmp_path / "s") as reader, pytest.raises(JournalError, match="output of the session"):
        reader.blob(reader.blobs()[0][0])
