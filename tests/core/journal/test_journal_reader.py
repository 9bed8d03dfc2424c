"""Reading: beside a writer, after a crash, from a read-only place, from a damaged file."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from journal_drafts import finished, opened, paused, said, started

from core.clock import VirtualClock
from core.events import GuidanceDelivered, Unknown
from core.folds.branches import Span
from core.journal import Journal, JournalError, Reader
from core.journal.reader import LATEST
from core.journal.schema import STATE_KINDS, database

SAID = GuidanceDelivered.KIND


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a session #1?%41"


async def write(folder: Path, count: int = 300) -> None:
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened(), *[said(f"message {n} " + "x" * 200) for n in range(count)], blobs=[b"b" * 999])


async def test_a_reader_sees_each_commit_and_its_data_version(folder: Path) -> None:
    async with await Journal.create(folder, VirtualClock()) as journal:
        with Reader(folder) as reader:
            before = reader.data_version
            assert reader.events() == [] and reader.last_seq() == 0
            written = await journal.append(opened(), said("a"), said("b"))
            assert reader.data_version != before
            assert reader.events(after=1) == written[1:]
            assert reader.events(after=1, limit=1) == written[1:2]
            assert reader.event(2) == written[1]
            assert reader.event(9) is None
            assert reader.meta() == {"session": folder.name}


async def test_spans_are_read_in_order_by_kind_and_none_of_what_lies_between(folder: Path) -> None:
    await write(folder)
    with Reader(folder) as reader:
        said_there = [event.seq for event in reader.within([Span(1, 1), Span(40, 290), Span(301, 2**62)], {SAID})]
        assert said_there == [*range(40, 291), 301]
        assert [event.seq for event in reader.within([Span(1, 5)], {SAID, "session.opened"})] == [1, 2, 3, 4, 5]
        assert list(reader.within([Span(1, 5)], {"tool.finished"})) == list(reader.within([], {SAID})) == []


async def test_find_sees_exact_text_newest_first_and_no_field_names(folder: Path) -> None:
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened(), said('say "hi"\n\tto C:\\x'), said("naïve ☃"), said("say nothing"), started("k"))
    with Reader(folder) as reader:
        assert [event.seq for event in reader.find("say")] == [4, 2]
        assert [event.seq for event in reader.find("say", limit=1)] == [4]
        assert [event.seq for event in reader.find('"hi"\n\tto C:\\x')] == [2]
        assert [event.seq for event in reader.find("ïve ☃")] == [3]
        assert [event.seq for event in reader.find("ls")] == [5]
        assert reader.find("arguments") == reader.find("") == reader.find("\ud800") == []


async def test_long_bodies_are_kept_small_and_found_like_short_ones(folder: Path) -> None:
    lines = "".join(f"line {number} of the log ☃\n" for number in range(200))
    async with await Journal.create(folder, VirtualClock()) as journal:
        written = await journal.append(opened(), said("line 7 of"), finished("r1.1.0", lines), said("line 199 of"))
    with sqlite3.connect(database(folder)) as db:
        stored = dict(db.execute("SELECT seq, typeof(body) FROM event"))
        (size,) = db.execute("SELECT length(body) FROM event WHERE seq = 3").fetchone()
    db.close()
    assert stored == {1: "text", 2: "text", 3: "blob", 4: "text"}
    assert size < len(lines) / 4
    with Reader(folder) as reader:
        assert reader.events() == written
        assert (reader.event(3), reader.keyed("tool.finished", "r1.1.0")) == (written[2], written[2])
        assert [event.seq for event in reader.find("line 199 of")] == [4, 3]
        assert [event.seq for event in reader.find("line 7 of", limit=2)] == [3, 2]
        assert [event.seq for event in reader.find("☃\nline 9 of the log")] == [3]
        assert reader.verify() is None


@pytest.mark.parametrize("damage", ["x'789c00'", "zeroblob(200)", "x''", "5", "substr(body, 1, 40)"])
async def test_a_damaged_compressed_body_is_named_and_hides_no_other(folder: Path, damage: str) -> None:
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened(), *[said(f"needle {number} " + "hay " * 500) for number in range(3)])
    with sqlite3.connect(database(folder)) as db:
        db.execute(f"UPDATE event SET body = {damage} WHERE seq = 3")
    db.close()
    with Reader(folder) as reader:
        assert reader.verify() == 3
        with pytest.raises(JournalError, match=r"Event 3 .* is damaged"):
            reader.events()
        assert [event.seq for event in reader.find("needle")] == [4, 2]
        assert len(reader.events(limit=2)) == 2


async def test_the_chain_covers_the_text_and_not_how_it_is_packed(folder: Path) -> None:
    async with await Journal.create(folder, VirtualClock()) as journal:
        (event,) = (await journal.append(opened(), said("hay " * 500)))[1:]
    with Reader(folder) as reader:
        text = reader.raw(1)[0].body
    for body, verdict in ((text, None), (zlib.compress(text.encode(), 1), None), (text.replace("hay", "way"), 2)):
        with sqlite3.connect(database(folder)) as db:
            db.execute("UPDATE event SET body = ? WHERE seq = ?", (body, event.seq))
        db.close()
        with Reader(folder) as reader:
            assert reader.verify() == verdict


async def test_the_latest_event_of_a_state_kind_is_at_hand(folder: Path) -> None:
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened(), paused("first"), said("x"), paused("second"))
    with Reader(folder) as reader:
        assert reader.latest("session.paused").body.reason == "second"
        assert reader.latest("session.finished") is None
        with pytest.raises(ValueError, match="not indexed"):
            reader.latest("tool.started")


async def test_the_newest_event_that_tells_the_state_is_found_by_the_index_in_a_log_of_any_length(folder: Path) -> None:
    async with await Journal.create(folder, VirtualClock()):
        with closing(sqlite3.connect(database(folder))) as db:
            for kind in STATE_KINDS:
                (plan,) = db.execute(f"EXPLAIN QUERY PLAN {LATEST.format(kind=kind)}")
                assert "event_state" in plan[-1]


async def test_a_crashed_journal_is_read_with_all_that_was_committed(folder: Path, tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    async with await Journal.create(folder, VirtualClock()) as journal:
        written = await journal.append(opened(), said("still in the write-ahead log"))
        for name in ("session.db", "session.db-wal"):
            shutil.copyfile(folder / name, crashed / name)
    with Reader(crashed) as reader:
        assert reader.events() == written


@pytest.mark.parametrize("crash", [False, True])
async def test_a_journal_in_a_place_that_sqlite_may_not_write_is_read_whole(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crash: bool
) -> None:
    """Root may write anywhere, so the refusal is SQLite's own answer to a forbidden open."""
    frozen = tmp_path / "frozen"
    async with await Journal.create(folder, VirtualClock()) as journal:
        written = await journal.append(opened(), said("a"))
        if crash:
            shutil.copytree(folder, frozen)
    if not crash:
        shutil.copytree(folder, frozen)
    connect = sqlite3.connect

    def refusing(place: str, **options):
        if "frozen" in place and "mode=ro" in place:
            raise sqlite3.OperationalError("unable to open database file")
        return connect(place, **options)

    monkeypatch.setattr(sqlite3, "connect", refusing)
    before = {path.name: path.read_bytes() for path in frozen.iterdir()}
    with Reader(frozen) as reader:
        assert reader.events() == written
    assert {path.name: path.read_bytes() for path in frozen.iterdir()} == before


async def test_foreign_kinds_and_shapes_are_kept_as_unknown(folder: Path) -> None:
    await write(folder, 1)
    with sqlite3.connect(database(folder)) as db:
        row = "INSERT INTO event VALUES (?, ?, ?, ?, ?, 5, 'agent', ?, x'00')"
        db.execute(row, (3, 2, None, "dream.had", "d1", '{"v":9,"about":1}'))
        db.execute(row, (4, None, 3, "session.paused", None, '{"v":9}'))
    db.close()
    with Reader(folder) as reader:
        unknown, changed = reader.events(after=2)
    assert unknown.body == Unknown(fields={"v": 9, "about": 1})
    assert changed.body == Unknown(fields={"v": 9})
    async with await Journal.open(folder, VirtualClock()) as journal:
        assert journal.head == 3


async def test_the_chain_names_the_first_event_that_was_changed(folder: Path) -> None:
    await write(folder)
    for sql, first in (
        ("UPDATE event SET body = replace(body, 'message 240', 'message 24O') WHERE seq = 242", 242),
        ("UPDATE event SET at_us = at_us + 1 WHERE seq = 200", 200),
        ("DELETE FROM event WHERE seq = 100", 100),
        ("UPDATE event SET parent = NULL WHERE seq = 50", 50),
    ):
        with sqlite3.connect(database(folder)) as db:
            db.execute(sql)
        db.close()
        with Reader(folder) as reader:
            assert reader.verify() == first


async def test_damage_of_any_kind_is_found_and_never_a_traceback(folder: Path, tmp_path: Path) -> None:
    await write(folder)
    whole = database(folder).read_bytes()
    with Reader(folder) as reader:
        intact = reader.raw()
    pick = random.Random(5)
    copy = tmp_path / "copy"
    copy.mkdir()
    for _ in range(60):
        data = bytearray(whole)
        place = pick.randrange(100, len(data) - 512)
        match pick.choice(["flip", "zero", "cut", "noise"]):
            case "flip":
                data[place] ^= 1 << pick.randrange(8)
            case "zero":
                data[place & ~1023 : (place & ~1023) + 1024] = bytes(1024)
            case "cut":
                del data[place:]
            case _:
                data[place : place + 512] = pick.randbytes(512)
        for file in copy.iterdir():
            file.unlink()
        database(copy).write_bytes(data)
        try:
            with Reader(copy) as reader:
                bad = reader.verify()
                good = reader.raw(limit=(bad or len(intact) + 1) - 1)
                assert good == intact[: len(good)]
                assert bad is not None or good == intact
        except JournalError as error:
            assert "damaged" in str(error) or "another program" in str(error) or "newer" in str(error)


async def test_a_damaged_body_is_a_sentence_with_its_number(folder: Path) -> None:
    await write(folder, 5)
    with sqlite3.connect(database(folder)) as db:
        db.execute("UPDATE event SET body = '{broken' WHERE seq = 3")
        db.execute("UPDATE blob SET data = x'00'")
    db.close()
    with Reader(folder) as reader:
        with pytest.raises(JournalError, match=r"Event 3 .* is damaged"):
            reader.events()
        assert [type(event.body) for event in reader.events(after=3)] == [GuidanceDelivered] * 3
        with pytest.raises(JournalError, match="damaged"):
            reader.blob(reader.blobs()[0][0])


async def test_a_closed_reader_says_so(folder: Path) -> None:
    await write(folder, 1)
    reader = Reader(folder)
    reader.close()
    reader.close()
    with pytest.raises(JournalError, match="closed"):
        reader.events()


LATER = """
import sqlite3, sys
columns = "parent, node, kind, NULL, at_us, actor, body, chain"
for _ in range(2):  # Whoever closes it as the last one removes the log; the next one makes another.
    db = sqlite3.connect(sys.argv[1], isolation_level=None)
    db.execute(f"INSERT INTO event SELECT seq + 1, {columns} FROM event ORDER BY seq DESC LIMIT 1")
    if not _:
        db.close()
print("written", flush=True)
sys.stdin.read()
"""


class Torn:
    """A connection whose log was replaced under it, by one that took the same place on the disk."""

    def execute(self, *_: object) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    def close(self) -> None: ...


def test_a_reader_looks_anew_before_it_calls_a_journal_damaged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(write(folder, 3))
    with Reader(folder) as reader:
        reader._db.close()
        monkeypatch.setattr(reader, "_db", Torn())
        assert [event.seq for event in reader.events(2)] == [3, 4]
    with Reader(folder) as reader:
        reader._db.close()
        monkeypatch.setattr(reader, "_connect", Torn)
        monkeypatch.setattr(reader, "_db", Torn())
        with pytest.raises(JournalError, match="damaged"):
            reader.events()


def test_a_reader_follows_where_another_process_has_put_another_log_in_place(folder: Path) -> None:
    asyncio.run(write(folder, 3))
    with Reader(folder) as reader:
        assert reader.last_seq() == 4
        database(folder).read_bytes()  # Closing the same file elsewhere takes the locks of this process away.
        line = [sys.executable, "-c", LATER, str(database(folder))]
        with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None and writer.stdout.readline() == "written\n"
            assert [event.seq for event in reader.events(4)] == [5, 6]
            writer.communicate()


def test_looking_at_a_journal_again_leaves_a_reader_of_this_process_its_locks(folder: Path) -> None:
    asyncio.run(write(folder, 3))
    with Reader(folder) as reader:
        assert reader.last_seq() == 4
        log = database(folder).with_name("session.db-wal")
        Reader(folder).close()
        before = log.stat().st_ino
        line = [sys.executable, "-c", LATER, str(database(folder))]
        with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None and writer.stdout.readline() == "written\n"
            assert log.stat().st_ino == before, "the log was removed under the reader"
            writer.communicate()
