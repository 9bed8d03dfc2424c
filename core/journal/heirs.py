"""Whoever asks for a session to be handed over stands by until then, by a lock that goes with their process.

So a runner lets nobody take over who has left meanwhile: the session would be run by nobody.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from core.journal.errors import JournalError

LOCK: Final = "heirs.lock"


@contextmanager
def standing_by(folder: Path) -> Iterator[None]:
    """Be ready to take the session over while the block runs; several may. Raises JournalError."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise JournalError(f"The session in {folder} can't be taken over: {error.strerror}.") from error
    try:
        with suppress(OSError):  # A disk without locks.
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def anybody_stands_by(folder: Path) -> bool:
    """Whether somebody is ready to take the session over; also where that can't be told."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
