"""Appending: numbers, parents, chain, once-only keys, batches, blobs, cancelling, failing disks."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_drafts import failed, finished, moved, opened, paused, responded, said, started

from core.clock import VirtualClock
from core.events import Draft, Event, GuidanceDelivered, HeadMoved, ToolStarted, Unknown, is_node
from core.journal import AlreadyRecorded, DiskFull, Journal, JournalError, LeaseLost, Reader
from core.journal.errors import Removed
from core.journal.lease import LOCK, Lease, acquire
from core.journal.schema import database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "s1"


@pytest.fixture
async def journal(folder: Path):
    async with await Journal.create(folder, VirtualClock()) as journal:
        yield journal


async def test_events_come_back_as_they_were_appended(journal: Journal, folder: Path) -> None:
    written = await journal.append(opened(), said("hello")) + await journal.append(started("r1.1.0"))
    with Reader(folder) as reader:
        assert reader.events() == written
    assert [event.seq for event in written] == [1, 2, 3]
    assert {event.at_us for event in written} == {VirtualClock().now_us()}


async def test_nodes_hang_under_head_and_side_events_point_at_it(journal: Journal) -> None:
    root, first, side, second = await journal.append(opened(), said("a"), started("r1.1.0"), said("b"))
    assert (root.parent, root.node) == (None, None)
    assert (first.parent, first.node) == (root.seq, None)
    assert (side.parent, side.node) == (None, first.seq)
    assert second.parent == first.seq
    assert journal.head == second.seq


async def test_a_moved_head_is_where_the_next_node_hangs(journal: Journal) -> None:
    root, first, _ = await journal.append(opened(), said("a"), said("b"))
    (move,) = await journal.append(moved(to=first.seq, origin=3))
    assert move.node == 3
    (branch,) = await journal.append(said("c"))
    assert branch.parent == first.seq
    await journal.append(moved(to=root.seq, origin=branch.seq))
    assert journal.head == root.seq


async def test_an_open_journal_goes_on_where_it_ended(folder: Path) -> None:
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened(), said("a"), said("b"), moved(to=2, origin=3), paused())
    async with await Journal.open(folder, VirtualClock()) as journal:
        assert (journal.head, journal.last_seq) == (2, 5)
        (event,) = await journal.append(said("c"))
    assert (event.seq, event.parent) == (6, 2)
    with Reader(folder) as reader:
        assert reader.verify() is None


async def test_a_keyed_event_is_recorded_once_and_its_whole_call_with_it(journal: Journal, folder: Path) -> None:
    await journal.append(opened(), started("r1.1.0"))
    with pytest.raises(AlreadyRecorded) as caught:
        await journal.append(said("never written"), started("r1.1.0"))
    assert (caught.value.event.seq, caught.value.event.key) == (2, "r1.1.0")
    assert journal.last_seq == 2
    (event,) = await journal.append(finished("r1.1.0"))
    assert event.seq == 3
    with Reader(folder) as reader:
        assert [event.kind for event in reader.events()] == ["session.opened", "tool.started", "tool.finished"]
        assert reader.verify() is None


@pytest.mark.parametrize(("first", "second"), [(responded, failed), (failed, responded), (responded, responded)])
async def test_a_request_has_one_outcome(journal: Journal, first, second) -> None:
    await journal.append(opened(), first("r1.1"))
    with pytest.raises(AlreadyRecorded) as caught:
        await journal.append(second("r1.1"))
    assert caught.value.event.kind == first("r1.1").body.KIND
    await journal.append(second("r1.2"))


async def test_the_same_key_twice_in_one_call_is_refused(journal: Journal) -> None:
    with pytest.raises(JournalError, match="twice"):
        await journal.append(started("r1.1.0"), started("r1.1.0"))
    assert journal.last_seq == 0


async def test_one_bad_append_in_a_crowd_fails_alone(journal: Journal, folder: Path) -> None:
    await journal.append(opened(), started("r1.1.0"))
    crowd = [said(str(n)) for n in range(20)]
    crowd[7] = started("r1.1.0")
    results = await asyncio.gather(*map(journal.append, crowd), return_exceptions=True)
    assert [n for n, result in enumerate(results) if isinstance(result, AlreadyRecorded)] == [7]
    assert journal.last_seq == 21
    with Reader(folder) as reader:
        assert reader.verify() is None


async def test_a_cancelled_caller_does_not_cancel_or_tear_its_write(journal: Journal, folder: Path) -> None:
    await journal.append(opened())
    tasks = [asyncio.create_task(journal.append(said(str(n)), said(f"{n}b"))) for n in range(50)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await journal.append(paused())
    with Reader(folder) as reader:
        texts = [event.body.text for event in reader.events() if isinstance(event.body, GuidanceDelivered)]
        assert texts == [text for n in range(50) for text in (str(n), f"{n}b")]
        assert reader.verify() is None


async def test_listeners_hear_of_what_is_committed_before_the_caller_goes_on(journal: Journal, folder: Path) -> None:
    heard: list[Event] = []

    def listen(events: list[Event]) -> None:
        with Reader(folder) as reader:
            assert reader.last_seq() >= events[-1].seq
        heard.extend(events)

    def broken(events: list[Event]) -> None:
        raise RuntimeError("a listener's own trouble")

    journal.subscribe(broken)
    unsubscribe = journal.subscribe(listen)
    written = await journal.append(opened(), said("a"))
    assert heard == written
    unsubscribe()
    await journal.append(said("b"))
    assert heard == written


async def test_lone_surrogates_are_replaced(journal: Journal, folder: Path) -> None:
    (event,) = await journal.append(
        Draft(ToolStarted(name="x", use_id="\udcff", arguments={"a\ud800": ["\ud800é"]}, effect="read"))
    )
    assert event.body.arguments == {"a?": ["?é"]}
    with Reader(folder) as reader:
        assert reader.events() == [event]


async def test_absurd_arguments_are_kept_or_refused_with_a_sentence(journal: Journal, folder: Path) -> None:
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(JournalError, match="nested too deeply"):
        await journal.append(Draft(ToolStarted(name="x", use_id="u", arguments={"a": nested}, effect="read")))
    await journal.append(Draft(ToolStarted(name="x", use_id="u", arguments={"a": 10**40}, effect="read")))
    with Reader(folder) as reader:
        assert reader.events()[0].body.arguments == {"a": 10**40}
    with pytest.raises(ValueError, match="no kind"):
        await journal.append(Draft(Unknown(fields={})))


async def test_blobs_are_kept_once_by_their_hash_and_compressed_when_it_pays(journal: Journal, folder: Path) -> None:
    text, noise = b"the same line\n" * 5000, os.urandom(5000)
    await journal.append(opened(), blobs=[text, noise])
    await journal.append(said("again"), blobs=[text])
    with Reader(folder) as reader:
        assert reader.blob(journal.hash_of(text)) == text
        assert reader.blob(journal.hash_of(noise)) == noise
        assert reader.blob("0" * 64) is None
        assert sorted(reader.blobs()) == sorted((journal.hash_of(data), len(data)) for data in (text, noise))
    assert database(folder).stat().st_size < 60_000


async def test_a_blob_of_a_refused_append_is_not_kept(journal: Journal, folder: Path) -> None:
    await journal.append(started("r1.1.0"))
    with pytest.raises(AlreadyRecorded):
        await journal.append(started("r1.1.0"), blobs=[b"lost"])
    with Reader(folder) as reader:
        assert reader.blobs() == []


async def test_the_last_two_snapshots_of_a_fold_stay(journal: Journal, folder: Path) -> None:
    for seq in (1, 2, 3):
        await journal.save_snapshot("costs", 1, seq, f"at {seq}".encode())
    await journal.save_snapshot("plan", 1, 1, b"plan")
    await journal.save_snapshot("costs", 2, 4, b"newer version")
    with Reader(folder) as reader:
        assert reader.snapshot("costs", 2) == (4, b"newer version")
        assert reader.snapshot("costs", 1) == (3, b"at 3")
        assert reader.snapshot("plan", 1) == (1, b"plan")
        assert reader.snapshot("costs", 3) is None


async def test_files_belong_to_their_owner_alone(journal: Journal, folder: Path) -> None:
    await journal.append(opened())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"session.db": 0o600, "session.db-wal": 0o600, "session.db-shm": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_checkpoint_moves_the_log_into_the_database(journal: Journal, folder: Path) -> None:
    await journal.append(opened())
    await journal.checkpoint()
    assert (folder / "session.db-wal").stat().st_size > 0
    await journal.checkpoint(force=True)
    assert (folder / "session.db-wal").stat().st_size == 0


async def test_without_a_write_ahead_log_everything_works_too(folder: Path) -> None:
    async with await Journal.create(folder, VirtualClock(), journal_mode="delete") as journal:
        written = await journal.append(opened(), said("a"))
        with Reader(folder) as reader:
            assert reader.events() == written
        await journal.checkpoint(force=True)
        assert not (folder / "session.db-wal").exists()


async def test_a_session_is_not_created_over_another(journal: Journal, folder: Path) -> None:
    await journal.append(opened())
    with pytest.raises(JournalError, match="already a session"):
        await Journal.create(folder, VirtualClock())
    assert journal.last_seq == 1


async def test_a_closed_journal_says_so_and_closes_again(folder: Path) -> None:
    journal = await Journal.create(folder, VirtualClock())
    waiting = [asyncio.create_task(journal.append(said(str(n)))) for n in range(5)]
    await asyncio.sleep(0)
    await journal.close()
    await journal.close()
    assert [len(await task) for task in waiting] == [1] * 5
    with pytest.raises(JournalError, match="closed"):
        await journal.append(said("late"))


def test_a_process_that_forgets_to_close_still_ends(tmp_path: Path) -> None:
    script = f"""
import asyncio
from pathlib import Path
from core.clock import VirtualClock
from core.journal import Journal
async def main():
    global journal
    journal = await Journal.create(Path({str(tmp_path / "s")!r}), VirtualClock())
    raise SystemExit(7)
asyncio.run(main())
"""
    assert subprocess.run([sys.executable, "-c", script], timeout=30, check=False).returncode == 7


async def test_a_disk_that_is_full_refuses_and_recovers(journal: Journal, folder: Path) -> None:
    """A page limit makes SQLite report a full disk as a real one does."""
    await journal.append(opened())
    noise = random.Random(1).randbytes(100_000).hex()
    pages = (await journal._store._one("PRAGMA page_count"))[0]
    await journal._store._one(f"PRAGMA max_page_count={pages + 20}")
    with pytest.raises(DiskFull, match="free some space"):
        await journal.append(said(noise))
    assert (journal.last_seq, journal.head) == (1, 1)
    await journal.append(said("small"))
    await journal._store._one("PRAGMA max_page_count=1000000")
    (event,) = await journal.append(said(noise))
    assert event.seq == 3
    with Reader(folder) as reader:
        assert reader.verify() is None


@pytest.mark.parametrize("name", ["session.db", "session.db-wal"])
async def test_nothing_is_told_to_be_recorded_in_a_file_that_was_removed(folder: Path, name: str) -> None:
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened())
        (folder / name).rename(folder / "aside")
        with pytest.raises(Removed, match="was removed"):
            await journal.append(said("hello"))
        (folder / "aside").rename(folder / name)
        assert (await journal.append(said("hello")))[0].seq == 2


async def test_a_head_that_was_moved_by_a_long_event_is_found_again(folder: Path) -> None:
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened(), said("a"), said("b"))
        files = [f"M src/module_{number}.py" for number in range(500)]
        await journal.append(Draft(HeadMoved(to=2, origin=3, reason="rewind", files=files)))
    async with await Journal.open(folder, VirtualClock()) as journal:
        assert journal.head == 2
    with sqlite3.connect(database(folder)) as db:
        db.execute("UPDATE event SET body = x'789c00' WHERE seq = 4")
    db.close()
    with pytest.raises(JournalError, match="damaged"):
        await Journal.open(folder, VirtualClock())


async def test_a_writer_whose_session_was_taken_over_writes_no_more(folder: Path) -> None:
    async with await Journal.create(folder, VirtualClock()) as made:
        await made.append(opened())
    old = acquire(folder)
    async with await Journal.open(folder, VirtualClock(), lease=old) as stopped:
        await stopped.append(said("mine"))
        os.close(old._descriptor)
        later = acquire(folder)
        async with await Journal.open(folder, VirtualClock(), lease=later) as journal:
            await journal.append(said("theirs"))
            with pytest.raises(LeaseLost, match="taken this session over"):
                await stopped.append(said("too late"))
            with pytest.raises(LeaseLost):
                await stopped.save_snapshot("f", 1, 1, b"")
            await journal.append(said("on"))
        _forget(old)
        later.release()
    with Reader(folder) as reader:
        assert reader.verify() is None
        assert reader.last_seq() == 4


async def test_nor_does_one_whose_lock_was_removed(folder: Path) -> None:
    async with await Journal.create(folder, VirtualClock()) as made:
        await made.append(opened())
    with acquire(folder) as old:
        async with await Journal.open(folder, VirtualClock(), lease=old) as first:
            await first.append(said("mine"))
            (folder / LOCK).unlink()
            with acquire(folder) as later:
                async with await Journal.open(folder, VirtualClock(), lease=later) as second:
                    await second.append(said("theirs"))
                    with pytest.raises(LeaseLost):
                        await first.append(said("too late"))


def _forget(lease: Lease) -> None:
    lease._descriptor = None


BAD_FILES = {
    "empty": (b"", "is empty"),
    "not a database": (b"hello, this is a text file\n" * 20, "not a database"),
    "cut header": (b"SQLite format 3\x00abc", "not a database"),
}


@pytest.mark.parametrize("name", BAD_FILES)
async def test_a_file_that_is_no_journal_is_refused_untouched(folder: Path, name: str) -> None:
    content, sentence = BAD_FILES[name]
    folder.mkdir()
    database(folder).write_bytes(content)
    with pytest.raises(JournalError, match=sentence):
        await Journal.open(folder, VirtualClock())
    with pytest.raises(JournalError, match=sentence):
        Reader(folder)
    assert database(folder).read_bytes() == content
    assert [path.name for path in folder.iterdir()] == ["session.db"]


async def test_another_programs_database_and_a_newer_journal_are_refused(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    with sqlite3.connect(database(folder)) as db:
        db.execute("CREATE TABLE event(seq)")
    db.close()
    with pytest.raises(JournalError, match="another program"):
        await Journal.open(folder, VirtualClock())
    newer = tmp_path / "newer"
    await (await Journal.create(newer, VirtualClock())).close()
    with sqlite3.connect(database(newer)) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    before = database(newer).read_bytes()
    with pytest.raises(JournalError, match="newer Longwatch"):
        await Journal.open(newer, VirtualClock())
    assert database(newer).read_bytes() == before


async def test_a_missing_session_and_an_unusable_place_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no session in"):
        await Journal.open(tmp_path / "nowhere", VirtualClock())
    (tmp_path / "file").write_text("x")
    with pytest.raises(JournalError, match="can be kept"):
        await Journal.create(tmp_path / "file" / "s", VirtualClock())


async def test_a_damaged_database_is_a_sentence_not_a_traceback(folder: Path) -> None:
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened(), *[said("x" * 500) for _ in range(200)])
    data = bytearray(database(folder).read_bytes())
    data[1024:] = os.urandom(len(data) - 1024)
    database(folder).write_bytes(data)
    with pytest.raises(JournalError, match="damaged"):
        await Journal.open(folder, VirtualClock())


steps = st.lists(
    st.one_of(
        st.builds(said, st.text(max_size=20)),
        st.sampled_from([paused(), opened()]),
        st.builds(lambda n: ("move", n), st.integers(0, 1000)),
        st.builds(lambda n: finished(f"r{n}.1.0"), st.integers(0, 6)),
        st.builds(lambda n: responded(f"r{n}.1"), st.integers(0, 4)),
        st.builds(lambda n: failed(f"r{n}.1"), st.integers(0, 4)),
        st.just("reopen"),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_any_history_keeps_its_chain_its_parents_and_its_head(tmp_path_factory: pytest.TempPathFactory, steps) -> None:
    asyncio.run(_replay(tmp_path_factory.mktemp("any") / "s", steps))


async def _replay(folder: Path, steps) -> None:
    head, nodes, written = None, [], []
    journal = await Journal.create(folder, VirtualClock())
    for step in steps:
        if step == "reopen":
            await journal.close()
            journal = await Journal.open(folder, VirtualClock())
        elif isinstance(step, tuple):
            if nodes:
                head = nodes[step[1] % len(nodes)]
                written += await journal.append(moved(to=head, origin=journal.head))
        else:
            try:
                (event,) = await journal.append(step)
            except AlreadyRecorded as error:
                assert error.event in written
                continue
            written.append(event)
            assert (event.parent, event.node) == ((head, None) if is_node(event.kind) else (None, head))
            if is_node(event.kind):
                head = event.seq
                nodes.append(head)
        assert (journal.head, journal.last_seq) == (head, len(written))
    await journal.close()
    with Reader(folder) as reader:
        assert reader.events() == written
        assert reader.verify() is None
