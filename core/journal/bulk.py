"""A whole log written at once, with times of its own: for what happened elsewhere, or before.

There is no lease and no commit per event: the folder is the writer's alone until it is moved into place, whole.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from core.events import Draft
from core.journal import rows, schema
from core.journal.errors import JournalError
from core.journal.rows import Row
from core.journal.store import Tail, cause

_BATCH: Final = 2_000


class BulkWriter:
    """Appends to a new journal in `folder`; a context manager. Nothing is durable before `seal`.

    Methods raise JournalError when the disk refuses.
    """

    def __init__(self, folder: Path, session: str) -> None:
        self.folder = folder
        self._path = schema.create_database(folder, {"session": session})
        self._db = sqlite3.connect(self._path, isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-16000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("BEGIN")
        self._tail = Tail()
        self._waiting: list[Row] = []

    def __enter__(self) -> BulkWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._db.close()

    @property
    def last_seq(self) -> int:
        """The number of the last event; 0 before the first."""
        return self._tail.seq

    def append(self, draft: Draft, at_us: int, blobs: Sequence[bytes] = ()) -> None:
        """Add an event that happened at `at_us`. Raises ValueError for what can't be encoded."""
        row, self._tail = self._tail.extend(rows.prepare(draft), at_us)
        self._waiting.append(row)
        self._keep(blobs)
        if len(self._waiting) >= _BATCH:
            self._flush()

    def add(self, row: Row, blobs: Sequence[bytes] = ()) -> None:
        """Add an event as another journal has it; its place in the chain is found anew."""
        chain = rows.link(self._tail.chain, row)
        self._tail = Tail(row.seq, None, chain)
        self._waiting.append(row._replace(chain=chain))
        self._keep(blobs)
        if len(self._waiting) >= _BATCH:
            self._flush()

    def seal(self) -> None:
        """Bring everything to the disk; nothing can be added any more."""
        try:
            self._flush()
            self._db.execute("COMMIT")
            self._db.close()
            descriptor = os.open(self._path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            schema.sync_folder(self.folder)
        except (OSError, sqlite3.Error) as error:
            raise cause(error, self.folder, "written") from error

    def _keep(self, blobs: Sequence[bytes]) -> None:
        if blobs:
            self._many("INSERT OR IGNORE INTO blob VALUES (?, ?, ?, ?)", [rows.pack(blob) for blob in blobs])

    def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        self._many(rows.INSERT, [rows.stored(row) for row in batch])

    def _many(self, query: str, values: Sequence[Sequence[object]]) -> None:
        try:
            self._db.executemany(query, values)
        except sqlite3.IntegrityError as error:
            raise JournalError(
                f"The log in {self.folder} can't be written: two events of one name ({error})."
            ) from error
        except sqlite3.Error as error:
            raise cause(error, self.folder, "written") from error
