"""Examining a session: every damage is named, health is not called damage, and nothing is written."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from damage import LOG, Damage, content, conversation, judge, write

from core.clock import VirtualClock
from core.events import Draft
from core.journal import Journal, Reader
from core.journal.doctor import examine
from core.journal.errors import Damaged
from core.journal.findings import Finding
from core.journal.lease import acquire
from core.journal.recall_index import RecallIndex
from core.journal.rescue import rescue
from core.journal.schema import database


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("whole")
    asyncio.run(write(place / "s"))
    asyncio.run(write(place / "other", 55))
    return place / "s"


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "s")
    return tmp_path / "s"


def problems(folder: Path) -> dict[str, Finding]:
    return {found.check: found for found in examine(folder) if found.level in ("warning", "problem")}


def test_a_whole_session_has_no_problem_and_is_not_written(folder: Path) -> None:
    before = {name: (folder / name).read_bytes() for name in ("session.db", LOG)}
    findings = examine(folder)
    assert [found.level for found in findings] == ["ok"] * 4
    assert "All 161 events" in findings[1].says
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_every_kind_of_damage_is_named_and_what_is_rescued_is_true(whole: Path, tmp_path: Path) -> None:
    """SQLite's own check, with the chain off, misses some of the same damage: so the test can fail."""
    original, missed_by_sqlite = content(whole), 0
    damage, copy = Damage(whole, whole.parent / "other", seed=2), tmp_path / "s"
    for kind in damage.kinds:
        damage.apply(kind, copy)
        outcome = judge(copy, original)
        assert outcome.named or not outcome.changed, kind
        assert outcome.true and outcome.prefix, kind
        missed_by_sqlite += outcome.changed and not outcome.by_sqlite
    assert missed_by_sqlite > 0


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        ("UPDATE event SET at_us = at_us + 1 WHERE seq = 20", "chain", "Event 20 is not as it was written; the 19"),
        ("UPDATE blob SET data = x'00' WHERE rowid = 2", "outputs", "1 of 12 outputs are damaged"),
        ("DELETE FROM blob WHERE rowid = 2", "outputs", "1 outputs that events mention are not in the journal"),
        ("UPDATE meta SET value = 'another'", "meta", "which session"),
        ("UPDATE snapshot SET body = x'7b'", "snapshots", "can't be read"),
        ("UPDATE snapshot SET seq = seq - 1", "snapshots", "are not those"),
        ("DROP INDEX event_once", "pages", "event_once is missing"),
        ("DROP TABLE lease", "pages", "lease is missing"),
    ],
)
def test_a_changed_row_is_named_by_its_check(folder: Path, change: str, check: str, words: str) -> None:
    with sqlite3.connect(database(folder)) as db:
        db.execute(change)
    db.close()
    found = problems(folder)
    assert list(found) == [check]
    assert words in found[check].says
    assert "--repair" in found[check].remedy


COUNT = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT"
FOREIGN = {
    "trigger": "CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM event WHERE seq < 5; END",
    "view": f"""ALTER TABLE meta RENAME TO other;
        CREATE VIEW meta AS {COUNT} 'session ' || n name, 'x' value FROM c""",
    "endless log": f"""ALTER TABLE event RENAME TO other;
        CREATE VIEW event AS {COUNT} n seq, NULL parent, NULL node, 'session.opened' kind, NULL key, 1 at_us, 'x' actor,
        '{{}}' body, x'00' chain FROM c""",
}


@pytest.mark.parametrize("kind", FOREIGN)
async def test_a_journal_with_views_or_triggers_is_neither_read_nor_written_but_rescued(
    folder: Path, kind: str
) -> None:
    before = content(folder)
    with sqlite3.connect(database(folder)) as db:
        db.executescript(FOREIGN[kind])
    db.close()
    assert list(problems(folder)) == ["opening"]
    with pytest.raises(Damaged, match="no session has one"):
        await Journal.open(folder, VirtualClock())
    with pytest.raises(Damaged, match="no session has one"):
        Reader(folder)
    rescue(folder, VirtualClock())
    assert not problems(folder)
    assert content(folder).events[:161] == before.events


def test_a_damaged_log_is_named_although_what_is_left_looks_whole(folder: Path) -> None:
    log = bytearray((folder / LOG).read_bytes())
    log[len(log) // 2] ^= 4
    (folder / LOG).write_bytes(log)
    with Reader(folder) as reader:
        assert reader.verify() is None and reader.last_seq() < 161
    assert "Events that were recorded last may be among them" in problems(folder)["log"].says


async def test_no_runner_writes_over_events_of_a_damaged_log(folder: Path) -> None:
    log = bytearray((folder / LOG).read_bytes())
    log[len(log) // 2] ^= 4
    (folder / LOG).write_bytes(log)
    with pytest.raises(Damaged):
        await Journal.open(folder, VirtualClock())
    rescue(folder, VirtualClock())
    async with await Journal.open(folder, VirtualClock()) as journal:
        assert journal.last_seq >= 161


async def test_an_older_log_whose_events_are_all_in_the_journal_is_no_damage(folder: Path) -> None:
    log = bytearray((folder / LOG).read_bytes())
    with Reader(folder) as reader:
        last = reader.last_seq()
    with closing(sqlite3.connect(database(folder))) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    log[20] ^= 255  # The header of the next log, torn by a power cut.
    (folder / LOG).write_bytes(log)
    async with await Journal.open(folder, VirtualClock()) as journal:
        assert journal.last_seq == last


def test_a_write_that_a_power_cut_cut_short_is_no_problem(folder: Path) -> None:
    (folder / LOG).write_bytes((folder / LOG).read_bytes()[:-536])
    assert [found.level for found in problems(folder).values()] == ["warning"]


def test_a_copy_without_its_log_is_told_by_the_index(folder: Path) -> None:
    with Reader(folder) as reader, RecallIndex(reader) as index:
        index.catch_up()
    (folder / LOG).unlink()
    (folder / f"{database(folder).name}-shm").unlink(missing_ok=True)
    assert "ends at event 121, but event 161 has been seen" in problems(folder)["end"].says


def test_a_newer_format_is_no_damage_and_not_for_repair(folder: Path) -> None:
    data = bytearray(database(folder).read_bytes())
    data[60:64] = (2).to_bytes(4, "big")
    database(folder).write_bytes(data)
    (finding,) = examine(folder)
    assert "newer Longwatch" in finding.says and not finding.mendable


def test_a_session_to_which_nothing_was_written_is_not_for_repair(tmp_path: Path) -> None:
    database(tmp_path).touch()
    (finding,) = examine(tmp_path)
    assert finding.says == f"Nothing was ever written to the session in {tmp_path}: session.db is empty."
    assert not finding.mendable and "--repair" not in finding.remedy and "longwatch rm" in finding.remedy


async def test_an_empty_journal_is_rescued_from_its_log(tmp_path: Path) -> None:
    live, copy = tmp_path / "live", tmp_path / "s"
    live.mkdir()
    log, outputs = conversation(3, "s")
    drafts = [Draft(event.body, key=event.key) for event in log.events]
    async with await Journal.create(live, VirtualClock()) as journal:
        await journal.append(*drafts, blobs=[*outputs.values()])
        shutil.copytree(live, copy)
    database(copy).write_bytes(b"")
    assert problems(copy)["file"].mendable
    assert rescue(copy, VirtualClock()).kept == len(drafts)


async def test_a_running_session_is_examined_beside_its_runner(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    log, outputs = conversation(3, "s")
    folder.mkdir()
    with acquire(folder) as lease:
        async with await Journal.create(folder, VirtualClock(), lease=lease) as journal:
            await journal.append(*[Draft(event.body, key=event.key) for event in log.events], blobs=[*outputs.values()])
            assert not problems(folder)


def test_a_session_without_events_is_told(tmp_path: Path) -> None:
    from core.journal.schema import create_database

    create_database(tmp_path / "s", {"session": "s"})
    assert "never opened" in problems(tmp_path / "s")["opening"].says
