"""The writer's connection: transactions that number, link and commit events, and the tail they start from."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import aiosqlite
import msgspec

from core.events import HeadMoved, is_node, kinds
from core.journal import rows, schema
from core.journal.errors import DiskFull, JournalError, LeaseLost, Removed
from core.journal.evidence import refuse_lost_events
from core.journal.lease import Lease
from core.journal.migrate import migrate
from core.journal.rows import GENESIS, Prepared, Row

JournalMode = Literal["wal", "delete"]
BlobRow = tuple[str, int, str, bytes]

_SNAPSHOTS_KEPT: Final = 2
_AUTOCHECKPOINT_PAGES: Final = 8192
"""8 MB of log: a page that is written at every commit reaches the database once for hundreds of commits."""
_CHECKPOINT_FROM_BYTES: Final = 2 * 1024 * 1024


class Tail(NamedTuple):
    """Where the next event goes: after `seq`, under `head`, linked to `chain`."""

    seq: int = 0
    head: int | None = None
    chain: bytes = GENESIS

    def extend(self, draft: Prepared, at_us: int) -> tuple[Row, Tail]:
        """The row of a draft here, and the tail after it."""
        seq, node = self.seq + 1, is_node(draft.kind)
        parent, owner = (self.head, None) if node else (None, self.head)
        row = Row(seq, parent, owner, draft.kind, draft.key, at_us, draft.actor, draft.text)
        chain = rows.link(self.chain, row)
        head = draft.body.to if isinstance(draft.body, HeadMoved) else seq if node else self.head
        return row._replace(chain=chain), Tail(seq, head, chain)


class Store:
    """One connection that writes; used by one task at a time. Methods raise sqlite3.Error, see `cause`."""

    def __init__(self, folder: Path, db: aiosqlite.Connection, lease: Lease | None) -> None:
        self.folder = folder
        self.tail = Tail()
        self._db = db
        self._claimed = (msgspec.json.encode(lease.owner).decode(), lease.epoch) if lease else None
        self._stale = True
        self._files: list[Path] = []

    @classmethod
    async def open(cls, folder: Path, lease: Lease | None, mode: JournalMode | None) -> Store:
        """Connect to a checked file; `mode` None: a write-ahead log where the file system allows it."""
        path = schema.database(folder)
        try:
            await asyncio.to_thread(refuse_lost_events, folder)
        except OSError as error:
            raise cause(error, folder, "opened") from error
        await asyncio.to_thread(migrate, folder)
        store = cls(folder, await aiosqlite.connect(path, isolation_level=None, timeout=5.0), lease)
        try:
            await store._set_up(mode or ("wal" if schema.wal_works(folder) else "delete"))
            await store._reload()
            await store._claim()
            store._files = [file for file in (path, _log_of(folder)) if file.exists()]
        except sqlite3.Error as error:
            await store.close()
            raise cause(error, folder, "opened") from error
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """Close the connection, which ends its thread."""
        await self._db.close()

    async def commit(self, batch: Iterable[Row], blobs: Sequence[BlobRow], tail: Tail) -> None:
        """All rows and blobs, or nothing. After a failure `ready` reads the tail anew: what is on disk is the truth."""
        stored = [rows.stored(row) for row in batch]

        def write(db: sqlite3.Connection) -> None:
            db.executemany(rows.INSERT, stored)
            if blobs:
                db.executemany("INSERT OR IGNORE INTO blob VALUES (?, ?, ?, ?)", blobs)

        try:
            await self._transact(write)
        except BaseException:
            self._stale = True
            raise
        self.tail = tail

    async def ready(self) -> Tail:
        """The tail that the next commit starts from."""
        if self._stale:
            await self._reload()
        return self.tail

    async def recorded(self, drafts: Iterable[Prepared]) -> Row | None:
        """What stands in the journal for the first of the drafts that has happened before."""
        query = f"SELECT {rows.COLUMNS} FROM event WHERE key = ? AND {schema.SLOT} = ?"
        for draft in drafts:
            slot = schema.SLOTS.get(draft.kind, draft.kind)
            if draft.key is not None and (found := await self._one(query, draft.key, slot)):
                return rows.load(found)
        return None

    async def keep_snapshot(self, fold: str, version: int, seq: int, body: bytes) -> None:
        """Store the state of a fold; older ones than the last two go."""
        drop = """DELETE FROM snapshot WHERE fold = ?1
            AND seq NOT IN (SELECT seq FROM snapshot WHERE fold = ?1 ORDER BY seq DESC LIMIT ?2)"""

        def write(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?)", (fold, version, seq, body))
            db.execute(drop, (fold, _SNAPSHOTS_KEPT))

        await self._transact(write)

    async def checkpoint(self, force: bool) -> None:
        """Move the write-ahead log into the database when it is long enough to be worth it, or by force."""
        log = _log_of(self.folder)
        if log.exists() and (force or log.stat().st_size >= _CHECKPOINT_FROM_BYTES):
            await self._db.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")

    async def _set_up(self, mode: JournalMode) -> None:
        """EXTRA is FULL, and the name of a rollback journal is gone for good before a commit is believed."""
        try:
            await self._db.execute_fetchall(f"PRAGMA journal_mode={mode}")
        except sqlite3.OperationalError:
            await self._db.execute_fetchall("PRAGMA journal_mode=delete")
        for pragma in (
            "synchronous=EXTRA",
            f"wal_autocheckpoint={_AUTOCHECKPOINT_PAGES}",
            "cell_size_check=ON",
            "trusted_schema=OFF",
        ):
            await self._db.execute_fetchall(f"PRAGMA {pragma}")
        found = await self._one(schema.FOREIGN)
        schema.refuse_foreign((found[0], found[1]) if found else None)

    async def _transact(self, write: Callable[[sqlite3.Connection], None]) -> None:
        """One transaction, handed over to the connection's thread as a whole: that costs more than a statement does."""
        await self._db._execute(self._carry_out, write)

    def _carry_out(self, write: Callable[[sqlite3.Connection], None]) -> None:
        """Write in the connection's thread, unless somebody with a later lease does; all of it, or nothing."""
        db = self._db._conn
        for file in self._files:  # Once its name is gone, SQLite writes on, and nobody will ever read it.
            if not file.exists():
                raise Removed(
                    f"{file} was removed while the session ran, so nothing can be recorded any more. Put it back where"
                    " you can; `longwatch resume` goes on with what is there."
                )
        db.execute("BEGIN IMMEDIATE")
        try:
            if self._claimed is not None:
                row = db.execute("SELECT owner, epoch FROM lease").fetchone()
                if row != self._claimed:  # By the owner too: epochs begin anew where the lock's file was removed.
                    raise LeaseLost("Another process has taken this session over; this one writes no more.")
            write(db)
            db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # A full disk may have ended it already; what counts is what is on it.
                if db.in_transaction:
                    db.execute("ROLLBACK")
            raise

    async def _claim(self) -> None:
        if self._claimed is not None:
            await self._db.execute("INSERT OR REPLACE INTO lease VALUES (1, ?, ?)", self._claimed)

    async def _reload(self) -> None:
        last = await self._one("SELECT seq, chain FROM event ORDER BY seq DESC LIMIT 1")
        nodes = ", ".join(f"'{name}'" for name in kinds() if is_node(name))
        found = await self._one(
            f"""SELECT seq, kind, body FROM event
                WHERE parent IS NOT NULL OR kind IN ('{HeadMoved.KIND}', {nodes}) ORDER BY seq DESC LIMIT 1"""
        )
        head: int | None = None
        if found:
            head = self._target(found[2]) if found[1] == HeadMoved.KIND else found[0]
        self.tail = Tail(last[0], head, last[1]) if last else Tail()
        self._stale = False

    async def _one(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        found = list(await self._db.execute_fetchall(query, values))
        return tuple(found[0]) if found else None

    def _target(self, body: str | bytes) -> int:
        try:
            return msgspec.json.decode(rows.text_of(body), type=HeadMoved).to
        except ValueError as error:  # A damaged body, compressed or not.
            raise schema.explain(error, schema.database(self.folder)) from error


def _log_of(folder: Path) -> Path:
    return folder / f"{schema.DATABASE}-wal"


def cause(error: Exception, folder: Path, verb: str) -> JournalError:
    """A failure of writing as a sentence; `verb` is what could not be done: opened, written."""
    if isinstance(error, JournalError):
        return error
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR) or isinstance(error, OSError):
        return DiskFull(f"The disk refused to record the session in {folder} ({error}); free some space and go on.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return JournalError(f"The session in {folder} can't be {verb}: {error}.")
    return schema.explain(error, schema.database(folder))
