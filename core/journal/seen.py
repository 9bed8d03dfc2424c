"""How far the user of this machine has seen a session: one small file in its folder, beside the journal.

It belongs to the screen, not to the session: it is no event, and losing it only means that everything is told again.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from core.clock import Clock
from core.journal.errors import JournalError

SEEN: Final = "seen.json"
_MAX_BYTES: Final = 4096


class Seen(msgspec.Struct, frozen=True):
    """Everything up to event `seq` was shown, last at `at_us` (microseconds UTC); zeros: nothing ever was."""

    seq: int = 0
    at_us: int = 0


def read_seen(folder: Path) -> Seen:
    """What was seen of the session in `folder`; a file that is missing or broken means nothing. Blocks."""
    try:
        with os.fdopen(os.open(folder / SEEN, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return Seen()
            seen = msgspec.json.decode(file.read(_MAX_BYTES), type=Seen)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Seen()
    return seen if seen.seq >= 0 else Seen()


def mark_seen(folder: Path, seq: int, at_us: int) -> Seen:
    """Everything up to event `seq` has been shown now; what is marked in the end, for a mark never goes back. Blocks.

    Raises JournalError where the file can't be written.
    """
    before = read_seen(folder)
    if seq <= before.seq:
        return before
    seen, aside = Seen(seq, at_us), folder / f".{SEEN}.{os.getpid()}"
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(msgspec.json.encode(seen))
        aside.replace(folder / SEEN)
    except OSError as error:
        raise JournalError(f"What was seen can't be noted in {folder / SEEN}: {error.strerror}.") from error
    return seen


class SeenMark:
    """The mark of the session in `folder`, for a screen. What can't be noted is told again the next time."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = folder, clock

    def read(self) -> tuple[int, int]:
        """The last event that was seen, and when. Blocks."""
        seen = read_seen(self._folder)
        return seen.seq, seen.at_us

    def note(self, seq: int) -> None:
        """Everything up to event `seq` has been shown now. Blocks."""
        with suppress(JournalError):
            mark_seen(self._folder, seq, self._clock.now_us())
