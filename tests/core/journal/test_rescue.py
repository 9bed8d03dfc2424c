"""Rescuing a damaged journal: whole events only, honest about the rest, the original kept, nothing run twice."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from damage import LOG, content, pages, write
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import VirtualClock
from core.events import GuidanceDelivered, RunnerRecovered, ToolFinished
from core.journal import Journal, JournalError, LeaseHeld, Reader
from core.journal.doctor import examine
from core.journal.lease import acquire
from core.journal.pages import pages_of, read_frames, records
from core.journal.rescue import Rescue, is_half_exchanged, kept_journals, mend, rescue
from core.journal.rows import Row
from core.journal.schema import PAGE_SIZE, database


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "s"
    asyncio.run(write(folder))
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "s")
    return tmp_path / "s"


def merge(folder: Path) -> None:
    """Move the write-ahead log into the database."""
    with closing(sqlite3.connect(database(folder))) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def hit(folder: Path, name: str, place: int = -1) -> None:
    """Zero the page of this kind in the middle, or at `place`, of the database; nothing newer of it is in the log."""
    merge(folder)
    found = pages(database(folder))[name]
    number = found[place] if place >= 0 else found[len(found) // 2]
    with database(folder).open("r+b") as file:
        file.seek((number - 1) * PAGE_SIZE)
        file.write(bytes(PAGE_SIZE))


def behead(folder: Path) -> None:
    with database(folder).open("r+b") as file:
        file.write(bytes(100))


def is_healthy(folder: Path) -> bool:
    return not any(found.level == "problem" for found in examine(folder))


def rescued(folder: Path) -> Rescue:
    return rescue(folder, VirtualClock())


def test_the_events_before_the_hole_are_kept_and_those_behind_it_stand_apart(folder: Path, whole: Path) -> None:
    original = content(whole).events
    hit(folder, "event leaf")
    result = rescued(folder)
    after = content(folder).events
    assert 0 < result.kept < 121
    assert after[: result.kept] == original[: result.kept]
    lines = [json.loads(line) for line in (folder / result.rest).read_text().splitlines()]
    apart = {line["event"]["seq"]: line for line in lines}
    assert sorted(apart) == [seq for start, end in result.apart for seq in range(start, end + 1)]
    assert all(line["event"]["kind"] == original[seq - 1].kind for seq, line in apart.items())
    assert [line["vouched"] for line in lines].count(False) <= len(result.apart)
    gone = [seq for start, end in result.gone for seq in range(start, end + 1)]
    assert sorted([*range(1, result.kept + 1), *gone, *apart]) == list(range(1, 162))
    assert is_healthy(folder)


def test_what_was_lost_is_said_in_the_journal_and_to_the_model(folder: Path) -> None:
    hit(folder, "event leaf")
    result = rescued(folder)
    with Reader(folder) as reader:
        added = reader.events(after=result.kept)
    findings = [event.body.findings for event in added if isinstance(event.body, RunnerRecovered)]
    assert findings == [result.sentences()]
    assert isinstance(added[-1].body, GuidanceDelivered) and added[-1].body.source == "notice"


@pytest.mark.parametrize("place", range(20, 60, 3))
def test_a_call_whose_outcome_is_lost_never_runs_again_by_itself(folder: Path, place: int) -> None:
    hit(folder, "event leaf", place)
    rescued(folder)
    with Reader(folder) as reader:
        events = reader.events()
    calls = {f"{event.key}.0" for event in events if event.kind == "model.responded"}
    outcomes = {event.key: event.body for event in events if isinstance(event.body, ToolFinished)}
    assert calls == set(outcomes)
    unknown = [body for body in outcomes.values() if body.recovered]
    assert all("may have run" in body.content and not body.ok for body in unknown)


@pytest.mark.parametrize("name", ["event_once leaf", "blob leaf", "snapshot leaf", "meta leaf", "sqlite_schema leaf"])
def test_damage_beside_the_events_loses_none_and_closes_nothing(folder: Path, whole: Path, name: str) -> None:
    hit(folder, name)
    assert not is_healthy(folder)
    result = rescued(folder)
    after = content(folder)
    assert result.kept == 161 and not result.apart and not result.gone
    assert after.events[:161] == content(whole).events
    assert is_healthy(folder)


@pytest.mark.parametrize("name", ["event internal", "blob internal", "event_once internal"])
def test_what_sqlite_cannot_reach_is_found_page_by_page(folder: Path, whole: Path, name: str) -> None:
    hit(folder, name)
    assert rescued(folder).kept == 161
    assert content(folder).events[:161] == content(whole).events
    assert content(folder).blobs == content(whole).blobs


def test_a_lost_file_header_loses_nothing(folder: Path, whole: Path) -> None:
    behead(folder)
    assert rescued(folder).kept == 161
    assert content(folder).blobs == content(whole).blobs


def test_events_behind_a_damaged_place_of_the_log_are_still_events(folder: Path) -> None:
    """SQLite reads the log up to the bad frame; the chain vouches for what follows it."""
    log = bytearray((folder / LOG).read_bytes())
    log[-536 + 8] ^= 255
    (folder / LOG).write_bytes(log)
    with Reader(folder) as reader:
        assert reader.last_seq() == 160
    assert rescued(folder).kept == 161


def test_the_original_is_kept_byte_by_byte_beside_the_new_journal(folder: Path) -> None:
    behead(folder)
    before = [(folder / name).read_bytes() for name in ("session.db", LOG)]
    result = rescued(folder)
    assert result.original == "session.db.damaged-1"
    assert [(folder / f"{result.original}{end}").read_bytes() for end in ("", "-wal")] == before
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in folder.glob("session.db*")} <= {0, 0o044}
    assert stat.S_IMODE(database(folder).stat().st_mode) == 0o600


def test_without_its_first_event_a_session_is_left_and_the_rest_kept_apart(folder: Path) -> None:
    hit(folder, "event leaf", 0)
    before = database(folder).read_bytes()
    with pytest.raises(JournalError, match="first event of this session is lost"):
        rescued(folder)
    assert database(folder).read_bytes() == before
    rest = folder / "session.db.rest.jsonl"
    assert stat.S_IMODE(rest.stat().st_mode) == 0o600
    assert len(rest.read_text().splitlines()) > 150


@pytest.mark.parametrize("words", [b"Step 7.", b"make part-21", b'run_command","use_id'])
def test_one_wrong_bit_is_found_by_the_chain_and_turned_back(folder: Path, whole: Path, words: bytes) -> None:
    merge(folder)
    data = bytearray(database(folder).read_bytes())
    data[data.index(words)] ^= 2
    database(folder).write_bytes(data)
    result = rescued(folder)
    assert (result.kept, result.mended) == (161, 1)
    assert content(folder).events[:161] == content(whole).events


async def test_a_rescued_session_goes_on(folder: Path) -> None:
    hit(folder, "event leaf")
    result = rescued(folder)
    with acquire(folder) as lease:
        async with await Journal.open(folder, VirtualClock(), lease=lease) as journal:
            assert journal.head == journal.last_seq > result.kept
    assert is_healthy(folder)


def test_a_session_that_a_runner_holds_is_not_touched(folder: Path) -> None:
    hit(folder, "event leaf")
    before = sorted(path.name for path in folder.iterdir())
    with acquire(folder), pytest.raises(LeaseHeld):
        rescued(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted({*before, "lease.lock", "lease.beat"})


@pytest.mark.parametrize("data", [b"", b"\x07" * 9000, None])
def test_what_holds_no_event_is_refused_and_stays_as_it_is(folder: Path, data: bytes | None) -> None:
    (folder / LOG).unlink()
    database(folder).write_bytes(os.urandom(3000) if data is None else data)
    before = database(folder).read_bytes()
    with pytest.raises(JournalError, match="nothing was changed"):
        rescued(folder)
    assert database(folder).read_bytes() == before
    assert not kept_journals(folder)


@pytest.mark.parametrize("moved", range(4))
def test_a_rescue_that_ends_between_two_names_is_finished_by_the_next(
    folder: Path, moved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    behead(folder)
    renames, rename = [], Path.rename

    def dying(self: Path, target: Path) -> Path:
        renames.append(self)
        if len(renames) > moved:
            raise PermissionError(13, "no more")
        return rename(self, target)

    with monkeypatch.context() as dead:
        dead.setattr(Path, "rename", dying)
        with pytest.raises(JournalError, match="nothing is lost"):
            rescued(folder)
    assert is_half_exchanged(folder) == (moved > 0)
    assert not is_healthy(folder)
    mend(folder, VirtualClock())
    assert is_healthy(folder)
    assert (folder / "session.db.damaged-1-wal").exists()
    assert not (folder / LOG).exists() or not (folder / LOG).stat().st_size


def test_a_second_rescue_of_other_damage_keeps_both_originals(folder: Path) -> None:
    hit(folder, "event leaf")
    rescued(folder)
    hit(folder, "event leaf")
    rescued(folder)
    assert [path.name for path in kept_journals(folder)] == ["session.db.damaged-1", "session.db.damaged-2"]
    assert is_healthy(folder)


def test_pages_are_read_as_sqlite_reads_them(whole: Path) -> None:
    """Every event of the file and its log, also long ones over many pages, without SQLite."""
    frames = read_frames(whole / LOG, PAGE_SIZE)
    assert frames and all(frame.applied and frame.current for frame in frames)
    source = pages_of(database(whole).read_bytes(), PAGE_SIZE, {frame.page: frame.data for frame in frames})
    found: dict[int, Row] = {}
    for number in range(1, 2000):
        for rowid, columns in records(source(number), number, source):
            if len(columns) == 9:
                found[rowid] = Row(rowid, *columns[1:])
    expected = {row.seq: row.chain for row in content(whole).events}
    assert {seq: row.chain for seq, row in found.items()} == expected


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2000), st.integers(1, 3))
def test_a_page_of_anything_yields_records_or_nothing(data: bytes, number: int) -> None:
    page = b"\x0d" + data[:511]
    for _, columns in records(page, number, pages_of(data, PAGE_SIZE)):
        assert all(isinstance(column, int | str | bytes | None) for column in columns)
