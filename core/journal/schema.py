"""The tables of `session.db`, how the file is made, and how a file that is none of ours is refused.

The file is laid out aside in one step and linked into place, so a crash while creating leaves no half journal, and its
header always tells what it is without SQLite touching it.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from core.journal.errors import Damaged, Empty, JournalError
from core.private import make_private

DATABASE: Final = "session.db"
CAME: Final = "came-as-a-file"
"""A mark in the folder of a session that came as an export: what its log says, anybody may have written."""
UNSAID: Final = "model-unsaid"
"""A mark in the folder of a branch of such a session: nobody here has said yet with which model it may go on."""
JOBS: Final = "jobs"
VERSION: Final = 1
_LAST_CONCEIVABLE_VERSION: Final = 99
APPLICATION_ID: Final = 0x4C57_4A31
STATE_KINDS: Final = ("session.opened", "session.paused", "session.continued", "session.finished", "session.renamed")

# Small pages: a commit writes whole pages to the log, and most events are a few hundred bytes as they are stored.
PAGE_SIZE: Final = 512
_HEADER = struct.Struct(">16s44xi4xi28x")
_MAGIC: Final = b"SQLite format 3\x00"
_SHARED_FILE_SYSTEMS: Final = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"}


UNREADABLE: Final = (sqlite3.Error, UnicodeDecodeError, OverflowError)
"""What reading a damaged file may raise: messages quote its bytes, and a number may not fit."""


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


SLOTS: Final = {
    "model.requested": "r",
    "model.responded": "o",
    "model.failed": "o",
    "tool.started": "s",
    "tool.finished": "f",
}
"""What may happen once per key is an event of a kind, and an outcome of a request, whichever of the two it is.

A slot is what that comes to in the index; short for what happens in every turn, the kind itself for the rest.
"""
_WHENS: Final = " ".join(f"WHEN '{kind}' THEN '{slot}'" for kind, slot in SLOTS.items())
SLOT: Final = f"CASE kind {_WHENS} ELSE kind END"

TELLS_STATE: Final = f"kind IN ({_quoted(STATE_KINDS)})"
"""What an index holds. A question has to say it word for word beside the kind it asks for, or all rows are read."""

# The key leads in the unique index: what belongs to one call then shares a page, whatever its kind.
_TABLES: Final = f"""
CREATE TABLE event(
    seq    INTEGER PRIMARY KEY,
    parent INTEGER REFERENCES event(seq),
    node   INTEGER REFERENCES event(seq),
    kind   TEXT NOT NULL,
    key    TEXT,
    at_us  INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    body   ANY NOT NULL,
    chain  BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_once ON event(key, {SLOT}) WHERE key IS NOT NULL;
CREATE INDEX event_state ON event(kind, seq) WHERE {TELLS_STATE};
CREATE TABLE blob(hash TEXT PRIMARY KEY, size INTEGER NOT NULL, codec TEXT NOT NULL, data BLOB NOT NULL) STRICT;
CREATE TABLE snapshot(
    fold TEXT NOT NULL, version INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (fold, seq)
) STRICT;
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE lease(id INTEGER PRIMARY KEY CHECK (id = 1), owner TEXT NOT NULL, epoch INTEGER NOT NULL) STRICT;
"""


PARTS: Final = ("event", "event_once", "event_state", "blob", "snapshot", "meta", "lease")
"""The tables and indexes; without one a journal may still be read, but does not keep its promises."""
FOREIGN: Final = "SELECT type, name FROM sqlite_master WHERE type IN ('view', 'trigger')"


def refuse_foreign(found: tuple[str, str] | None) -> None:
    """Raise sqlite3.DatabaseError for what FOREIGN finds: a view need not end, a trigger changes what is confirmed."""
    if found:
        raise sqlite3.DatabaseError(f"it holds a {found[0]}, {found[1]!r}, and no session has one")


def database(folder: Path) -> Path:
    """Where the journal of a session folder is kept."""
    return folder / DATABASE


def create_database(folder: Path, meta: Mapping[str, str]) -> Path:
    """Make the folder and what is missing above it (0700) and an empty journal (0600) in it.

    Raises JournalError when there is one already, or the disk refuses.
    """
    target = database(folder)
    draft = folder / f".{DATABASE}.new"
    try:
        make_private(folder)
        draft.unlink(missing_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        lay_out(draft, meta)
        os.link(draft, target)
        sync_folder(folder)
        sync_folder(folder.parent)
    except FileExistsError as error:
        raise JournalError(f"There is already a session in {folder}; open it or choose another folder.") from error
    except (OSError, sqlite3.Error) as error:
        raise JournalError(f"No session can be kept in {folder}: {error}.") from error
    finally:
        _forget(draft)
    return target


def lay_out(path: Path, meta: Mapping[str, str]) -> None:
    """Make the tables of an empty journal in a file. Raises sqlite3.Error."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size={PAGE_SIZE}")
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(f"BEGIN; {_TABLES}")
        db.executemany("INSERT INTO meta VALUES (?, ?)", sorted(meta.items()))
        db.execute("COMMIT")
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute(f"PRAGMA user_version={VERSION}")


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlive a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _forget(draft: Path) -> None:
    try:
        draft.unlink(missing_ok=True)
    except OSError:
        return


def check_database(path: Path) -> int:
    """The format of a journal; refuse what is none by its header, and read nothing else. Raises JournalError."""
    try:
        if not path.stat().st_size:
            raise _empty(path)
        header = _header(path)
    except FileNotFoundError as error:
        raise JournalError(f"There is no session in {path.parent}.") from error
    except OSError as error:
        raise JournalError(f"The session in {path.parent} can't be read: {error.strerror}.") from error
    if header is None:
        raise Damaged(f"The session in {path.parent} is damaged: {path.name} is not a database.", path.parent)
    version, application = header
    if application != APPLICATION_ID:
        raise JournalError(f"{path} is a database of another program, not a session.")
    if not 0 < version <= _LAST_CONCEIVABLE_VERSION:
        raise Damaged(f"The session in {path.parent} is damaged: no Longwatch writes format {version}.", path.parent)
    if version > VERSION:
        raise JournalError(
            f"The session in {path.parent} was written by a newer Longwatch (format {version}, this one reads "
            f"{VERSION}); update Longwatch to open it."
        )
    return version


def _empty(path: Path) -> JournalError:
    """Why a file of no bytes is none. Raises OSError."""
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        return Damaged(f"The session in {path.parent} is damaged: {path.name} is empty, its log is not.", path.parent)
    return Empty(f"Nothing was ever written to the session in {path.parent}: {path.name} is empty.")


def _header(path: Path) -> tuple[int, int] | None:
    """(format, whose it is), None where it is no database. Raises OSError.

    By SQLite, which locks nothing for it and knows what this process has locked: whoever opens and closes the file
    beside SQLite takes the locks of its connections away, and another process may then remove the log they read. What
    SQLite refuses, as a file to which a power cut has left half of its pages, nobody reads by it, and is read here.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            (application,) = db.execute("PRAGMA application_id").fetchone()
            return version, application
    except UNREADABLE:
        with path.open("rb") as file:
            head = file.read(_HEADER.size)
    if len(head) < _HEADER.size or not head.startswith(_MAGIC):
        return None
    _, version, application = _HEADER.unpack(head)
    return version, application


def explain(error: Exception, path: Path) -> JournalError:
    """A database error of reading as a sentence."""
    if "locked" in str(error):
        return JournalError(f"The session in {path.parent} is busy; try again in a moment.")
    return Damaged(f"The session in {path.parent} is damaged and can't be read further ({error}).", path.parent)


def wal_works(folder: Path) -> bool:
    """Whether the folder's file system shares memory between processes, which a write-ahead log needs."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return True
    place, best, kind = folder.resolve(), Path("/"), ""
    for fields in map(str.split, mounts):
        mount = Path(fields[1].replace("\\040", " "))
        if place.is_relative_to(mount) and len(mount.parts) >= len(best.parts):
            best, kind = mount, fields[2]
    return kind not in _SHARED_FILE_SYSTEMS
