"""A copy of a session's log that grows as the log does, elsewhere: the same numbers, the same chain.

The copy is a cache: whatever befalls it, it is made again. So nothing waits for the disk here, and two processes may
write the same copy, for they write the same rows.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

import msgspec

from core.journal import rows, schema
from core.journal.errors import JournalError
from core.journal.rows import GENESIS, Row
from core.journal.store import cause


class Mirror:
    """The copy in `folder`, begun if there is none; a context manager. Methods raise JournalError.

    One thread appends.
    """

    def __init__(self, folder: Path, meta: Mapping[str, str]) -> None:
        self.folder = folder
        path = schema.database(folder)
        try:
            schema.check_database(path)
        except JournalError:
            _remove(path)
            schema.create_database(folder, meta)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
        try:
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "trusted_schema=OFF", "cell_size_check=ON"):
                self._db.execute(f"PRAGMA {pragma}")
            self.seq, self.chain = self._tail()
        except sqlite3.Error as error:
            self._db.close()
            raise cause(error, folder, "opened") from error

    def __enter__(self) -> Mirror:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back. Safe to call twice."""
        with self._lock:
            self._db.close()

    def append(self, batch: Iterable[Row]) -> None:
        """Take the next rows, linked to what is there; all of them, or none. Raises JournalError for other rows."""
        seq, chain, linked = self.seq, self.chain, list[Row]()
        for row in batch:
            if row.seq != seq + 1:
                raise JournalError(f"Event {seq + 1} of the session did not come; event {row.seq} did.")
            _check(row)
            seq, chain = row.seq, rows.link(chain, row)
            linked.append(row._replace(chain=chain))
        with self._writing():
            there = self._tail()[0]  # Another process may have written some of them.
            self._db.executemany(rows.INSERT, [rows.stored(row) for row in linked if row.seq > there])
        self.seq, self.chain = seq, chain

    def keep(self, data: bytes) -> None:
        """An output, under its hash."""
        with self._writing():
            self._db.execute("INSERT OR IGNORE INTO blob VALUES (?, ?, ?, ?)", rows.pack(data))

    def start_over(self) -> None:
        """Forget all that is there: it was of another log."""
        with self._writing():
            self._db.execute("DELETE FROM event")
        self.seq, self.chain = 0, GENESIS

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction; what goes wrong with it as a JournalError."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except (sqlite3.Error, OverflowError) as error:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise cause(error, self.folder, "written") from error

    def _tail(self) -> tuple[int, bytes]:
        found = self._db.execute("SELECT seq, chain FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        return (found[0], found[1]) if found else (0, GENESIS)


def _check(row: Row) -> None:
    try:
        rows.decode(row)
    except (msgspec.DecodeError, UnicodeError, TypeError) as error:
        raise JournalError(f"Event {row.seq} of the session came damaged: {error}.") from error


def _remove(path: Path) -> None:
    """What is no journal, or none of this version; also what SQLite left beside it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
