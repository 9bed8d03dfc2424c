"""What can go wrong with a journal, each as one plain sentence."""

from __future__ import annotations

from pathlib import Path

from core.events import Event


class JournalError(Exception):
    """The journal can't be opened, read or written; the text says why and what to do."""


class Empty(JournalError):
    """Nothing stands in the journal, and nothing in a log beside it: there never was anything, or nothing is left."""


class Damaged(JournalError):
    """What stands in the journal of the session in `folder` is not what was written."""

    def __init__(self, sentence: str, folder: Path) -> None:
        super().__init__(sentence)
        self.folder = folder


class DiskFull(JournalError):
    """A write was refused by the disk. Nothing of it was recorded; the journal stays usable and may be tried again."""


class LeaseLost(JournalError):
    """Another process has taken the session over; this one must stop writing."""


class Removed(JournalError):
    """The journal was removed under its writer, which must stop: nobody would ever read what it writes."""


class AlreadyRecorded(Exception):
    """One of the drafts has happened before: nothing of the call was written. `event` is what stands in the journal."""

    def __init__(self, event: Event) -> None:
        super().__init__(f"{event.kind} {event.key} is already recorded as event {event.seq}.")
        self.event = event
