"""All that can still be read of a damaged journal, each piece believed only for its hash.

Events are never rewritten and each is linked to the one before, so a row found anywhere, in a page that SQLite can't
reach or in an older frame of the log, is the right one exactly when it continues the chain.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Container, Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple

import msgspec

from core.events import SessionOpened
from core.journal import rows, schema
from core.journal.errors import Damaged
from core.journal.pages import PageSource, Record, columns_of, pages_of, payloads, read_frames, records
from core.journal.rows import Row

SIDE_FILES: Final = ("", "-wal", "-journal")
_ROW: Final = f"SELECT {rows.COLUMNS} FROM event WHERE seq = ?"
_EVENT_COLUMNS, _BLOB_COLUMNS, _META_COLUMNS = 9, 4, 2
_MOST_MENDED: Final = 16
_LARGEST_MENDED: Final = 4096
BlobRow = tuple[str, int, str, bytes]

_BEFORE_THE_FIRST: Final = Row(0, None, None, "", None, 0, "", "")


class Stray(NamedTuple):
    """A readable event behind a hole. `vouched`: it follows another one that is readable too, by its hash."""

    row: Row
    vouched: bool


class Evidence:
    """Copies of a journal's files, which the original is not touched for; a context manager. Raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._session = folder.name
        self.mended = 0
        """Events of `events()` so far in which one bit was wrong."""
        self._place = tempfile.TemporaryDirectory(prefix=".rescue-", dir=folder)
        self._path = Path(self._place.name, schema.DATABASE)
        for suffix in SIDE_FILES:
            original = folder / f"{schema.DATABASE}{suffix}"
            if original.exists():
                shutil.copyfile(original, f"{self._path}{suffix}")
        self._raw = self._path.read_bytes() if self._path.exists() else b""
        self._frames = read_frames(Path(f"{self._path}-wal"), schema.PAGE_SIZE)
        self._db = _opened(self._path)

    def __enter__(self) -> Evidence:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._db is not None:
            self._db.close()
        self._place.cleanup()

    def events(self) -> Iterator[Row]:
        """The events from the first on for as long as the chain holds, from wherever they can be read."""
        row = self._first()
        while row is not None:
            yield row
            row = self._next(row)

    def is_all(self, last: int) -> bool:
        """Whether nothing speaks for events behind `last`: SQLite walks the whole table, and the log ends well."""
        walked = list(self._rows_of("event", "seq"))
        log_is_whole = all(frame.applied or not frame.current for frame in self._frames)
        return log_is_whole and walked == [(seq,) for seq in range(1, last + 1)]

    def is_short(self) -> bool:
        """Whether more events can be read than SQLite reads."""
        walked = sum(1 for _ in self._rows_of("event", "seq"))
        return sum(1 for _ in islice(self.events(), walked + 1)) > walked

    def strays(self, after: int) -> list[Stray]:
        """What can be read behind the end of `events()`, in order."""
        found = []
        for seq in sorted(seq for seq in self._scanned if seq > after):
            before = [row.chain for row in self._scanned.get(seq - 1, ())]
            vouched = [row for row in self._scanned[seq] if any(rows.link(link, row) == row.chain for link in before)]
            found.append(Stray((vouched or self._scanned[seq])[0], bool(vouched)))
        return found

    def blobs(self, wanted: Container[str]) -> Iterator[BlobRow]:
        """Of the outputs of these names, those that still are what their names say; one may come twice."""
        for columns in self._rows_of("blob", "hash, size, codec, data"):
            if columns[0] in wanted and _is_blob(columns):
                yield columns
        for _, columns in self._records():
            if len(columns) == _BLOB_COLUMNS and columns[0] in wanted and _is_blob(tuple(columns)):
                yield tuple(columns)

    def meta(self) -> dict[str, str]:
        """What was said of the session when its journal was made, as far as it can be read."""
        pairs = [tuple(columns) for _, columns in self._records() if len(columns) == _META_COLUMNS]
        pairs += self._rows_of("meta", "name, value")
        texts = {name: value for name, value in pairs if isinstance(name, str) and isinstance(value, str)}
        first = self._first()
        known = {self._session, _session_of(first)} if first else {self._session}
        return texts if texts.get("session") in known else {**texts, "session": self._session}

    def _first(self) -> Row | None:
        """The first event; of two chains (a log that belongs elsewhere) the one of this session."""
        read = self._read(1)
        candidates = [read] if read is not None and rows.link(rows.GENESIS, read) == read.chain else []
        if not candidates or _session_of(candidates[0]) != self._session:
            candidates += [row for row in self._scanned.get(1, ()) if rows.link(rows.GENESIS, row) == row.chain]
        return next(
            (row for row in candidates if _session_of(row) == self._session), candidates[0] if candidates else None
        )

    def _next(self, last: Row) -> Row | None:
        """The row that continues the chain; its own link may be damaged when its successor speaks for it."""
        seq = last.seq + 1
        read = self._read(seq)
        if read is not None and rows.link(last.chain, read) == read.chain:
            return read
        candidates = [*self._scanned.get(seq, ()), *([read] if read else ())]
        linked = [(row, rows.link(last.chain, row)) for row in candidates]
        for row, link in linked:
            if row.chain == link:
                return row
        for row, link in linked:
            if any(rows.link(link, later) == later.chain for later in self._scanned.get(seq + 1, ())):
                return row._replace(chain=link)
        return self._mended(last)

    def _mended(self, last: Row) -> Row | None:
        """The next row with one wrong bit turned back: there is one bit at most with which the chain holds."""
        if self.mended >= _MOST_MENDED:
            return None
        found = {
            payload
            for page, number, source in self._leaves()
            for rowid, payload in payloads(page, number, source)
            if rowid == last.seq + 1 and len(payload) <= _LARGEST_MENDED
        }
        for payload in found:
            for turned in _one_bit_off(payload):
                row = _parsed(last.seq + 1, turned)
                if row is not None and rows.link(last.chain, row) == row.chain:
                    self.mended += 1
                    return row
        return None

    def _read(self, seq: int) -> Row | None:
        """A row as SQLite gives it."""
        try:
            found = self._db.execute(_ROW, (seq,)).fetchone() if self._db else None
        except schema.UNREADABLE:
            return None
        return _row(found) if found else None

    def _rows_of(self, table: str, columns: str) -> Iterator[Any]:
        """A table's rows for as long as SQLite can walk it."""
        try:
            yield from self._db.execute(f"SELECT {columns} FROM {table} NOT INDEXED") if self._db else ()
        except schema.UNREADABLE:
            return

    @cached_property
    def _scanned(self) -> dict[int, list[Row]]:
        """Every row of an event in any page, by number; several where pages disagree. Made when first needed."""
        found: dict[int, list[Row]] = {}
        for rowid, columns in self._records():
            if len(columns) == _EVENT_COLUMNS and columns[0] is None and rowid > 0:
                row = _row((rowid, *columns[1:]))
                if row is not None and row not in found.setdefault(rowid, []):
                    found[rowid].append(row)
        return {seq: candidates for seq, candidates in found.items() if candidates}

    def _records(self) -> Iterator[Record]:
        """The records of every page of the file and of its log, with long ones put together in each way there is."""
        for page, number, source in self._leaves():
            yield from records(page, number, source)

    def _leaves(self) -> Iterator[tuple[bytes, int, PageSource]]:
        size, count = schema.PAGE_SIZE, len(self._raw) // schema.PAGE_SIZE
        for source in self._sources():
            for number in range(1, count + 1):
                yield self._raw[(number - 1) * size : number * size], number, source
            for frame in self._frames:
                yield frame.data, frame.page, source

    def _sources(self) -> list[PageSource]:
        applied = {frame.page: frame.data for frame in self._frames if frame.applied}
        latest = {frame.page: frame.data for frame in self._frames}
        overlays = [applied] + [overlay for overlay in ({}, latest) if overlay != applied]
        return [pages_of(self._raw, schema.PAGE_SIZE, overlay) for overlay in overlays]


def refuse_lost_events(folder: Path) -> None:
    """Raise Damaged where the log holds events that SQLite passes over: whoever writes next would write over them.

    A power cut leaves one transaction at most that is not whole, for the next is written only when it is on the disk.
    Raises OSError.
    """
    frames = read_frames(folder / f"{schema.DATABASE}-wal", schema.PAGE_SIZE)
    if sum(frame.commits for frame in frames if frame.current and not frame.applied) < 2:
        return
    with Evidence(folder) as evidence:
        if evidence.is_short():
            raise Damaged(f"The session in {folder} is damaged: events in its log can't be read.", folder)


def _opened(path: Path) -> sqlite3.Connection | None:
    """A connection to the copy, with its log or rollback journal taken in; None when SQLite refuses."""
    if not path.exists():
        return None
    db = sqlite3.connect(path, isolation_level=None)
    try:
        db.execute("PRAGMA trusted_schema=OFF")
        for kind, name in db.execute(schema.FOREIGN).fetchall():  # It is a copy: what is no journal's goes.
            db.execute('DROP {} "{}"'.format(kind, name.replace('"', '""')))
    except schema.UNREADABLE:
        db.close()
        return None
    return db


def _row(columns: Any) -> Row | None:
    """A row whose columns are of the kinds that they must be."""
    try:
        row = rows.load(columns)
    except (ValueError, MemoryError):
        return None
    numbers = (row.parent, row.node)
    fits = (
        isinstance(row.kind, str)
        and isinstance(row.actor, str)
        and isinstance(row.at_us, int)
        and isinstance(row.chain, bytes)
        and (row.key is None or isinstance(row.key, str))
        and all(number is None or isinstance(number, int) for number in numbers)
    )
    return row if fits else None


def _one_bit_off(payload: bytes) -> Iterator[bytes]:
    """Every record that differs in one bit."""
    turned = bytearray(payload)
    for place in range(len(turned)):
        for bit in range(8):
            turned[place] ^= 1 << bit
            yield bytes(turned)
            turned[place] ^= 1 << bit


def _parsed(seq: int, payload: bytes) -> Row | None:
    try:
        columns = columns_of(payload)
    except (IndexError, ValueError, OverflowError):
        return None
    return _row((seq, *columns[1:])) if len(columns) == _EVENT_COLUMNS and columns[0] is None else None


def _session_of(row: Row) -> str | None:
    """The session that an event opens."""
    try:
        return msgspec.json.decode(row.body, type=SessionOpened).session
    except msgspec.DecodeError:
        return None


def _is_blob(columns: Any) -> bool:
    name, size, codec, data = columns
    if not (isinstance(name, str) and isinstance(size, int) and isinstance(codec, str) and isinstance(data, bytes)):
        return False
    try:
        return rows.hash_of(rows.unpack(size, codec, data)) == name
    except (ValueError, ArithmeticError, MemoryError):
        return False
