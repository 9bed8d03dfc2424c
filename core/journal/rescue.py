"""Saving what can be read of a damaged journal: the events up to the first hole, in a new journal beside the old one.

What lies behind a hole is never joined to what lies before it: a conversation with a gap is one that nobody had, and
a request built over it would answer to what can't be read. It is kept apart, in a file of lines, and listed.
The damaged files stay under another name. A session that a runner holds is not touched.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec

from core.clock import Clock
from core.journal import recall_index, rows, schema, seen
from core.journal.aftermath import Aftermath
from core.journal.errors import JournalError
from core.journal.evidence import SIDE_FILES, Evidence, Stray
from core.journal.export import event_line
from core.journal.lease import acquire
from core.journal.rows import Row
from core.journal.store import Tail

KEPT: Final = f"{schema.DATABASE}.damaged-"
_DRAFT: Final = f".{schema.DATABASE}.rescued"
_HASH: Final = re.compile(r"\b[0-9a-f]{64}\b")
_OLD_COPIES: Final = ".rescue-*"
Range = tuple[int, int]


class Rescue(msgspec.Struct, frozen=True, kw_only=True):
    """What a rescue came to. Ranges are of event numbers, both ends in them; names are of files in the session folder.

    `kept`: events that are as they were written. `apart`: events behind the hole, in `rest`. `gone`: numbers in
    between that nothing is left of; what was lost behind the last readable event has no number. `mended`: of those
    kept, how many had one wrong bit, which the hash chain told.
    """

    kept: int
    gone: list[Range]
    apart: list[Range]
    outputs: int
    outputs_gone: list[str]
    original: str
    rest: str = ""
    mended: int = 0

    def sentences(self) -> list[str]:
        """For people."""
        said = [f"Events 1 to {self.kept} are whole and stand in the new journal, with {self.outputs} outputs."]
        if self.mended:
            said.append(f"One wrong bit in each of {self.mended} of them was turned back, proved by the hash chain.")
        if self.gone:
            said.append(f"Nothing is left of {_named(self.gone)}.")
        if self.apart:
            said.append(f"{_named(self.apart).capitalize()} can be read and are kept apart in {self.rest}.")
        if self.outputs_gone:
            said.append(f"{len(self.outputs_gone)} outputs that events mention are lost.")
        return [*said, f"The damaged journal is kept as {self.original}."]


def mend(folder: Path, clock: Clock) -> list[str]:
    """Rescue a damaged session, or bring a rescue to its end that was cut short; what was done, in sentences.

    Raises as `rescue` does.
    """
    if is_half_exchanged(folder):
        with acquire(folder):
            finish(folder)
        return ["A rescue that was cut short is brought to its end; the session's log tells what it found."]
    return rescue(folder, clock).sentences()


def rescue(folder: Path, clock: Clock) -> Rescue:
    """Put a whole journal in the place of a damaged one.

    Raises LeaseHeld when a runner has the session, JournalError when nothing can be read or the disk refuses; the
    damaged files are there then as they were. Killed half way, `mend` finishes it or begins anew.
    """
    with acquire(folder):
        for left in folder.glob(_OLD_COPIES):
            shutil.rmtree(left, ignore_errors=True)
        try:
            with Evidence(folder) as evidence:
                try:
                    result = _build(folder, evidence, clock)
                except _NoBeginning:
                    raise JournalError(_without_beginning(folder, evidence)) from None
            _exchange(folder, result.original)
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"The session in {folder} can't be rescued now: {error}; nothing is lost.") from error
        finally:
            if not is_half_exchanged(folder):
                (folder / _DRAFT).unlink(missing_ok=True)
    return result


def finish(folder: Path) -> None:
    """End an exchange that was cut short between two names; for the holder of the lease."""
    numbers = [int(path.name.removeprefix(KEPT)) for path in kept_journals(folder)]
    _exchange(folder, f"{KEPT}{max(numbers, default=1)}")


def is_half_exchanged(folder: Path) -> bool:
    """Whether a rescue was killed after the damaged journal had gone aside and before the new one was in place."""
    return (folder / _DRAFT).exists() and not schema.database(folder).exists()


def kept_journals(folder: Path) -> list[Path]:
    """The damaged journals that earlier rescues have kept."""
    return sorted(path for path in folder.glob(f"{KEPT}*") if path.name.removeprefix(KEPT).isdigit())


class _NoBeginning(Exception):
    """The first event is gone."""


def _without_beginning(folder: Path, evidence: Evidence) -> str:
    """Keep apart what can be read; without its first event no session can be opened."""
    strays = evidence.strays(0)
    if not strays:
        return "No event of this session can be read: there is nothing to rescue, and nothing was changed."
    path = folder / f"{schema.DATABASE}.rest.jsonl"
    _write_rest(path, strays)
    return (
        f"The first event of this session is lost, so it can't be opened again; {len(strays)} later events can be "
        f"read and stand in {path}. The damaged journal is as it was."
    )


def _build(folder: Path, evidence: Evidence, clock: Clock) -> Rescue:
    """Write the new journal aside, and the file of what is kept apart."""
    draft, original = folder / _DRAFT, _free_name(folder)
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    schema.lay_out(draft, evidence.meta())
    with closing(sqlite3.connect(draft, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous=FULL")
        db.execute("BEGIN IMMEDIATE")
        after = Aftermath()
        last, outputs, named = _copy_events(db, evidence.events(), after)
        strays = evidence.strays(last.seq)
        db.executemany("INSERT OR IGNORE INTO blob VALUES (?, ?, ?, ?)", evidence.blobs(named))
        held = {name for (name,) in db.execute("SELECT hash FROM blob")}
        found = _result(last.seq, strays, len(held), sorted(outputs - held), original)
        result = msgspec.structs.replace(found, mended=evidence.mended)
        tail = Tail(last.seq, after.head, last.chain)
        for prepared in after.closing(result.sentences(), lost=bool(strays) or not evidence.is_all(last.seq)):
            row, tail = tail.extend(prepared, clock.now_us())
            db.execute(rows.INSERT, rows.stored(row))
        db.execute("COMMIT")
        if db.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise JournalError(f"The session in {folder} can't be rescued: the new journal is damaged too.")
    if strays:
        _write_rest(folder / result.rest, strays)
    return result


def _copy_events(db: sqlite3.Connection, events: Iterable[Row], after: Aftermath) -> tuple[Row, set[str], set[str]]:
    """The last event, the outputs that events need, and everything that may be an output's name."""
    last: Row | None = None
    outputs: set[str] = set()
    named: set[str] = set()
    for last in events:
        db.execute(rows.INSERT, rows.stored(last))
        event = rows.decode(last)
        after.observe(event)
        named.update(_HASH.findall(last.body))
        outputs |= rows.blobs_of(event.body)
    if last is None:
        raise _NoBeginning
    return last, outputs, named


def _result(kept: int, strays: Sequence[Stray], outputs: int, outputs_gone: list[str], original: str) -> Rescue:
    apart = list(_ranges(stray.row.seq for stray in strays))
    starts = [kept + 1, *(end + 1 for _, end in apart)]
    gone = [(start, begin - 1) for start, (begin, _) in zip(starts, apart, strict=False) if start < begin]
    return Rescue(
        kept=kept,
        gone=gone,
        apart=apart,
        outputs=outputs,
        outputs_gone=outputs_gone,
        original=original,
        rest=f"{original}.rest.jsonl" if strays else "",
    )


def _write_rest(path: Path, strays: Iterable[Stray]) -> None:
    """One event a line; `vouched` says whether its hash fits to the readable event before it."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        for stray in strays:
            try:
                event = msgspec.Raw(event_line(stray.row).rstrip())
            except (ValueError, OverflowError, OSError):  # The time of an event that nothing vouches for.
                continue
            file.write(msgspec.json.encode({"vouched": stray.vouched, "event": event}) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _exchange(folder: Path, original: str) -> None:
    """Rename the old files away, then the new one in. In between there is no session, never one that looks whole."""
    for suffix in SIDE_FILES:
        with suppress(FileNotFoundError):
            (folder / f"{schema.DATABASE}{suffix}").rename(folder / f"{original}{suffix}")
    (folder / f"{schema.DATABASE}-shm").unlink(missing_ok=True)
    for derived in (recall_index.DATABASE, seen.SEEN):
        (folder / derived).unlink(missing_ok=True)
    schema.sync_folder(folder)
    (folder / _DRAFT).rename(schema.database(folder))
    schema.sync_folder(folder)


def _free_name(folder: Path) -> str:
    number = 1
    while any((folder / f"{KEPT}{number}{suffix}").exists() for suffix in (*SIDE_FILES, ".rest.jsonl")):
        number += 1
    return f"{KEPT}{number}"


def _ranges(numbers: Iterable[int]) -> Iterator[Range]:
    """Runs of consecutive numbers, of ascending ones."""
    start = end = None
    for number in numbers:
        if start is None or end is None or number != end + 1:
            if start is not None and end is not None:
                yield start, end
            start = number
        end = number
    if start is not None and end is not None:
        yield start, end


def _named(ranges: Sequence[Range], most: int = 6) -> str:
    words = [str(start) if start == end else f"{start} to {end}" for start, end in ranges[:most]]
    more = f" and {len(ranges) - most} more ranges" if len(ranges) > most else ""
    return f"event{'s' if ranges[0][0] != ranges[-1][1] else ''} {', '.join(words)}{more}"
