"""Deleting sessions so that they can be taken back, and for good."""

from __future__ import annotations

from pathlib import Path

import pytest
from journal_drafts import opened, said

from core.clock import VirtualClock
from core.journal import Journal, JournalError
from core.journal.catalogue import list_sessions, session_folder
from core.journal.lease import acquire
from core.journal.reader import Reader
from core.journal.trash import KEEP_DAYS, TRASH, discard, folder_size, list_trash, purge, restore, sweep

DAY_S = 86_400


async def make(home: Path, session: str = "01a") -> Path:
    folder = session_folder(home, session)
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened("audit"), said("x"))
    (folder / "jobs").mkdir()
    (folder / "jobs" / "out").write_bytes(b"12345")
    return folder


async def test_a_deleted_session_is_aside_whole_and_comes_back_as_it_was(tmp_path: Path) -> None:
    folder, clock = await make(tmp_path), VirtualClock()
    size = folder_size(folder)
    trashed = discard(tmp_path, folder, clock)
    assert not folder.exists() and list_sessions(tmp_path) == []
    assert list_trash(tmp_path) == [trashed]
    assert (trashed.id, trashed.at_us) == ("01a", clock.now_us())
    assert folder_size(trashed.folder) >= size > 5
    assert restore(tmp_path, trashed) == folder
    assert list_trash(tmp_path) == [] and [one.id for one in list_sessions(tmp_path)] == ["01a"]
    with Reader(folder) as reader:
        assert reader.last_seq() == 2 and reader.verify() is None
    acquire(folder).release()


async def test_a_running_session_is_never_moved(tmp_path: Path) -> None:
    folder = await make(tmp_path)
    with acquire(folder), pytest.raises(JournalError, match="is running; stop it first: longwatch send 01a stop"):
        discard(tmp_path, folder)
    assert folder.exists() and list_trash(tmp_path) == []


async def test_a_damaged_session_can_be_deleted_too(tmp_path: Path) -> None:
    folder = await make(tmp_path)
    (folder / "session.db").write_bytes(b"junk")
    restore(tmp_path, discard(tmp_path, folder))
    assert (folder / "session.db").read_bytes() == b"junk"


async def test_the_one_deleted_last_comes_first_and_the_same_session_may_come_twice(tmp_path: Path) -> None:
    clock = VirtualClock()
    for session in ("01b", "01a", "01b"):
        discard(tmp_path, await make(tmp_path, session), clock)
        clock.advance(1)
    found = list_trash(tmp_path)
    assert [one.id for one in found] == ["01b", "01a", "01b"]
    restore(tmp_path, found[0])
    with pytest.raises(JournalError, match="there is a session of that id again"):
        restore(tmp_path, found[2])
    purge(list_trash(tmp_path))
    assert list_trash(tmp_path) == []
    with pytest.raises(JournalError, match="no longer in the trash"):
        restore(tmp_path, found[1])


async def test_only_what_has_lain_there_long_enough_is_swept(tmp_path: Path) -> None:
    clock = VirtualClock()
    discard(tmp_path, await make(tmp_path, "01a"), clock)
    clock.advance(DAY_S)
    discard(tmp_path, await make(tmp_path, "01b"), clock)
    clock.advance((KEEP_DAYS - 1) * DAY_S - 1)
    sweep(tmp_path, clock)
    assert [one.id for one in list_trash(tmp_path)] == ["01b", "01a"]
    clock.advance(1)
    sweep(tmp_path, clock)
    assert [one.id for one in list_trash(tmp_path)] == ["01b"]
    assert [path.name for path in (tmp_path / TRASH).iterdir()] == [list_trash(tmp_path)[0].folder.name]


async def test_what_an_interrupted_removal_left_is_not_offered_and_goes_with_the_next_sweep(tmp_path: Path) -> None:
    trashed = discard(tmp_path, await make(tmp_path))
    left = trashed.folder.rename(trashed.folder.with_name(f"going.{trashed.folder.name}"))
    (tmp_path / TRASH / "notes").mkdir()
    assert list_trash(tmp_path) == []
    sweep(tmp_path)
    assert not left.exists() and (tmp_path / TRASH / "notes").exists()


def test_a_trash_that_can_not_be_listed_is_a_sentence(tmp_path: Path) -> None:
    assert list_trash(tmp_path / "nowhere") == []
    sweep(tmp_path / "nowhere")
    (tmp_path / TRASH).write_text("a file")
    with pytest.raises(JournalError, match="can't be listed"):
        list_trash(tmp_path)


async def test_a_session_that_is_gone_and_a_disk_that_refuses_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        discard(tmp_path, session_folder(tmp_path, "01a"))
    folder = await make(tmp_path)
    (tmp_path / TRASH).write_text("a file")
    with pytest.raises(JournalError, match="can't be moved to the trash"):
        discard(tmp_path, folder)
    assert folder.exists()


def test_what_a_killed_process_left_half_made_goes_a_day_later(tmp_path: Path) -> None:
    for name in (".founding-a", ".forking-b", ".importing-c", ".other-d"):
        (tmp_path / name / "01a").mkdir(parents=True)
    clock = VirtualClock(start_us=(tmp_path / ".founding-a").stat().st_mtime_ns // 1000)
    sweep(tmp_path, clock)
    assert len(list(tmp_path.iterdir())) == 4
    clock = VirtualClock(start_us=clock.now_us() + (DAY_S + 60) * 1_000_000)
    sweep(tmp_path, clock)
    assert [path.name for path in tmp_path.iterdir()] == [".other-d"]
