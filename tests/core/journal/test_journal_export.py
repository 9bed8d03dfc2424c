"""A session as a file: packed, carried, opened again; hostile and damaged files refused with a sentence."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from journal_drafts import finished, opened, said, started

from core.clock import VirtualClock
from core.events import Unknown
from core.journal import Journal, JournalError, Reader
from core.journal.export import event_line, export_jsonl, export_session, open_export, read_manifest
from core.journal.schema import create_database, database


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    folder, clock = tmp_path / "s1", VirtualClock()
    async with await Journal.create(folder, clock) as journal:
        await journal.append(opened(), said("naïve ☃ \n\t"), blobs=[b"a big output\n" * 999, b"\x00\xff"])
        clock.advance(1.25)
        await journal.append(started("r1.1.0"), finished("r1.1.0"))
    with sqlite3.connect(database(folder)) as db:
        db.execute("UPDATE event SET kind = 'dream.had', body = '{\"v\":9,\"about\": 1e2}' WHERE seq = 4")
    db.close()
    return folder


@pytest.fixture
def export(folder: Path, tmp_path: Path) -> Path:
    _relink(folder)
    target = tmp_path / "film.longwatch"
    export_session(folder, target)
    return target


def _relink(folder: Path) -> None:
    """Mend the chain after an event was made foreign by hand."""
    from core.journal import rows

    with Reader(folder) as reader:
        stored = reader.raw()
    chain = rows.GENESIS
    with sqlite3.connect(database(folder)) as db:
        for row in stored:
            chain = rows.link(chain, row)
            db.execute("UPDATE event SET chain = ? WHERE seq = ?", (chain, row.seq))
    db.close()


def rewritten(export: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(export) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    target = export.with_name("changed.longwatch")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target


def test_events_are_printed_one_a_line_as_promised(folder: Path) -> None:
    out = io.BytesIO()
    with Reader(folder) as reader:
        assert export_jsonl(reader, out) == 4
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert all(list(line) == ["seq", "parent", "node", "kind", "key", "at", "actor", "body"] for line in lines)
    assert lines[1]["body"] == {"v": 1, "text": "naïve ☃ \n\t"}
    assert (lines[1]["parent"], lines[2]["node"], lines[2]["key"]) == (1, 2, "r1.1.0")
    assert (lines[0]["at"], lines[2]["at"]) == ("2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:01.250000Z")
    assert b'{"v":9,"about": 1e2}' in out.getvalue()


def test_an_export_opens_as_the_same_session(folder: Path, export: Path, tmp_path: Path) -> None:
    copy = open_export(export, into=tmp_path)
    with Reader(folder) as original, Reader(copy) as reader:
        assert reader.raw() == original.raw()
        assert reader.verify() is None
        assert reader.blobs() == original.blobs() and len(reader.blobs()) == 2
        assert [reader.blob(name) for name, _ in reader.blobs()] == [original.blob(name) for name, _ in reader.blobs()]
        assert reader.meta() == {"session": "s1"}
        assert reader.events()[3].body == Unknown(fields={"v": 9, "about": 100.0})
    assert database(copy).stat().st_mode & 0o777 == 0o400
    again = tmp_path / "again.longwatch"
    export_session(copy, again)
    with zipfile.ZipFile(export) as first, zipfile.ZipFile(again) as second:
        assert first.read("events.jsonl") == second.read("events.jsonl")


async def test_long_bodies_are_exported_as_their_text_and_packed_again(tmp_path: Path) -> None:
    folder, content = tmp_path / "long", "a long line ☃\n" * 999
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened(), finished("r1.1.0", content))
    target, out = tmp_path / "long.longwatch", io.BytesIO()
    export_session(folder, target)
    with Reader(folder) as original, Reader(open_export(target, into=tmp_path)) as copy:
        export_jsonl(original, out)
        assert copy.raw() == original.raw()
        assert copy.verify() is None
        assert copy.path.stat().st_size < len(content)
    assert json.loads(out.getvalue().splitlines()[1])["body"]["content"] == content


def test_an_export_is_private_and_leaves_nothing_aside(export: Path) -> None:
    assert export.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in export.parent.iterdir()} == {"s1", "film.longwatch"}


def _drop(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.__delitem__(name)


def _replace(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.__setitem__(name, members[name].replace(old, new))


def _swap_blob(members: dict[str, bytes]) -> None:
    members[next(name for name in members if name.startswith("blobs/"))] = b"something else"


DAMAGES: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "no manifest": (_drop("manifest.json"), "has no manifest"),
    "no events": (_drop("events.jsonl"), "has no events"),
    "another format": (_replace("manifest.json", b"longwatch-session", b"photo-album"), "not a Longwatch export"),
    "newer": (_replace("manifest.json", b'"version":1', b'"version":7'), "newer Longwatch"),
    "changed text": (_replace("events.jsonl", b"na", b"no"), "not those that were exported"),
    "missing event": (_replace("events.jsonl", b'"seq":2', b'"seq":3'), "event 2 is missing"),
    "broken line": (_replace("events.jsonl", b'"kind"', b'"kind'), "damaged"),
    "odd time": (_replace("events.jsonl", b"2026-01-01T", b"yesterday "), "damaged"),
    "body that is no object": (_replace("events.jsonl", b'{"v":9,"about": 1e2}', b"[1]"), "damaged"),
    "huge number": (_replace("events.jsonl", b'"parent":1', b'"parent":99999999999999999999'), "damaged"),
    "changed blob": (_swap_blob, "is not what it was"),
    "path out of the archive": (lambda members: members.__setitem__("blobs/../../evil", b"x"), "is not what it was"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_export_is_refused_and_leaves_nothing(export: Path, tmp_path: Path, name: str) -> None:
    change, sentence = DAMAGES[name]
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(JournalError, match=sentence):
        open_export(rewritten(export, change), into=into)
    assert list(into.iterdir()) == []


def test_an_export_that_unpacks_to_too_much_is_refused(export: Path, tmp_path: Path) -> None:
    bomb = rewritten(export, lambda members: members.__setitem__("blobs/" + "0" * 64, b"\0" * 20_000_000))
    assert bomb.stat().st_size < 100_000
    with pytest.raises(JournalError, match="unpacks to more than is allowed"):
        open_export(bomb, into=tmp_path, max_bytes=1_000_000)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"plain text\n" * 50])
def test_what_is_no_export_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.longwatch").write_bytes(content)
    with pytest.raises(JournalError, match="not a Longwatch export"):
        open_export(tmp_path / "x.longwatch")


def test_a_cut_export_and_a_missing_one_are_sentences(export: Path, tmp_path: Path) -> None:
    export.write_bytes(export.read_bytes()[:-40])
    with pytest.raises(JournalError, match="not a Longwatch export"):
        open_export(export)
    with pytest.raises(JournalError, match="can't be opened"):
        open_export(tmp_path / "nowhere.longwatch")


def test_an_export_to_a_place_that_can_not_be_written_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="can't be written"):
        export_session(folder, tmp_path / "missing" / "x.longwatch")


def test_what_has_no_end_is_no_export(tmp_path: Path) -> None:
    (endless := tmp_path / "film.longwatch").symlink_to("/dev/zero")
    for opening in (open_export, read_manifest):
        with pytest.raises(JournalError, match="is no file"):
            opening(endless)


def test_whatever_is_said_of_a_session_at_its_beginning_is_one_commit(tmp_path: Path) -> None:
    create_database(tmp_path / "s", {f"name {number}": "x" for number in range(500)})
    with sqlite3.connect(database(tmp_path / "s")) as db:
        assert db.execute("SELECT count(*) FROM meta").fetchone() == (500,)
    db.close()
    changes = int.from_bytes(database(tmp_path / "s").read_bytes()[24:28], "big")
    assert changes < 10, "the file's own count of its commits"


def test_an_export_for_which_there_is_no_room_is_not_called_damaged(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("core.journal.export.rows.stored", full)
    (into := tmp_path / "into").mkdir()
    with pytest.raises(JournalError, match="can't be opened: database or disk is full"):
        open_export(export, into)
    assert not list(into.iterdir())


def test_a_line_holds_the_stored_body_unchanged(folder: Path) -> None:
    with Reader(folder) as reader:
        row = reader.raw()[3]
    assert event_line(row).endswith(b'"body":{"v":9,"about": 1e2}}\n')
