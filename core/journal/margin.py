"""What people write in the margin of a session or a film: notes at its moments, and which changes they have reviewed.

It belongs to them and not to the session: it is no event, and lies in a small file of its own, beside the journal or
beside the film, which can be sent to others and merged with theirs. Of two versions of an entry always the same one
holds, so that merging is the same in whatever order, however often.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from core.clock import Clock
from core.ids import ulid
from core.journal.errors import JournalError
from core.journal.reader import Reader

MARGIN: Final = "margin.json"
SUFFIX: Final = ".notes"
"""What is appended to the name of a film for its margin."""
FORMAT: Final = "longwatch-notes"
LONGEST: Final = 4_000
"""Characters of a note."""
MOST: Final = 10_000
_MAX_BYTES: Final = 16 * 1024**2
_NAME: Final = 100


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Words at event `seq`, last changed at `at_us` (microseconds UTC) `by` somebody; without a text it was removed.

    `version` counts its changes, each on top of one that its writer had seen.
    """

    seq: int
    text: str
    by: str = ""
    at_us: int = 0
    version: int = 0

    @property
    def rank(self) -> tuple[int, int, str, str]:
        """Of two versions the higher one holds: that of more changes, then the later one, then by name."""
        return self.version, self.at_us, self.by, self.text


class Margin(msgspec.Struct, frozen=True, kw_only=True):
    """`notes` by id; `reviewed`: when each change (by its fingerprint) was marked, negative where it is no more.

    `begun_us` is when the session began, by which one knows what the margin belongs to; 0: unknown.
    """

    format: str = FORMAT
    begun_us: int = 0
    notes: dict[str, Note] = {}
    reviewed: dict[str, int] = {}

    def standing(self) -> list[tuple[str, Note]]:
        """The notes that were not removed, by moment."""
        return sorted(((id, note) for id, note in self.notes.items() if note.text), key=lambda pair: pair[1].seq)

    def has_reviewed(self, fingerprint: str) -> bool:
        """Whether that change is marked as reviewed."""
        return self.reviewed.get(fingerprint, 0) > 0

    def merged(self, other: Margin) -> Margin:
        """Both. Raises JournalError for the margin of another session, or when there would be too much."""
        if self.begun_us and other.begun_us and self.begun_us != other.begun_us:
            raise JournalError("These notes belong to another session: it began at another time.")
        notes = dict(self.notes)
        for id, note in other.notes.items():
            notes[id] = max(note, notes.get(id, note), key=lambda one: one.rank)
        reviewed = dict(self.reviewed)
        for fingerprint, at_us in other.reviewed.items():
            reviewed[fingerprint] = max(at_us, reviewed.get(fingerprint, at_us), key=lambda when: (abs(when), when))
        if len(notes) > MOST or len(reviewed) > 10 * MOST:
            raise JournalError(f"That would be more than {MOST:,} notes.")
        return Margin(begun_us=self.begun_us or other.begun_us, notes=notes, reviewed=reviewed)


def unsigned(margin: Margin) -> Margin:
    """The same, without who wrote what."""
    notes = {id: msgspec.structs.replace(note, by="") for id, note in margin.notes.items()}
    return msgspec.structs.replace(margin, notes=notes)


def read_margin(path: Path) -> Margin:
    """The margin in a file, whoever wrote it; nothing where there is none. Blocks; raises JournalError."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise JournalError(f"{path} is no file of notes.")
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return Margin()
    except OSError as error:
        raise JournalError(f"{path} can't be read: {error.strerror}.") from error
    try:
        if len(data) > _MAX_BYTES:
            raise ValueError("it is too big")
        return _checked(msgspec.json.decode(data, type=Margin))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise JournalError(f"{path} is no file of notes, or it is damaged: {error}.") from error


def _checked(margin: Margin) -> Margin:
    if margin.format != FORMAT:
        raise ValueError(f"its format is {margin.format[:40]!r}")
    if len(margin.notes) > MOST or any(len(note.text) > LONGEST or note.seq < 1 for note in margin.notes.values()):
        raise ValueError("it holds too many notes, one that is too long, or one at no event")
    if any(len(name) > _NAME for name in (*margin.notes, *margin.reviewed)):
        raise ValueError("it holds a name that is too long")
    return margin


class MarginFile:
    """The margin of the session in `folder`, kept in a file (that of the folder, or one beside a film).

    Every method blocks for a moment and may raise JournalError.
    """

    def __init__(self, folder: Path, path: Path | None = None, *, who: str, clock: Clock) -> None:
        self.path = path or folder / MARGIN
        self._folder, self._who, self._clock = folder, who, clock
        self._begun_us = 0

    def read(self) -> Margin:
        """What stands in it now. Raises JournalError when it belongs to another session."""
        return Margin(begun_us=self._begun()).merged(read_margin(self.path))

    def _begun(self) -> int:
        """When the session began; 0 while it has not."""
        if not self._begun_us:
            with suppress(JournalError), Reader(self._folder) as reader:
                first = reader.event(1)
                self._begun_us = first.at_us if first is not None else 0
        return self._begun_us

    def write(self, seq: int, text: str, id: str | None = None) -> str:
        """Write a note, or another text into the note `id` (none: take it away); its id."""
        if len(text) > LONGEST:
            raise JournalError(f"A note has at most {LONGEST:,} characters.")
        now_us = self._clock.now_us()
        id = id or ulid(now_us)
        known = self.read().notes.get(id)
        version = known.version + 1 if known else 1
        self.merge(Margin(notes={id: Note(seq=seq, text=text, by=self._who, at_us=now_us, version=version)}))
        return id

    def review(self, fingerprints: Iterator[str] | list[str], *, done: bool = True) -> None:
        """Mark changes as reviewed, or no more."""
        now_us = self._clock.now_us()
        self.merge(Margin(reviewed=dict.fromkeys(fingerprints, now_us if done else -now_us)))

    def merge(self, other: Margin) -> int:
        """Take in another margin; how many notes are new or changed by it."""
        before = self.read()
        after = before.merged(other)
        if after != before:
            self.save(after, self.path)
        return sum(before.notes.get(id) != note for id, note in after.notes.items())

    def save(self, margin: Margin, path: Path) -> None:
        """Write a margin into a file, which appears whole or not at all."""
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(margin), indent=1) + b"\n")
            aside.replace(path)
        except OSError as error:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise JournalError(f"The notes can't be written to {path}: {error.strerror}.") from error
