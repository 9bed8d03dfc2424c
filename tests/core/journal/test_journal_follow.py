"""Following a session: all so far, then each commit, from this process or from another."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from journal_drafts import opened, said, until

from core.clock import VirtualClock
from core.events import Event
from core.journal import Follow, Journal, JournalError
from core.journal.follow import CHUNK
from core.journal.watch import Waker

WRITER = """
import asyncio, sys
from pathlib import Path
from core.clock import SystemClock
from core.events import Draft, GuidanceDelivered
from core.journal import Journal
async def main():
    async with await Journal.open(Path(sys.argv[1]), SystemClock()) as journal:
        for line in iter(sys.stdin.readline, ""):
            await journal.append(Draft(GuidanceDelivered(text=line.strip())))
            print(journal.last_seq, flush=True)
asyncio.run(main())
"""


class Viewer:
    """Gathers what a Follow hands out, in a task."""

    def __init__(self, follow: Follow) -> None:
        self.follow, self.seen, self.batches = follow, list[Event](), list[int]()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for batch in self.follow:
            self.seen += batch
            self.batches.append(len(batch))

    async def stop(self) -> None:
        self.follow.stop()
        await self.task


@pytest.fixture
async def journal(tmp_path: Path):
    async with await Journal.create(tmp_path / "s", VirtualClock()) as journal:
        yield journal


async def test_everything_so_far_comes_in_chunks_and_then_each_commit(journal: Journal) -> None:
    await journal.append(opened(), *[said(str(n)) for n in range(CHUNK + 500)])
    viewer = Viewer(Follow(journal.folder, watch=False))
    journal.subscribe(lambda events: viewer.follow.wake())
    await until(lambda: viewer.follow.caught_up)
    assert viewer.batches == [CHUNK, 501]
    for n in range(20):
        await journal.append(said(f"new {n}"))
    await until(lambda: len(viewer.seen) == journal.last_seq)
    assert [event.seq for event in viewer.seen] == list(range(1, journal.last_seq + 1))
    await viewer.stop()


async def test_following_starts_after_what_is_known(journal: Journal) -> None:
    await journal.append(opened(), said("a"), said("b"))
    viewer = Viewer(Follow(journal.folder, after=2))
    await until(lambda: viewer.seen)
    assert [event.seq for event in viewer.seen] == [3]
    await viewer.stop()


async def test_waking_and_stopping_from_another_thread(journal: Journal) -> None:
    follow = Follow(journal.folder, watch=False)
    follow.wake()
    viewer = Viewer(follow)
    await journal.append(opened())
    await asyncio.to_thread(follow.wake)
    await until(lambda: viewer.seen)
    await asyncio.to_thread(follow.stop)
    await viewer.task
    follow.wake()


async def test_two_viewers_follow_a_session_that_another_process_writes(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    async with await Journal.create(folder, VirtualClock()) as journal:
        await journal.append(opened())
    viewers = [Viewer(Follow(folder)), Viewer(Follow(folder))]
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(folder), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdin and writer.stdout
    for n in range(5):
        writer.stdin.write(f"line {n}\n".encode())
        seq = int(await writer.stdout.readline())
        await until(lambda seq=seq: all(viewer.follow.position == seq for viewer in viewers))
    writer.stdin.close()
    await writer.wait()
    for viewer in viewers:
        assert [event.body.text for event in viewer.seen[1:]] == [f"line {n}" for n in range(5)]
        await viewer.stop()


async def test_a_change_wakes_without_waiting_for_the_poll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the poll out of the way only the system's notice is left."""
    monkeypatch.setattr("core.journal.watch._NOTICED_POLL_S", 60.0)
    async with Waker(tmp_path, "session.db") as waker:
        await waker.wait()
        (tmp_path / "other").write_text("not watched")
        waiting = asyncio.create_task(waker.wait())
        (tmp_path / "session.db-wal").write_text("x")
        await asyncio.wait_for(waiting, 10)


async def test_where_nothing_can_be_watched_the_poll_finds_changes(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*folders, **options):
        raise OSError("inotify watch limit reached")
        yield

    monkeypatch.setattr("watchfiles.awatch", refused)
    viewer = Viewer(Follow(journal.folder))
    await until(lambda: viewer.follow.caught_up)
    await journal.append(opened())
    await until(lambda: viewer.seen)
    await viewer.stop()


async def test_a_viewer_that_is_cancelled_leaves_nothing_behind(journal: Journal) -> None:
    await journal.append(opened())
    viewer = Viewer(Follow(journal.folder))
    await until(lambda: viewer.seen)
    viewer.task.cancel()
    await asyncio.gather(viewer.task, return_exceptions=True)
    await until(lambda: len(asyncio.all_tasks()) == 2)


async def test_a_missing_session_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no session"):
        await Viewer(Follow(tmp_path / "none")).task
