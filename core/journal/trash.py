"""Deleting a session so that it can be taken back: its folder is moved aside whole, and goes for good days later.

A folder of the trash is named `<session>.<microseconds>`, by when it came there: moving it is one step of the file
system, so a session is always wholly here or wholly there. What is being removed for good is renamed first and never
seen again, whatever interrupts the removal.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.clock import MICROSECONDS, Clock, SystemClock
from core.journal.catalogue import session_folder
from core.journal.errors import JournalError
from core.journal.lease import LeaseHeld, acquire

TRASH: Final = "trash"
KEEP_DAYS: Final = 30
DAY_US: Final = 86_400 * MICROSECONDS
_GOING: Final = "going."
_HALF_MADE: Final = (".founding-*", ".forking-*", ".importing-*")
"""Sessions on their way into a home; one that is a day old was left by a process that was killed."""


@dataclass(frozen=True, slots=True)
class Trashed:
    """A deleted session: its id, where it lies, when it was deleted (microseconds since the epoch)."""

    id: str
    folder: Path
    at_us: int

    @property
    def until_us(self) -> int:
        """From when on `sweep` removes it for good."""
        return self.at_us + KEEP_DAYS * DAY_US


def discard(home: Path, folder: Path, clock: Clock | None = None) -> Trashed:
    """Move a session to the trash of its home; nothing of it is lost.

    Its lease is held meanwhile, so a running session never goes. Raises JournalError, with what to do.
    """
    at_us = (clock or SystemClock()).now_us()
    target = home / TRASH / f"{folder.name}.{at_us}"
    try:
        with acquire(folder, brief=True):
            target.parent.mkdir(mode=0o700, exist_ok=True)
            folder.rename(target)
    except LeaseHeld as error:
        short = folder.name[:10]
        raise JournalError(f"Session {short} is running; stop it first: longwatch send {short} stop") from error
    except OSError as error:
        raise JournalError(f"{folder} can't be moved to the trash: {error.strerror}.") from error
    return Trashed(folder.name, target, at_us)


def restore(home: Path, trashed: Trashed) -> Path:
    """Put a deleted session back; its folder. Raises JournalError when it is gone or another one has its place."""
    target = session_folder(home, trashed.id)
    if target.exists():
        raise JournalError(f"Session {trashed.id[:10]} can't be put back: there is a session of that id again.")
    try:
        trashed.folder.rename(target)
    except FileNotFoundError as error:
        raise JournalError(f"Session {trashed.id[:10]} is no longer in the trash.") from error
    except OSError as error:
        raise JournalError(f"Session {trashed.id[:10]} can't be put back: {error.strerror}.") from error
    return target


def list_trash(home: Path) -> list[Trashed]:
    """What can be put back, the one that was deleted last first. Raises JournalError."""
    try:
        folders = list((home / TRASH).iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalError(f"The trash in {home} can't be listed: {error.strerror}.") from error
    found = [trashed for folder in folders if (trashed := _parsed(folder)) is not None]
    return sorted(found, key=lambda trashed: (trashed.at_us, trashed.id), reverse=True)


def purge(trashed: Iterable[Trashed]) -> None:
    """Remove deleted sessions for good. Raises JournalError; what could not be removed goes with the next sweep."""
    for one in trashed:
        going = one.folder.with_name(f"{_GOING}{one.folder.name}")
        try:
            one.folder.rename(going)
            shutil.rmtree(going)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise JournalError(f"{going} can't be removed whole: {error.strerror}.") from error


def sweep(home: Path, clock: Clock | None = None) -> None:
    """Remove for good what has lain here for `KEEP_DAYS`, and what an interrupted removal, or making, left.

    Raises JournalError.
    """
    now_us = (clock or SystemClock()).now_us()
    purge(trashed for trashed in list_trash(home) if trashed.until_us <= now_us)
    for left in (home / TRASH).glob(f"{_GOING}*"):
        shutil.rmtree(left, ignore_errors=True)
    for left in (path for pattern in _HALF_MADE for path in home.glob(pattern)):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime_ns // 1000 + DAY_US <= now_us:
                shutil.rmtree(left, ignore_errors=True)


def folder_size(folder: Path) -> int:
    """Bytes of all files in a folder, as far as they can be read."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(place, name).lstat().st_size
    return total


def _parsed(folder: Path) -> Trashed | None:
    session, _, at_us = folder.name.rpartition(".")
    if not session or folder.name.startswith(_GOING) or not at_us.isdecimal():
        return None
    return Trashed(session, folder, int(at_us))
