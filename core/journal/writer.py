"""The only writer of a session: one connection, owned by one task, fed by a queue.

Callers wait on a shielded future, so cancelling a caller neither cancels nor tears a write: a CancelledError never
means "not written". Appends that queue up together share a transaction.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

from core.allocator import set_large_apart, share_memory
from core.clock import Clock
from core.events import Draft, Event
from core.journal import rows, schema
from core.journal.errors import AlreadyRecorded, JournalError
from core.journal.lease import Lease
from core.journal.rows import Prepared
from core.journal.store import BlobRow, JournalMode, Store, cause

T = TypeVar("T")
Listener = Callable[[list[Event]], None]

_BATCH: Final = 64
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Append:
    """What one caller wants recorded; `events` is how it stands in the transaction that is tried."""

    drafts: list[Prepared]
    blobs: list[BlobRow]
    done: asyncio.Future[list[Event]]
    events: list[Event]


@dataclass(slots=True)
class _Chore:
    """Other work on the connection, between transactions."""

    work: Callable[[], Awaitable[None]]
    done: asyncio.Future[None]


class Journal:
    """The append side of a session's log. Made by `create` or `open`; always closed, best by `async with`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.folder = store.folder
        self._store, self._clock = store, clock
        self._jobs: deque[_Append | _Chore] = deque()
        self._work, self._running = asyncio.Event(), asyncio.Event()
        self._closing = False
        self._listeners: list[Listener] = []
        self._task = asyncio.create_task(self._write(), name=f"journal {self.folder.name}")

    @classmethod
    async def create(
        cls,
        folder: Path,
        clock: Clock,
        *,
        session: str | None = None,
        lease: Lease | None = None,
        journal_mode: JournalMode | None = None,
    ) -> Journal:
        """A new, empty journal in `folder`. Raises JournalError when there is one already or the disk refuses."""
        schema.create_database(folder, {"session": session or folder.name})
        return await cls.open(folder, clock, lease=lease, journal_mode=journal_mode)

    @classmethod
    async def open(
        cls, folder: Path, clock: Clock, *, lease: Lease | None = None, journal_mode: JournalMode | None = None
    ) -> Journal:
        """Go on with an existing journal. With a lease, every write is fenced by its epoch.

        `journal_mode` None: write-ahead log wherever the file system allows it. Raises JournalError.
        """
        share_memory()  # Whoever writes a session does so for long, and all that blocks in threads.
        set_large_apart()  # Else requests come to lie among what is kept, and leave holes.
        journal = cls(await Store.open(folder, lease, journal_mode), clock)
        await journal._running.wait()  # A task that is cancelled before its first step would never close anything.
        return journal

    async def __aenter__(self) -> Journal:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def head(self) -> int | None:
        """The node that the next node hangs under; None before the first."""
        return self._store.tail.head

    @property
    def last_seq(self) -> int:
        """The newest committed event; 0 when there is none."""
        return self._store.tail.seq

    async def append(self, *drafts: Draft, blobs: Sequence[bytes] = ()) -> list[Event]:
        """Record the drafts in order, with their blobs, in one transaction; return them as events once on disk.

        Raises AlreadyRecorded when one of them has happened before (nothing is written), DiskFull when the disk
        refuses (may be tried again), LeaseLost when another process has taken over, JournalError otherwise.
        """
        prepared = [rows.prepare(draft) for draft in drafts]
        packed = await asyncio.to_thread(lambda: [rows.pack(blob) for blob in blobs]) if blobs else []
        done: asyncio.Future[list[Event]] = asyncio.get_running_loop().create_future()
        return await self._submit(_Append(prepared, packed, done, []))

    @staticmethod
    def hash_of(data: bytes) -> str:
        """The name under which `append(blobs=[data])` keeps it."""
        return rows.hash_of(data)

    async def save_snapshot(self, fold: str, version: int, seq: int, body: bytes) -> None:
        """Keep the state of a fold as of `seq`; the last two of each fold stay."""
        await self._chore(lambda: self._store.keep_snapshot(fold, version, seq, body))

    async def checkpoint(self, *, force: bool = False) -> None:
        """For idle moments: move the write-ahead log into the database once it has grown enough (or by force)."""
        await self._chore(lambda: self._store.checkpoint(force))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(events)` after each commit, on this loop, in order; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def close(self) -> None:
        """Finish what is queued and close the database. Safe to call twice."""
        self._closing = True
        self._work.set()
        await asyncio.wait([self._task])

    async def _submit(self, job: _Append | _Chore) -> Any:
        if self._closing or self._task.done():
            raise JournalError("The journal is closed.")
        job.done.add_done_callback(_retrieve)
        self._jobs.append(job)
        self._work.set()
        return await asyncio.shield(job.done)

    async def _chore(self, work: Callable[[], Awaitable[None]]) -> None:
        await self._submit(_Chore(work, asyncio.get_running_loop().create_future()))

    async def _write(self) -> None:
        """The writer task: whatever ends it, callers get an answer and the connection is closed."""
        work: Sequence[_Append | _Chore] = ()
        self._running.set()
        try:
            while self._jobs or not self._closing:
                if self._jobs:
                    work = self._next()
                    await self._perform(work)
                else:
                    self._work.clear()
                    await self._work.wait()
        finally:
            self._closing = True
            for job in (*work, *self._jobs):
                _fail(job, JournalError("The journal was closed while this waited to be written."))
            await self._store.close()

    def _next(self) -> list[_Append] | list[_Chore]:
        """The oldest job, and the appends that follow it when it is one."""
        first = self._jobs.popleft()
        if isinstance(first, _Chore):
            return [first]
        batch = [first]
        while self._jobs and len(batch) < _BATCH and isinstance(job := self._jobs[0], _Append):
            batch.append(job)
            self._jobs.popleft()
        return batch

    async def _perform(self, work: list[_Append] | list[_Chore]) -> None:
        """Several appends are tried together first; when something is wrong, each gets its own verdict."""
        appends = [job for job in work if isinstance(job, _Append)]
        if len(appends) > 1 and await self._tried_together(appends):
            return
        for job in work:
            try:
                await (self._commit([job]) if isinstance(job, _Append) else job.work())
            except (sqlite3.Error, OSError, JournalError) as error:
                _fail(job, await self._verdict(job, error))
            else:
                self._publish(job)

    async def _tried_together(self, batch: list[_Append]) -> bool:
        try:
            await self._commit(batch)
        except (sqlite3.Error, JournalError):
            return False
        for job in batch:
            self._publish(job)
        return True

    async def _commit(self, batch: list[_Append]) -> None:
        tail, at_us, written = await self._store.ready(), self._clock.now_us(), []
        for job in batch:
            job.events.clear()
            for draft in job.drafts:
                row, tail = tail.extend(draft, at_us)
                written.append(row)
                job.events.append(rows.event(row, draft.body))
        await self._store.commit(written, [blob for job in batch for blob in job.blobs], tail)

    def _publish(self, job: _Append | _Chore) -> None:
        """Tell the listeners first: whoever awaits an append may rely on what they do."""
        if isinstance(job, _Chore):
            _finish(job.done, None)
            return
        for listener in tuple(self._listeners) if job.events else ():
            try:
                listener(list(job.events))
            except Exception:
                _LOG.exception("a listener of the journal failed")
        _finish(job.done, job.events)

    async def _verdict(self, job: _Append | _Chore, error: Exception) -> Exception:
        if isinstance(error, sqlite3.IntegrityError) and isinstance(job, _Append):
            try:
                found = await self._store.recorded(job.drafts)
            except sqlite3.Error as failure:
                return cause(failure, self.folder, "read")
            if found is not None:
                return AlreadyRecorded(rows.decode(found))
            return JournalError("An append names the same event twice; nothing of it was recorded.")
        return cause(error, self.folder, "written")


def _finish(done: asyncio.Future[T], result: T) -> None:
    if not done.done():
        done.set_result(result)


def _fail(job: _Append | _Chore, error: Exception) -> None:
    if not job.done.done():
        job.done.set_exception(error)


def _retrieve(done: asyncio.Future[Any]) -> None:
    """The caller may be gone; its failure must not be reported as forgotten."""
    if not done.cancelled():
        done.exception()
