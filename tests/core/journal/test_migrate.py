"""From older formats to today's: a backup first, everything or nothing, tested with a journal of every release."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from core.clock import VirtualClock
from core.events import Draft, GuidanceDelivered
from core.journal import Journal, JournalError, Reader, schema
from core.journal.doctor import examine
from core.journal.migrate import STEPS, migrate, version_of

RELEASED = Path(__file__).parent / "released"
LAST_CHAIN = {1: "2a87c6f9b53cab04f1043701959c50a21eb30fb42f82bb90d60f0af07e5f42ca"}
"""The last link of each released journal, as the code of its time wrote it."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return released(tmp_path / "s", 1)


def released(folder: Path, version: int) -> Path:
    folder.mkdir()
    shutil.copyfile(RELEASED / f"version-{version}.db", schema.database(folder))
    return folder


def changed(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(schema.database(folder), isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def asked(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


def add_a_column(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE blob ADD COLUMN seen INTEGER NOT NULL DEFAULT 7")


def add_a_table(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE later(id INTEGER PRIMARY KEY) STRICT")


@pytest.mark.parametrize("version", range(1, schema.VERSION + 1))
async def test_a_journal_of_every_released_version_opens_and_goes_on(tmp_path: Path, version: int) -> None:
    folder = released(tmp_path / "s", version)
    async with await Journal.open(folder, VirtualClock()) as journal:
        before = journal.last_seq
        await journal.append(Draft(GuidanceDelivered(text="go on")))
    with Reader(folder) as reader:
        assert reader.event(before).chain.hex() == LAST_CHAIN[version]
        assert reader.verify() is None
    assert version_of(folder) == schema.VERSION
    assert not any(found.level == "problem" for found in examine(folder))


def test_there_is_a_step_from_every_released_version() -> None:
    assert set(STEPS) == set(range(1, schema.VERSION))
    assert set(LAST_CHAIN) == set(range(1, schema.VERSION + 1))


def test_todays_format_is_left_alone(folder: Path) -> None:
    before = schema.database(folder).read_bytes()
    assert migrate(folder) is None
    assert schema.database(folder).read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["session.db"]


def test_steps_lead_from_version_to_version_after_a_backup(folder: Path) -> None:
    old = asked(schema.database(folder), "SELECT * FROM event")
    backup = migrate(folder, {1: add_a_column, 2: add_a_table}, target=3)
    assert backup == folder / "session.db.version-1"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    for path, version, tables in ((backup, 1, 0), (schema.database(folder), 3, 1)):
        assert asked(path, "PRAGMA user_version") == [(version,)]
        assert asked(path, "PRAGMA integrity_check") == [("ok",)]
        assert asked(path, "SELECT * FROM event") == old
        assert asked(path, "SELECT count(*) FROM sqlite_master WHERE name = 'later'") == [(tables,)]
    assert {row[-1] for row in asked(schema.database(folder), "SELECT * FROM blob")} == {7}


def test_the_backup_holds_what_was_only_in_the_log(folder: Path) -> None:
    """A journal that was left by a crash: its last events are not yet in the file itself."""
    with closing(sqlite3.connect(schema.database(folder), isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=wal")
        db.execute("INSERT INTO meta VALUES ('late', 'yes')")
        backup = migrate(folder, {1: add_a_table}, target=2)
    assert ("late", "yes") in asked(backup, "SELECT * FROM meta")


def broken_half_way(db: sqlite3.Connection) -> None:
    add_a_column(db)
    db.execute("DELETE FROM event WHERE seq > 3")
    db.execute("INSERT INTO nowhere VALUES (1)")


def ends_the_transaction(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM event")
    db.execute("COMMIT")


def changes_history(db: sqlite3.Connection) -> None:
    db.execute("UPDATE event SET actor = 'somebody' WHERE seq = 3")


@pytest.mark.parametrize("step", [broken_half_way, ends_the_transaction, changes_history])
def test_a_broken_migration_leaves_the_original(folder: Path, step) -> None:
    before = asked(schema.database(folder), "SELECT * FROM event")
    with pytest.raises(JournalError, match="can't be brought from format 1 to 3"):
        migrate(folder, {1: add_a_table, 2: step}, target=3)
    assert asked(schema.database(folder), "SELECT * FROM event") == before
    assert asked(schema.database(folder), "SELECT name FROM sqlite_master WHERE name = 'later'") == []
    assert version_of(folder) == 1
    assert not any(found.level == "problem" for found in examine(folder))


def test_a_version_without_a_way_is_a_sentence(folder: Path) -> None:
    with pytest.raises(JournalError, match="No way is known from format 2"):
        migrate(folder, {1: add_a_table}, target=3)
    assert [path.name for path in folder.iterdir()] == ["session.db"]


@pytest.mark.parametrize(("version", "words"), [(2, "newer Longwatch"), (99, "newer Longwatch"), (100, "damaged")])
async def test_an_unknown_version_is_refused_by_readers_and_writers(folder: Path, version: int, words: str) -> None:
    changed(folder, f"PRAGMA user_version={version}")
    before = schema.database(folder).read_bytes()
    with pytest.raises(JournalError, match=words):
        Reader(folder)
    with pytest.raises(JournalError, match=words):
        await Journal.open(folder, VirtualClock())
    assert schema.database(folder).read_bytes() == before
