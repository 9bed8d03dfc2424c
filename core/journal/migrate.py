"""From the format of an older version to today's, one version at a time, in one transaction, after a backup.

To change the format: raise `schema.VERSION`, change the tables there, and add the step from the version before.
Tests keep a journal of every version that was ever released.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from core.journal import rows, schema
from core.journal.errors import JournalError

Step = Callable[[sqlite3.Connection], None]
"""Changes the tables from one version to the next. May raise sqlite3.Error; can't end the transaction it runs in."""

STEPS: Final[Mapping[int, Step]] = {}
"""Version -> the step that leads from it to the next one."""


def version_of(folder: Path) -> int:
    """The format of a session's journal. Raises JournalError for what is no journal, or of a newer version."""
    return schema.check_database(schema.database(folder))


def migrate(folder: Path, steps: Mapping[int, Step] = STEPS, target: int = schema.VERSION) -> Path | None:
    """Bring a journal to the format `target`; the backup that was made before, or None when it has that format.

    For the holder of the lease. Raises JournalError when there is no way, the disk refuses or a step fails: the
    journal is then as it was.
    """
    version = version_of(folder)
    if version >= target:
        return None
    missing = [number for number in range(version, target) if number not in steps]
    if missing:
        raise JournalError(f"No way is known from format {missing[0]} of the session in {folder} to a newer one.")
    backup = folder / f"{schema.DATABASE}.version-{version}"
    try:
        with closing(sqlite3.connect(schema.database(folder), isolation_level=None)) as db:
            schema.refuse_foreign(db.execute(schema.FOREIGN).fetchone())
            _back_up(db, backup)
            _transform(db, [steps[number] for number in range(version, target)], target)
    except (*schema.UNREADABLE, ValueError, OSError) as error:
        raise JournalError(
            f"The session in {folder} can't be brought from format {version} to {target} ({error}); it is as it was."
        ) from error
    return backup


def _back_up(db: sqlite3.Connection, backup: Path) -> None:
    """A copy of the journal as it is now; whole, or not there."""
    draft = backup.with_name(f".{backup.name}.new")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with closing(sqlite3.connect(draft)) as copy:
            copy.execute("PRAGMA synchronous=FULL")
            db.backup(copy)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.rename(backup)
        schema.sync_folder(backup.parent)
    finally:
        draft.unlink(missing_ok=True)


def _transform(db: sqlite3.Connection, steps: list[Step], target: int) -> None:
    """Everything, or nothing: a step that fails, leaves the tables unsound or changes an event is rolled back."""
    db.execute("PRAGMA synchronous=FULL")
    db.execute("BEGIN IMMEDIATE")
    try:
        db.set_authorizer(_no_transactions)
        for step in steps:
            step(db)
        db.set_authorizer(None)
        db.execute(f"PRAGMA user_version={target}")
        _check(db)
        db.execute("COMMIT")
    finally:
        db.set_authorizer(None)
        if db.in_transaction:
            db.execute("ROLLBACK")


def _check(db: sqlite3.Connection) -> None:
    faults = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if faults != "ok":
        raise sqlite3.DatabaseError(faults)
    chain = rows.GENESIS
    for row in map(rows.load, db.execute(f"SELECT {rows.COLUMNS} FROM event ORDER BY seq")):
        chain = rows.link(chain, row)
        if chain != row.chain:
            raise sqlite3.DatabaseError(f"event {row.seq} would not be as it was written")


def _no_transactions(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_TRANSACTION else sqlite3.SQLITE_OK
