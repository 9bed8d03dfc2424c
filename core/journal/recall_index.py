"""An index over everything that a session has ever seen: derived from its log, rebuilt whenever it is not sound.

`recall.db` lies beside the journal, is never exported and may be deleted at any time. It holds the texts in chunks, an
FTS5 index of their words, and the exact names in them with the last chunk of each event that mentions one. Where the
disk refuses, the index is kept in memory. Calls block; an index may be shared by threads.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

from core.events import Event
from core.journal import recall_queries
from core.journal.errors import JournalError
from core.journal.passages import findable_chunks, handle_of, names_in, title_of
from core.journal.reader import Reader
from core.journal.recall_queries import Current, Finding

T = TypeVar("T")

DATABASE: Final = "recall.db"
VERSION: Final = 1
BATCH: Final = 1_000
"""Events that are indexed in one transaction: names lie scattered over their table, so each transaction writes most of
its pages again. By a hundred at a time it writes twice as much."""
_APPLICATION_ID: Final = 0x4C57_5231
_PAGE_CACHE_KB: Final = 16_384
_TABLES: Final = """
CREATE TABLE tip(seq INTEGER NOT NULL, chain BLOB NOT NULL) STRICT;
CREATE TABLE source(seq INTEGER PRIMARY KEY, handle TEXT NOT NULL, title TEXT NOT NULL) STRICT;
CREATE TABLE chunk(id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, start INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
CREATE TABLE name(
    name TEXT NOT NULL, seq INTEGER NOT NULL, chunk INTEGER NOT NULL, PRIMARY KEY (name, seq)
) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(text, content='chunk', content_rowid='id', tokenize="unicode61 tokenchars '_'");
CREATE VIRTUAL TABLE term USING fts5vocab(words, row);
INSERT INTO tip VALUES (0, x'');
"""


class RecallIndex:
    """The index of the session that `reader` reads. Opened when it is first asked; every question catches up first."""

    def __init__(self, reader: Reader) -> None:
        self.path = reader.folder / DATABASE
        self._reader = reader
        self._lock = threading.Lock()
        self._closing = False
        self._db: sqlite3.Connection | None = None
        self._places: Iterator[Callable[[], sqlite3.Connection]] = iter((self._as_it_is, self._anew, self._in_memory))

    def __enter__(self) -> RecallIndex:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back; what is being indexed is given up. Safe to call twice."""
        self._closing = True
        with self._lock:
            self._disconnect()

    def catch_up(self) -> int:
        """Index what was recorded since the last time, in transactions of BATCH events; the seq that was reached.

        Costs what is new. Raises JournalError when the log is damaged or this index is closed.
        """
        return self._consult(_reached)

    def find(self, text: str, limit: int, current: Current = lambda place: True) -> Finding:
        """Where exactly this string stands, or what is most like it, see `recall_queries.find`. Raises JournalError."""
        return self._consult(lambda db: recall_queries.find(db, text, limit, current))

    def near(self, text: str, others: Iterable[str] = (), limit: int = 5) -> list[str]:
        """Names that were seen, or stand in `others`, and look like `text`, the likest first. Raises JournalError."""
        return self._consult(lambda db: recall_queries.near(db, text, others, limit))

    def _consult(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Ask an index that is up to date; a broken one is built again, in memory where the disk refuses that too."""
        with self._lock:
            while True:
                self._refuse_when_closed()
                try:
                    if self._db is None:
                        self._db = next(self._places)()
                    self._catch_up(self._db)
                    try:
                        return question(self._db)
                    finally:  # What it read of the file lies in the system's memory, and need not in ours, too.
                        self._db.execute("PRAGMA shrink_memory")
                except (sqlite3.Error, OSError):
                    self._disconnect()
                except StopIteration as error:
                    raise JournalError("The index for recall can't be kept; recall by handle still works.") from error

    def _catch_up(self, db: sqlite3.Connection) -> None:
        while events := self._reader.events(_reached(db), BATCH):
            with db:
                for event in events:
                    self._refuse_when_closed()
                    _index(db, event, self._reader)
                db.execute("UPDATE tip SET seq = ?, chain = ?", (events[-1].seq, events[-1].chain))

    def _refuse_when_closed(self) -> None:
        if self._closing:
            raise JournalError("The index for recall is closed.")

    def _as_it_is(self) -> sqlite3.Connection:
        """The file that is there, if it is of this version and of this log."""
        if not self.path.exists():
            return self._anew()
        db = _connect(self.path)
        try:
            stamp = (db.execute("PRAGMA application_id").fetchone(), db.execute("PRAGMA user_version").fetchone())
            if stamp != ((_APPLICATION_ID,), (VERSION,)) or not self._follows(db):
                raise sqlite3.DatabaseError("not an index of this log")
        except BaseException:
            db.close()
            raise
        return db

    def _follows(self, db: sqlite3.Connection) -> bool:
        """Whether the last event that was indexed stands in the log as it did then."""
        seq, chain = db.execute("SELECT seq, chain FROM tip").fetchone()
        event = self._reader.event(seq) if seq else None
        return not seq or (event is not None and event.chain == chain)

    def _anew(self) -> sqlite3.Connection:
        for suffix in ("", "-wal", "-shm", "-journal"):
            self.path.with_name(f"{DATABASE}{suffix}").unlink(missing_ok=True)
        os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return _laid_out(_connect(self.path))

    def _in_memory(self) -> sqlite3.Connection:
        return _laid_out(_connect(":memory:"))

    def _disconnect(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def _connect(place: Path | str) -> sqlite3.Connection:
    """Without a write-ahead log: there every page would be written twice, and nobody else reads here."""
    db = sqlite3.connect(place, timeout=5.0, check_same_thread=False)
    db.execute("PRAGMA journal_mode=TRUNCATE")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute(f"PRAGMA cache_size=-{_PAGE_CACHE_KB}")
    return db


def _laid_out(db: sqlite3.Connection) -> sqlite3.Connection:
    db.executescript(f"BEGIN; {_TABLES} COMMIT;")
    db.execute(f"PRAGMA application_id={_APPLICATION_ID}")
    db.execute(f"PRAGMA user_version={VERSION}")
    return db


def _reached(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT seq FROM tip").fetchone()[0])


def _index(db: sqlite3.Connection, event: Event, reader: Reader) -> None:
    """Add what one event says."""
    (last,) = db.execute("SELECT ifnull(max(id), 0) FROM chunk").fetchone()
    chunks: list[tuple[int, int, int, str]] = []
    names: dict[str, int] = {}
    for id, (start, text) in enumerate(findable_chunks(event, reader), last + 1):
        chunks.append((id, event.seq, start, text))
        names |= dict.fromkeys(names_in(text), id)
    if not chunks:
        return
    db.execute("INSERT INTO source VALUES (?, ?, ?)", (event.seq, handle_of(event), title_of(event)))
    db.executemany("INSERT INTO chunk VALUES (?, ?, ?, ?)", chunks)
    db.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", ((chunk[0], chunk[3]) for chunk in chunks))
    db.executemany("INSERT INTO name VALUES (?, ?, ?)", ((name, event.seq, id) for name, id in sorted(names.items())))
