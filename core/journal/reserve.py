"""Room on the disk that a session keeps, so that on a full one it can still write down that it waits, and for what."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

RESERVE: Final = "reserve"
RESERVE_BYTES: Final = 256 * 1024
ENOUGH_BYTES: Final = 1024 * 1024
"""Free room, beside the reserve, from which a session that waited for room goes on."""
ENOUGH_FILES: Final = 64
"""And so many files that may still be made there."""


def free_bytes(folder: Path) -> int | None:
    """Room on the disk of a folder; None where nobody can say. Blocks for as long as the disk takes."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _has_room(folder: Path) -> bool:
    """Raises OSError. Some file systems have no limit of files, and say 0."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize >= ENOUGH_BYTES and (not disk.f_files or disk.f_favail >= ENOUGH_FILES)


class Reserve:
    """A file that takes up room in the session's folder until `spend` gives it back. Nothing here raises."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / RESERVE

    def fill(self) -> bool:
        """Take the room, if it is not taken; whether it is now, with enough left beside it."""
        try:
            if not _has_room(self._file.parent):
                return False
            if not self._file.exists():
                self._take()
        except OSError:
            return False
        return True

    def _take(self) -> None:
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, bytes(RESERVE_BYTES))  # written, not only promised: some file systems compress holes
        except OSError:
            self.spend()
            raise
        finally:
            os.close(descriptor)

    def spend(self) -> None:
        """Give the room back to the journal."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
