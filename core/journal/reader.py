"""Reading a journal, beside its writer, after a crash, or from a disk that can't be written.

Every call is one short read transaction, so no reader ever holds the writer's checkpoints up. Calls block; from an
event loop run them in a thread (`await asyncio.to_thread(reader.events, after)`): a reader may be shared by threads.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import msgspec

from core.events import Event, clean_text
from core.folds.branches import Span
from core.journal import rows, schema
from core.journal.errors import Damaged, JournalError
from core.journal.rows import Row
from core.progress import tell

_ALL: Final = f"SELECT {rows.COLUMNS} FROM event"
LATEST: Final = f"{_ALL} WHERE kind = '{{kind}}' AND {schema.TELLS_STATE} ORDER BY seq DESC LIMIT 1"
_TEXT: Final = "CASE typeof(body) WHEN 'blob' THEN inflated(body) ELSE body END"
_VERIFY_CHUNK: Final = 500
_WITHIN_CHUNK: Final = 100
_PAST_THE_END: Final = 1 << 62
_MAY_NOT_WRITE: Final = ("unable to open", "readonly database")


class Reader:
    """A read-only view of one session's log. Methods raise JournalError when the file is damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = schema.database(folder)
        schema.check_database(self.path)
        self._lock = threading.Lock()
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._closed = False
        self._db, self._log = self._connect(), self._log_now()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back. Safe to call twice."""
        with self._lock:
            self._closed = True
            self._db.close()
            if self._copy is not None:
                self._copy.cleanup()

    def events(self, after: int = 0, limit: int | None = None) -> list[Event]:
        """Committed events with `seq > after`, oldest first, at most `limit`."""
        return [self._decode(row) for row in self.raw(after, limit)]

    def raw(self, after: int = 0, limit: int | None = None) -> list[Row]:
        """The same as stored rows, bodies still JSON text."""
        found = self._all(f"{_ALL} WHERE seq > ? ORDER BY seq LIMIT ?", after, -1 if limit is None else limit)
        if found:
            tell(found[-1][0], self.last_seq)
        return list(map(self._load, found))

    def within(self, spans: Sequence[Span], kinds: Collection[str]) -> Iterator[Event]:
        """Events of these kinds in the spans, oldest first, a few at a time: as `core.request.archive` wants them."""
        marks = ", ".join("?" * len(kinds))
        query = f"{_ALL} WHERE seq BETWEEN ? AND ? AND kind IN ({marks}) ORDER BY seq LIMIT {_WITHIN_CHUNK}"
        for first, last in spans:
            start = first
            while found := self._all(query, start, last, *kinds):
                yield from (self._decode(self._load(row)) for row in found)
                if len(found) < _WITHIN_CHUNK:
                    break
                start = found[-1][0] + 1

    def event(self, seq: int) -> Event | None:
        """One event by number."""
        return self._first(f"{_ALL} WHERE seq = ?", seq)

    def keyed(self, kind: str, key: str) -> Event | None:
        """The event of that kind with that key; there is one at most."""
        return self._first(f"{_ALL} WHERE kind = ? AND key = ?", kind, key)

    def latest(self, kind: str) -> Event | None:
        """The newest event of one of the kinds that tell a session's state (`schema.STATE_KINDS`); indexed."""
        if kind not in schema.STATE_KINDS:
            raise ValueError(f"{kind} is not indexed")
        return self._first(LATEST.format(kind=kind))

    def of_kind(self, kind: str, limit: int) -> list[Event]:
        """Events of one kind, newest first, at most `limit`; reads through the log, so not for what is drawn."""
        rows = self._all(f"{_ALL} WHERE kind = ? ORDER BY seq DESC LIMIT ?", kind, limit)
        return [self._decode(self._load(row)) for row in rows]

    def last_seq(self) -> int:
        """The number of the newest event; 0 when there is none."""
        return int(self._all("SELECT ifnull(max(seq), 0) FROM event")[0][0])

    def find(self, text: str, limit: int = 20) -> list[Event]:
        """Events whose body holds exactly this text in some string value, newest first."""
        if not text:
            return []
        needle = msgspec.json.encode(clean_text(text)).decode()[1:-1]
        query = f"{_ALL} WHERE seq < ? AND instr({_TEXT}, ?) > 0 ORDER BY seq DESC LIMIT ?"
        found: list[Row] = []
        before = _PAST_THE_END
        while len(found) < limit and (batch := self._all(query, before, needle, limit)):
            found += [row for row in map(self._load, batch) if _mentions(msgspec.json.decode(row.body), text)]
            before = batch[-1][0]
        return [self._decode(row) for row in found[:limit]]

    def blob(self, name: str) -> bytes | None:
        """The raw bytes of a blob by hash, or None when the journal has none of that name."""
        found = self._all("SELECT size, codec, data FROM blob WHERE hash = ?", name)
        if not found:
            return None
        try:
            data = rows.unpack(*found[0])
            if rows.hash_of(data) == name:
                return data
        except (ValueError, TypeError):
            pass
        raise Damaged(f"An output of the session in {self.folder} is damaged (blob {name[:12]}).", self.folder)

    def blobs(self) -> list[tuple[str, int]]:
        """Every blob as (hash, raw size in bytes)."""
        return [(name, size) for name, size in self._all("SELECT hash, size FROM blob ORDER BY hash")]

    def snapshot(self, fold: str, version: int) -> tuple[int, bytes] | None:
        """The newest stored state of a fold in exactly this version, as (seq, body)."""
        query = "SELECT seq, body FROM snapshot WHERE fold = ? AND version = ? ORDER BY seq DESC LIMIT 1"
        found = self._all(query, fold, version)
        return (found[0][0], found[0][1]) if found else None

    def meta(self) -> dict[str, str]:
        """What was said of the session when its journal was made."""
        return dict(self._all("SELECT name, value FROM meta"))

    def verify(self) -> int | None:
        """The first event that is not as it was written, or None when the whole chain holds."""
        chain, expected = rows.GENESIS, 1
        while True:
            try:
                batch = self.raw(expected - 1, _VERIFY_CHUNK)
            except JournalError:
                batch = self._one_readable(expected)
                if not batch:
                    return expected
            for row in batch:
                chain = rows.link(chain, row)
                if row.seq != expected or row.chain != chain:
                    return expected
                expected += 1
            if not batch:
                return None

    def faults(self, most: int = 5) -> list[str]:
        """What SQLite's own check finds in tables and indexes, at most so many lines, and what of them is missing.

        It knows no checksums, and what is no longer there it does not miss.
        """
        found = [str(row[0]) for row in self._all(f"PRAGMA integrity_check({most})")]
        there = {name for (name,) in self._all("SELECT name FROM sqlite_master")}
        return [line for line in found if line != "ok"] + [
            f"{name} is missing" for name in schema.PARTS if name not in there
        ]

    @property
    def data_version(self) -> int:
        """Changes whenever another connection has committed."""
        return int(self._all("PRAGMA data_version")[0][0])

    def _one_readable(self, seq: int) -> list[Row]:
        try:
            return self.raw(seq - 1, 1)
        except JournalError:
            return []

    def _first(self, query: str, *values: Any) -> Event | None:
        found = self._all(query, *values)
        return self._decode(self._load(found[0])) if found else None

    def _load(self, columns: tuple[Any, ...]) -> Row:
        try:
            return rows.load(columns)
        except ValueError as error:
            raise self._damaged(columns[0]) from error

    def _decode(self, row: Row) -> Event:
        try:
            return rows.decode(row)
        except (msgspec.DecodeError, UnicodeError, TypeError) as error:  # TypeError: damage can change a column's type.
            raise self._damaged(row.seq) from error

    def _damaged(self, seq: int) -> JournalError:
        says = f"Event {seq} of the session in {self.folder} is damaged; what came before it is intact."
        return Damaged(says, self.folder)

    def _all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            self._keep_up()
            try:
                return self._once_more(query, values)
            except sqlite3.ProgrammingError as error:
                raise JournalError("The journal is closed.") from error
            except schema.UNREADABLE as error:
                raise schema.explain(error, self.path) from error

    def _once_more(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """The rows. What looks damaged is looked at anew: a log that went away leaves a connection half a view."""
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError or self._closed or self._copy is not None:
                raise
        self._open_anew()
        return self._db.execute(query, values).fetchall()

    def _log_now(self) -> int | None:
        """Which file is the write-ahead log now; None where there is none."""
        try:
            return self.path.with_name(f"{self.path.name}-wal").stat().st_ino
        except OSError:
            return None

    def _keep_up(self) -> None:
        """Open the file anew where its log is another one: a connection to one that was removed sees nothing new.

        SQLite keeps a log as long as anybody is connected, by locks that a process loses whenever it closes the same
        file elsewhere, as when another reader looks at its first bytes.
        """
        if not self._closed and self._copy is None and self._log_now() != self._log:
            self._open_anew()

    def _open_anew(self) -> None:
        self._db.close()
        self._db = self._connect()
        self._log = self._log_now()

    def _connect(self) -> sqlite3.Connection:
        """Read-only beside a writer; where SQLite may write nothing at all, from a copy or as it lies there.

        `immutable` overlooks a write-ahead log, so it serves only where there is none. A rollback journal that a crash
        left behind is rolled back in a copy; in the file itself that is its next writer's part.
        """
        try:
            return _open(self.path, "mode=ro")
        except sqlite3.OperationalError as error:
            if not any(words in str(error) for words in _MAY_NOT_WRITE):
                raise schema.explain(error, self.path) from error
        except schema.UNREADABLE as error:
            raise schema.explain(error, self.path) from error
        logs = [self.path.with_name(f"{self.path.name}{suffix}") for suffix in ("-wal", "-journal")]
        try:
            if not any(log.exists() and log.stat().st_size for log in logs):
                return _open(self.path, "immutable=1")
            self._copy = tempfile.TemporaryDirectory(prefix="longwatch-")
            for file in (self.path, *filter(Path.exists, logs)):
                shutil.copyfile(file, Path(self._copy.name, file.name))
            return _open(Path(self._copy.name, self.path.name), "mode=rw")
        except (OSError, *schema.UNREADABLE) as error:
            raise schema.explain(error, self.path) from error


def _open(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?{mode}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5.0, check_same_thread=False)
    try:
        db.create_function("inflated", 1, _inflated, deterministic=True)
        db.execute("PRAGMA cell_size_check=ON")
        db.execute("PRAGMA trusted_schema=OFF")
        schema.refuse_foreign(db.execute(schema.FOREIGN).fetchone())
        with closing(db.execute(f"{_ALL} LIMIT 1")) as cursor:
            cursor.fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _inflated(body: bytes) -> str | None:
    """For searching: a damaged body holds no text, and does not keep the others from being found."""
    try:
        return rows.text_of(body)
    except ValueError:
        return None


def _mentions(value: Any, text: str) -> bool:
    if isinstance(value, str):
        return text in value
    if isinstance(value, dict):
        return any(_mentions(item, text) for item in value.values())
    return isinstance(value, list) and any(_mentions(item, text) for item in value)
