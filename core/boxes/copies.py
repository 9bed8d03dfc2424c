"""The copies of other machines' sessions that were looked at from here: what they take, and when they go.

They are caches: the next look brings back what it needs. So the oldest go by themselves.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from core.clock import MICROSECONDS, Clock
from core.journal.catalogue import SESSIONS, summarize
from core.journal.errors import JournalError
from core.journal.trash import folder_size

BOXES: Final = "boxes"
"""In a home: for each machine the copies of its sessions."""
KEEP_DAYS: Final = 30
KEEP_BYTES: Final = 1024**3
DAY_US: Final = 86_400 * MICROSECONDS


@dataclass(frozen=True, slots=True)
class Copy:
    """One session of `box`; `size` in bytes, `used_us` when it was last looked at."""

    box: str
    folder: Path
    size: int
    used_us: int


def copies_of(home: Path, box: str) -> Path:
    """Where the copies of a box's sessions are."""
    return home / BOXES / quote(box, safe="@") / SESSIONS


def all_copies(home: Path) -> list[Copy]:
    """Every copy, the one that was looked at last first. Blocks."""
    found = [
        Copy(unquote(path.parent.parent.name), path, folder_size(path), _used_us(path))
        for path in (home / BOXES).glob(f"*/{SESSIONS}/*")
        if path.is_dir() and not path.is_symlink()
    ]
    return sorted(found, key=lambda copy: copy.used_us, reverse=True)


def chosen(home: Path, box: str, session: str) -> list[Copy]:
    """Those of a box that an id, the start of one, or a name means; all of the box where nothing is said."""
    here = [copy for copy in all_copies(home) if copy.box == box]
    exact = [copy for copy in here if session in (copy.folder.name, summarize(copy.folder).name)]
    return exact or [copy for copy in here if copy.folder.name.startswith(session.lower())]


def remove(copies: Iterable[Copy]) -> None:
    """Delete copies, and the folders that are empty then. Raises JournalError."""
    for copy in copies:
        try:
            shutil.rmtree(copy.folder)
        except OSError as error:
            raise JournalError(f"{copy.folder} can't be removed: {error.strerror}.") from error
        for folder in (copy.folder.parent, copy.folder.parent.parent):
            if not any(folder.iterdir()):
                folder.rmdir()


def sweep(home: Path, clock: Clock, keep_bytes: int = KEEP_BYTES) -> list[Copy]:
    """Remove what nobody has looked at for `KEEP_DAYS`, and the oldest of what is more than `keep_bytes`.

    What was looked at within a day stays: a screen may show it. Blocks.
    """
    gone, taken, now_us = list[Copy](), 0, clock.now_us()
    for copy in all_copies(home):
        taken, age_us = taken + copy.size, now_us - copy.used_us
        if age_us > DAY_US and (age_us > KEEP_DAYS * DAY_US or taken > keep_bytes):
            gone.append(copy)
    remove(gone)
    return gone


def _used_us(folder: Path) -> int:
    try:
        return max((entry.stat().st_mtime_ns // 1000 for entry in os.scandir(folder)), default=0)
    except OSError:
        return 0
