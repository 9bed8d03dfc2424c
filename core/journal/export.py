"""A session as one file that can be carried anywhere, and such a file as a session that can be read.

A `.longwatch` file is a zip: `manifest.json`, `events.jsonl` (one event a line, as printed everywhere), `blobs/<hash>`,
and perhaps `files/`, the snapshots. It is read member by member under limits and never opened as a foreign database;
kinds that this version does not know pass through unchanged.
"""

from __future__ import annotations

import lzma
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from core.clock import iso
from core.journal import rows, schema
from core.journal.cargo import PREFIX, Cargo, take_in
from core.journal.errors import JournalError
from core.journal.reader import Reader
from core.journal.rows import Row
from core.progress import tell

FORMAT: Final = "longwatch-session"
VERSION: Final = 1
SUFFIX: Final = ".longwatch"
MAX_BYTES: Final = 2 * 1024**3
"""Bytes that an export may hold when unpacked."""
_MAX_LINE: Final = 64 * 1024**2
_MAX_MANIFEST: Final = 16 * 1024**2
_CHUNK: Final = 500
_LINK_EVERY: Final = 500
"""Events between two links of the chain that a manifest names."""
_PIECE: Final = 1024**2
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MANIFEST: Final = "manifest.json"
_EVENTS: Final = "events.jsonl"
_BLOBS: Final = "blobs/"


class EventLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event as it is printed; `at` is ISO 8601 in UTC, `body` the stored JSON."""

    seq: int
    parent: int | None
    node: int | None
    kind: str
    key: str | None
    at: str
    actor: str
    body: msgspec.Raw


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an export says of itself; `chain` is the last link of the log, in hexadecimal.

    `about`: when and by whom it was made, of which version, what was redacted, what left out; anybody may have written
    it. `links`: the chain at some events on the way, so that it can be said where one is broken.
    """

    format: str
    version: int
    events: int
    chain: str
    meta: dict[str, str] = {}
    about: dict[str, Any] = {}
    links: dict[int, str] = {}


_ENCODER = msgspec.json.Encoder()
_LINES = msgspec.json.Decoder(EventLine)


def event_line(row: Row) -> bytes:
    """A stored event as one line of JSON, with its line end."""
    line = EventLine(
        seq=row.seq,
        parent=row.parent,
        node=row.node,
        kind=row.kind,
        key=row.key,
        at=iso(row.at_us),
        actor=row.actor,
        body=msgspec.Raw(row.body.encode()),
    )
    return _ENCODER.encode(line) + b"\n"


Redact = Callable[[Any], Any]
"""Takes secrets out of a value of JSON: text, a list, an object; what holds none comes out equal."""


def nothing_redacted(value: Any) -> Any:
    """The value as it is."""
    return value


def export_jsonl(reader: Reader, out: IO[bytes], after: int = 0, redact: Redact = nothing_redacted) -> int:
    """Write every event after `after` as a line; returns how many. Raises JournalError when the journal is damaged."""
    count = 0
    for row in _all_rows(reader, after):
        out.write(event_line(_redacted(row, redact)))
        count += 1
    return count


def export_session(
    folder: Path,
    target: Path,
    redact: Redact = nothing_redacted,
    about: Mapping[str, Any] | None = None,
    *,
    files: bool = False,
) -> None:
    """Pack a session into one file, which appears whole or not at all. Raises JournalError.

    `about` is what the file says of itself beside its events; with `files` the snapshots of the workspace go along.
    What `redact` changes is changed in the export alone, whose chain and hashes are those of what it holds.
    """
    draft = target.with_name(f".{target.name}.new")
    try:
        with Reader(folder) as reader, draft.open("wb") as file:
            draft.chmod(0o600)
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                cargo = Cargo(folder, reader, redact) if files else None
                _pack(reader, archive, redact, about or {}, cargo)
        draft.replace(target)
    except OSError as error:
        raise JournalError(f"The export can't be written to {target}: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


def open_export(path: Path, into: Path | None = None, max_bytes: int = MAX_BYTES) -> Path:
    """Unpack an export into a session folder (a new one below `into`, or a temporary one) and return it.

    The caller removes the folder. Raises JournalError for what is no export, is damaged or unpacks to more than
    `max_bytes`; nothing is left behind then.
    """
    with tempfile.TemporaryDirectory(prefix="longwatch-", dir=into, ignore_cleanup_errors=True) as place:
        folder = Path(place) / path.stem
        try:
            with _archive(path) as archive:
                _unpack(_Members(archive, path, max_bytes), folder)
            final = Path(tempfile.mkdtemp(prefix="longwatch-", dir=into)) / path.stem
            folder.rename(final)
        except JournalError:
            raise
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError) as error:
            raise JournalError(f"{path} is not a Longwatch export, or it is damaged.") from error
        except sqlite3.OperationalError as error:  # What holds it is at fault (its disk is full), not what is in it.
            raise JournalError(f"{path} can't be opened: {error}.") from error
        except (msgspec.DecodeError, UnicodeError, ValueError, OverflowError, sqlite3.Error) as error:
            raise JournalError(f"{path} is damaged: {error}.") from error
        except OSError as error:
            raise JournalError(f"{path} can't be opened: {error.strerror or error}.") from error
    return final


def _all_rows(reader: Reader, after: int = 0) -> Iterator[Row]:
    while batch := reader.raw(after, _CHUNK):
        yield from batch
        after = batch[-1].seq


def _redacted(row: Row, redact: Redact) -> Row:
    body = msgspec.json.decode(row.body)
    clean = redact(body)
    return row if clean == body else row._replace(body=msgspec.json.encode(clean).decode())


def _pack(
    reader: Reader, archive: zipfile.ZipFile, redact: Redact, about: Mapping[str, Any], cargo: Cargo | None
) -> None:
    chain, count, renamed, links = rows.GENESIS, 0, dict[str, str](), dict[int, str]()
    if cargo is not None:
        cargo.load(archive.writestr)
        renamed, about = dict(cargo.renamed), {**about, "files": cargo.about()}
    for name, _ in reader.blobs():
        data = reader.blob(name) or b""
        text = data.decode("utf-8", "surrogateescape")
        if (clean := redact(text)) != text:
            data = clean.encode("utf-8", "surrogateescape")
            renamed[name] = rows.pack(data)[0]
        archive.writestr(_BLOBS + renamed.get(name, name), data)
    with archive.open(_EVENTS, "w", force_zip64=True) as out:
        for row in _all_rows(reader):
            row = _pointing(_redacted(row, redact), renamed)
            out.write(event_line(row))
            chain, count = rows.link(chain, row), count + 1
            if count % _LINK_EVERY == 0:
                links[count] = chain.hex()
    manifest = Manifest(
        format=FORMAT,
        version=VERSION,
        events=count,
        chain=chain.hex(),
        meta=reader.meta(),
        about=dict(about),
        links=links,
    )
    archive.writestr(_MANIFEST, _ENCODER.encode(manifest))


def _pointing(row: Row, renamed: Mapping[str, str]) -> Row:
    """The event with the new names of the outputs and the states of files that were redacted."""
    body = row.body
    for old, new in renamed.items():
        body = body.replace(old, new)
    return row._replace(body=body)


class _Members:
    """The members of an archive, read by name; what they unpack to is counted as it comes, whatever they claim."""

    def __init__(self, archive: zipfile.ZipFile, path: Path, max_bytes: int) -> None:
        self._archive, self.path = archive, path
        if len(set(archive.namelist())) != len(archive.namelist()):
            raise JournalError(f"{path} is damaged or forged: it holds two members of one name.")
        self._left = max_bytes

    def names(self, prefix: str) -> list[str]:
        return sorted({name for name in self._archive.namelist() if name.startswith(prefix) and name != prefix})

    def read(self, name: str, limit: int) -> bytes:
        with self._open(name) as member:
            data = member.read(min(limit, self._left) + 1)
        self._count(len(data))
        if len(data) > limit:
            raise JournalError(f"{self.path} holds a member that is too big to be opened ({name}).")
        return data

    def lines(self, name: str) -> Iterator[bytes]:
        with self._open(name) as member:
            while line := member.readline(min(_MAX_LINE, self._left) + 1):
                self._count(len(line))
                if len(line) > _MAX_LINE:
                    raise JournalError(f"{self.path} holds an event that is too big to be opened.")
                yield line

    def _open(self, name: str) -> IO[bytes]:
        try:
            return self._archive.open(name)
        except KeyError as error:
            raise JournalError(f"{self.path} is not a Longwatch export: it has no {name}.") from error

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise JournalError(f"{self.path} unpacks to more than is allowed; it was not opened.")


def _unpack(members: _Members, folder: Path) -> None:
    manifest = msgspec.json.decode(members.read(_MANIFEST, _MAX_MANIFEST), type=Manifest)
    if manifest.format != FORMAT:
        raise JournalError(f"{members.path} is not a Longwatch export.")
    if manifest.version > VERSION:
        raise JournalError(f"{members.path} was written by a newer Longwatch; update Longwatch to open it.")
    database = schema.create_database(folder, manifest.meta)
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous=OFF")
        db.execute("BEGIN")
        last, good = rows.GENESIS, 0
        for row in _read_rows(members):
            last = row.chain
            if (link := manifest.links.get(row.seq)) is not None:
                if link != last.hex():
                    raise _broken(members.path, good, row.seq)
                good = row.seq
            db.execute(rows.INSERT, rows.stored(row))
            if row.seq % _CHUNK == 0:
                tell(row.seq, lambda: manifest.events)
        if last.hex() != manifest.chain:
            raise _broken(members.path, good, manifest.events)
        for name in members.names(_BLOBS):
            db.execute("INSERT INTO blob VALUES (?, ?, ?, ?)", _blob(members, name))
        db.execute("COMMIT")
    take_in(members.names(PREFIX), lambda name: members.read(name, MAX_BYTES), folder, members.path)
    database.chmod(0o400)


def _broken(path: Path, good: int, bad: int) -> JournalError:
    return JournalError(
        f"{path} is damaged: its events are not those that were exported, somewhere from #{good + 1:,} to #{bad:,}."
    )


def _archive(path: Path) -> zipfile.ZipFile:
    """An archive to read. Raises JournalError for a device or a pipe, which may have no end to look for."""
    if path.exists() and not path.is_file():
        raise JournalError(f"{path} is no file, so it is no Longwatch export.")
    return zipfile.ZipFile(path)


def read_manifest(path: Path) -> Manifest:
    """What an export says of itself. Raises JournalError for what is none."""
    try:
        with _archive(path) as archive:
            data = _Members(archive, path, MAX_BYTES).read(_MANIFEST, _MAX_MANIFEST)
        return msgspec.json.decode(data, type=Manifest)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise JournalError(f"{path} is not a Longwatch export, or it is damaged.") from error
    except OSError as error:
        raise JournalError(f"{path} can't be opened: {error.strerror or error}.") from error


def _read_rows(members: _Members) -> Iterator[Row]:
    chain, expected = rows.GENESIS, 1
    for line in members.lines(_EVENTS):
        row = row_of_line(line)
        if row.seq != expected:
            raise JournalError(f"{members.path} is damaged: event {expected} is missing.")
        chain, expected = rows.link(chain, row), expected + 1
        yield row._replace(chain=chain)


def row_of_line(line: bytes) -> Row:
    """The event of a printed line, its chain left open. Raises msgspec.DecodeError, ValueError, OverflowError."""
    return _row(_LINES.decode(line))


def _row(line: EventLine) -> Row:
    at_us = (datetime.fromisoformat(line.at).astimezone(UTC) - _EPOCH) // _MICROSECOND
    body = bytes(line.body).decode()
    msgspec.json.decode(body, type=dict[str, Any])
    return Row(line.seq, line.parent, line.node, line.kind, line.key, at_us, line.actor, body)


def _blob(members: _Members, name: str) -> tuple[str, int, str, bytes]:
    packed = rows.pack(members.read(name, MAX_BYTES))
    if packed[0] != name.removeprefix(_BLOBS):
        raise JournalError(f"{members.path} is damaged: {name[:24]} is not what it was.")
    return packed
