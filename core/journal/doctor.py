"""Examining one session: is every byte that counts still what was written, and can the journal be opened and carried.

Nothing here writes. A session that runs is read beside its runner; only its log file is then left out, which grows.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from core.events import SessionOpened
from core.journal import recall_index, rows, schema
from core.journal.counters import recount
from core.journal.errors import Empty, JournalError
from core.journal.export import event_line
from core.journal.findings import Finding, fine, is_broken, problem, warning
from core.journal.lease import holder
from core.journal.pages import read_frames
from core.journal.reader import Reader
from core.journal.rescue import is_half_exchanged, kept_journals

_CHUNK: Final = 500
_SHOWN: Final = 5
_REPAIR: Final = "run `longwatch doctor {session} --repair`, which saves what can be read and keeps the original"

_REMOVE: Final = "`longwatch rm {session}` takes it away; if it once held something, put a copy of session.db back"


class _Unreadable(Exception):
    """The journal can't be examined any further; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.says)
        self.finding = finding


def examine(folder: Path) -> list[Finding]:
    """Every finding on one session, problems and what was found in order. Blocks; raises nothing."""
    found: list[Finding] = []
    try:
        _whole_file(folder)
        with Reader(folder) as reader:
            for check in (_pages, _chain, _outputs, _first_event, _meta):
                found += check(reader)
            if not is_broken(found):
                found += _counters(reader)
    except _Unreadable as error:
        return [error.finding]
    except JournalError as error:
        found.append(_damage(folder, "opening", str(error)))
    return found + list(_log(folder)) + list(_index(folder))


def _damage(folder: Path, check: str, says: str) -> Finding:
    return problem(check, says, _REPAIR.format(session=folder.name), mendable=True)


def _whole_file(folder: Path) -> None:
    """Refuse what is no journal, with what to do about each. Raises _Unreadable."""
    if is_half_exchanged(folder):
        says = f"A rescue of the session in {folder} was interrupted just before its end."
        raise _Unreadable(_damage(folder, "file", says))
    try:
        schema.check_database(schema.database(folder))
    except Empty as error:
        raise _Unreadable(problem("file", str(error), _REMOVE.format(session=folder.name))) from error
    except JournalError as error:
        if "newer Longwatch" in str(error):
            finding = problem("file", str(error), "update Longwatch on this machine; nothing is wrong with the file")
            raise _Unreadable(finding) from error
        raise _Unreadable(_damage(folder, "file", str(error))) from error


def _pages(reader: Reader) -> Iterator[Finding]:
    """SQLite's view: pages, records, indexes."""
    try:
        faults = reader.faults(_SHOWN)
    except JournalError as error:
        yield _damage(reader.folder, "pages", str(error))
        return
    if faults:
        says = f"Pages of {reader.path.name} are damaged: {'; '.join(faults)}."
        yield _damage(reader.folder, "pages", says)
    else:
        yield fine("pages", "Every page and index is in order.")


def _chain(reader: Reader) -> Iterator[Finding]:
    """Every event as it was written, by the hash chain."""
    try:
        bad, last = reader.verify(), reader.last_seq()
    except JournalError as error:
        yield _damage(reader.folder, "chain", str(error))
        return
    if bad is None:
        yield fine("chain", f"All {last:,} events are as they were written.")
    else:
        says = f"Event {bad} is not as it was written; the {bad - 1:,} events before it are whole."
        yield _damage(reader.folder, "chain", says)


def _outputs(reader: Reader) -> Iterator[Finding]:
    """Every output by its hash; every event that mentions one; both as an export would read them."""
    try:
        kept = {name for name, _ in reader.blobs()}
        bad = [name for name in kept if not _is_whole(reader, name)]
        mentioned = _exportable(reader)
    except (JournalError, OSError) as error:
        yield _damage(reader.folder, "export", f"The session can't be exported: {error}")
        return
    except (ValueError, TypeError, OverflowError) as error:
        yield _damage(
            reader.folder, "export", f"The session can't be exported: an event is no record any more ({error})."
        )
        return
    if bad:
        says = f"{len(bad)} of {len(kept)} outputs are damaged, the first is {min(bad)[:12]}."
        yield _damage(reader.folder, "outputs", says)
    gone = mentioned - kept
    if gone:
        says = f"{len(gone)} outputs that events mention are not in the journal, the first is {min(gone)[:12]}."
        if kept_journals(reader.folder):
            yield warning("outputs", says, "an earlier rescue could not save them; nothing more can be done")
        else:
            yield _damage(reader.folder, "outputs", says)
    if not bad and not gone:
        yield fine("outputs", f"All {len(kept):,} outputs are whole, and the session can be exported.")


def _is_whole(reader: Reader, name: str) -> bool:
    try:
        return reader.blob(name) is not None
    except JournalError:
        return False


def _exportable(reader: Reader) -> set[str]:
    """Read every event as an export does and a screen would; the outputs that they mention. Raises JournalError."""
    sink, after = io.BytesIO(), 0
    mentioned: set[str] = set()
    while batch := reader.raw(after, _CHUNK):
        for row in batch:
            sink.write(event_line(row))
            mentioned |= rows.blobs_of(rows.decode(row).body)
        after = batch[-1].seq
        sink.truncate(0)
    return mentioned


def _first_event(reader: Reader) -> Iterator[Finding]:
    """A session begins by being opened; before its first event it is only a file."""
    try:
        first = reader.event(1)
    except JournalError:
        return  # The chain has named it.
    if first is None or not isinstance(first.body, SessionOpened):
        says = f"The session in {reader.folder} was never opened: its journal has no first event."
        yield warning("opening", says, f"delete it with `longwatch rm {reader.folder.name}` when it is not being made")


def _meta(reader: Reader) -> Iterator[Finding]:
    """What the journal says of itself agrees with its first event."""
    try:
        meta, first = reader.meta(), reader.event(1)
    except (JournalError, ValueError) as error:
        yield _damage(reader.folder, "meta", f"What the journal says of itself can't be read: {error}")
        return
    session = first.body.session if first is not None and isinstance(first.body, SessionOpened) else None
    if session is not None and meta.get("session") not in (session, reader.folder.name):
        yield _damage(reader.folder, "meta", "The journal does not say any more which session it is of.")


def _counters(reader: Reader) -> Iterator[Finding]:
    """Stored counters against the events they were counted from."""
    if says := recount(reader):
        yield _damage(reader.folder, "snapshots", says)
    else:
        yield fine("snapshots", "The stored counters are those of the events.")


def _log(folder: Path) -> Iterator[Finding]:
    """The write-ahead log to its end: SQLite stops in silence at the first frame that does not hold."""
    if holder(folder) is not None:
        return
    log = folder / f"{schema.DATABASE}-wal"
    frames = read_frames(log, schema.PAGE_SIZE)
    unread = [frame for frame in frames if frame.current and not frame.applied]
    if not unread:
        return
    says = f"{len(unread)} of {len(frames)} pages at the end of the write-ahead log can't be used."
    if any(frame.commits for frame in unread):
        yield _damage(folder, "log", f"{says} Events that were recorded last may be among them.")
    else:
        yield warning(
            "log", f"{says} A write was cut short, as by a power cut; nothing confirmed is lost.", "nothing; it goes on"
        )


def _index(folder: Path) -> Iterator[Finding]:
    """The search index has seen how far the journal once went: a copy without its log looks whole but for this."""
    path = folder / recall_index.DATABASE
    if holder(folder) is not None or not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            seen = db.execute("SELECT seq FROM tip").fetchone()
        with Reader(folder) as reader:
            last = reader.last_seq()
    except (*schema.UNREADABLE, JournalError):
        return  # The index is only derived; a damaged journal has been named.
    if seen and isinstance(seen[0], int) and seen[0] > last:
        says = f"The journal ends at event {last}, but event {seen[0]} has been seen: its end is missing."
        remedy = f"was {schema.DATABASE}-wal left behind when the folder was copied? Put it beside {schema.DATABASE}"
        yield problem("end", says, remedy)
