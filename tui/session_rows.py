"""The sessions of a home as their list needs them: read at a glance, renamed, put in the trash and back, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from core.clock import MICROSECONDS, Clock, SystemClock
from core.controls import SessionControls
from core.events import Draft, SessionRenamed
from core.folds.report import report
from core.journal import trash
from core.journal.catalogue import Trace, trace
from core.journal.errors import JournalError
from core.journal.lease import acquire, holder
from core.journal.trash import Trashed, folder_size
from core.journal.writer import Journal
from core.overview import Look, Overview, Overviews, read_totals
from tui.report_text import as_text

if TYPE_CHECKING:
    from tui.box_rows import Boxes

Opening = Literal["watch", "resume", "replay"]

MEASURE_EVERY_S = 30


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was opened from the list, and how. On another machine (`box`) the folder is but the session's id."""

    opening: Opening
    folder: Path
    box: str = ""

    @property
    def id(self) -> str:
        """What the list calls it."""
        return f"{self.box}:{self.folder.name}" if self.box else self.folder.name


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of the list; `trashed` where it lies in the trash, `size` in bytes where that was told with it.

    `box`: the other machine on which it is, by the name of the configuration; `said`: its report, as that machine told.
    """

    overview: Overview
    trashed: Trashed | None = None
    size: int = 0
    box: str = ""
    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.box}:{self.overview.id}" if self.box else self.overview.id

    @property
    def name(self) -> str:
        """What it is called; a damaged one by the start of its id."""
        name = self.overview.summary.name or self.overview.id[:10]
        return f"↳ {name}" if self.overview.summary.parent else name

    @property
    def folder(self) -> Path:
        return self.overview.summary.folder


class Sizes:
    """What sessions take on the disk: measured for one that is looked at, and now and then again while it grows."""

    def __init__(self, clock: Clock, measure: Callable[[Path], int] = folder_size) -> None:
        self._clock, self._bytes_of = clock, measure
        self._known: dict[str, tuple[Trace, int, int]] = {}

    def of(self, row: SessionRow) -> int:
        """Bytes; 0 where that is not known yet."""
        known = self._known.get(row.id)
        return known[2] if known else row.size

    def due(self, row: SessionRow) -> bool:
        """Whether it was never measured, or has changed since some time ago."""
        if row.box or row.trashed is not None:
            return False
        known = self._known.get(row.id)
        if known is None:
            return True
        seen, at_us, _ = known
        return seen != row.overview.trace and self._clock.now_us() - at_us >= MEASURE_EVERY_S * MICROSECONDS

    def measure(self, row: SessionRow) -> None:
        """Look at all its files; blocks."""
        self._known[row.id] = row.overview.trace, self._clock.now_us(), self._bytes_of(row.folder)


class SessionHome:
    """What the list may ask of a home folder. Methods block, and raise JournalError; call them in a thread.

    `boxes`: other machines whose sessions are shown beside its own.
    """

    def __init__(
        self, home: Path, clock: Clock | None = None, boxes: Boxes | None = None, sizes: Sizes | None = None
    ) -> None:
        self.home, self.clock = home, clock or SystemClock()
        self.boxes = boxes
        self.sizes = sizes or Sizes(self.clock)
        self._overviews = Overviews(home, self.clock)
        self._trash: dict[str, SessionRow] = {}

    def look(self) -> Iterator[Look]:
        """Every session as far as it is known, little by little."""
        return self._overviews.look()

    def keep(self) -> None:
        """Remember what was read for the next start."""
        self._overviews.keep()

    def trash(self) -> list[SessionRow]:
        """What can be put back, deleted last first. What is there does not change, so it is read once."""
        found = trash.list_trash(self.home)
        self._trash = {one.folder.name: self._trash.get(one.folder.name) or self._deleted(one) for one in found}
        return list(self._trash.values())

    def sweep(self) -> None:
        """Remove for good what has been in the trash for long enough."""
        trash.sweep(self.home, self.clock)

    def discard(self, row: SessionRow) -> Trashed:
        """Move a session to the trash."""
        return trash.discard(self.home, row.folder, self.clock)

    def restore(self, trashed: Trashed) -> None:
        """Put a deleted session back."""
        trash.restore(self.home, trashed)

    def purge(self, rows: list[SessionRow]) -> None:
        """Remove deleted sessions for good."""
        trash.purge(row.trashed for row in rows if row.trashed is not None)

    async def rename(self, row: SessionRow, name: str) -> None:
        """Give a session another name: by its runner, or at once where nobody runs it and whatever it lacks to run."""
        if holder(row.folder) is not None:
            await SessionControls(row.folder, clock=self.clock).send("rename", {"text": name})
            return
        with acquire(row.folder, brief=True) as lease:
            async with await Journal.open(row.folder, self.clock, lease=lease) as journal:
                await journal.append(Draft(SessionRenamed(name=name), actor="user"))

    async def fork(self, row: SessionRow) -> tuple[str, str]:
        """A new session that goes on from the end of this one: its id, and a sentence on it."""
        from core.forking import Wish, fork

        made = await fork(self.home, row.folder, Wish(), self.clock)
        return made.folder.name, made.sentence

    def _deleted(self, one: Trashed) -> SessionRow:
        found = trace(one.folder)
        overview = self._overviews.read(one.folder, found) if found else None
        if overview is None:  # it has just been put back
            return SessionRow(Overview.missing(one.id, one.folder), one)
        summary = replace(overview.summary, id=one.id)
        return SessionRow(msgspec.structs.replace(overview, summary=summary), one, folder_size(one.folder))


def report_fields(folder: Path) -> dict[str, Any]:
    """The report of a session here; blocks. Raises JournalError."""
    return report(read_totals(folder), running=holder(folder) is not None)


def report_text(folder: Path, width: int | None = None) -> str:
    """The same as aligned lines of at most `width` cells."""
    return as_text(report_fields(folder), width)


def row_fields(row: SessionRow) -> dict[str, Any]:
    """The report of a session of the list; of one elsewhere, as it was told. Blocks. Raises JournalError."""
    if not row.box:
        return report_fields(row.folder)
    row_text(row)
    return dict(row.said)


def row_text(row: SessionRow, width: int | None = None) -> str:
    """The same as aligned lines. Raises JournalError, also where a stranger's report is of another form."""
    if not row.box:
        return report_text(row.folder, width)
    try:
        return as_text(dict(row.said), width)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as fault:
        raise JournalError(f"What {row.box} tells of it is no report that this longwatch can read.") from fault
