"""A real session's journal, and every way in which a disk, a copy or a hand can damage it."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from logbook import Logbook
from msgspec.structs import replace

from core.clock import VirtualClock
from core.events import Draft, SessionOpened
from core.folds.fold import Dispatcher
from core.folds.totals import Totals
from core.journal import Journal, JournalError, Reader
from core.journal.doctor import examine
from core.journal.rescue import rescue
from core.journal.rows import Row
from core.journal.schema import DATABASE, PAGE_SIZE, database
from core.journal.surroundings import size_of

LOG = f"{DATABASE}-wal"


class Content(NamedTuple):
    """All that counts in a journal."""

    events: list[Row]
    blobs: dict[str, bytes]
    meta: dict[str, str]
    totals: Totals | None


def conversation(turns: int, session: str) -> tuple[Logbook, dict[int, bytes]]:
    """A session of so many turns with outputs short and long; those that don't fit an event by its number."""
    log, outputs = Logbook(), {}
    body = log.events[0].body
    assert isinstance(body, SessionOpened)
    log.events[0] = replace(log.events[0], body=replace(body, session=session))
    pick = random.Random(turns)
    for number in range(turns):
        output = "".join(f"{pick.random()} of line {number}\n" for _ in range(pick.choice((1, 20, 120))))
        attempt = log.reply(("run_command", {"command": f"make part-{number}"}), text=f"Step {number}.")
        log.start(attempt, 0, "run_command", {"command": f"make part-{number}"}, "command")
        blob = Journal.hash_of(output.encode()) if len(output) > 2000 else None
        event = log.finish(attempt, 0, "run_command", output[:2000], blob=blob, size=len(output))
        if blob:
            outputs[event.seq] = output.encode()
    return log, outputs


async def write(folder: Path, turns: int = 40, *, unmerged: int = 10) -> None:
    """Record a session; its last `unmerged` turns stay in the write-ahead log, as after a crash."""
    log, outputs = conversation(turns, folder.name)
    totals = Totals()
    dispatch = Dispatcher([totals])
    place = folder.with_name(f"{folder.name}.live") / folder.name
    async with await Journal.create(place, VirtualClock(), session=folder.name) as journal:
        for event in log.events:
            blob = outputs.get(event.seq)
            draft = Draft(event.body, key=event.key, actor=event.actor)
            (written,) = await journal.append(draft, blobs=[blob] if blob else [])
            totals.observe(written)
            dispatch.apply(written)
            if written.seq == len(log.events) - 4 * unmerged:
                await journal.save_snapshot(Totals.NAME, Totals.VERSION, written.seq, msgspec.json.encode(totals))
                await journal.checkpoint(force=True)
        shutil.copytree(place, folder, ignore=shutil.ignore_patterns("*-shm"))
    shutil.rmtree(place.parent)


def content(folder: Path) -> Content:
    """What a reader gets. Raises JournalError, or whatever damaged columns make of it."""
    with Reader(folder) as reader:
        blobs = {name: reader.blob(name) or b"" for name, _ in reader.blobs()}
        stored = reader.snapshot(Totals.NAME, Totals.VERSION)
        totals = msgspec.json.decode(stored[1], type=Totals) if stored else None
        return Content(reader.raw(), blobs, reader.meta(), totals)


def pages(path: Path) -> dict[str, list[int]]:
    """The pages of a database by what is on them: `event leaf`, `event_once internal`, `blob overflow`..."""
    query = "SELECT name, pagetype, pageno FROM dbstat WHERE pageno > 1"
    found: dict[str, list[int]] = {}
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as db:
        for name, kind, number in db.execute(query):
            found.setdefault(f"{name} {kind}", []).append(number)
    return found


def merged(folder: Path) -> Path:
    """A copy whose log has been moved into the database, so that no page of it is one of the past."""
    copy = folder.parent / "merged" / folder.name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    with closing(sqlite3.connect(database(copy))) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return copy


class Damage:
    """Damages copies of one session; what is picked depends on the seed alone."""

    def __init__(self, whole: Path, other: Path, seed: int) -> None:
        self._whole, self._other = whole, other
        self._pick = random.Random(seed)
        self._merged = merged(whole)
        self._pages = pages(database(self._merged))
        self.kinds: dict[str, Callable[[Path], None]] = {
            **{f"flip: {kind}": self._flip_in(numbers) for kind, numbers in sorted(self._pages.items())},
            "flip: file header": lambda folder: self._flip(database(folder), 0, 100),
            "flip: log": lambda folder: self._flip(folder / LOG, 0, size_of(folder / LOG)),
            "zeroed page": lambda folder: self._fill(database(folder), bytes(PAGE_SIZE)),
            "zeroed file header": lambda folder: _put(database(folder), 0, bytes(100)),
            "zeroed log header": lambda folder: _put(folder / LOG, 0, bytes(32)),
            "garbled page": lambda folder: self._fill(database(folder), self._pick.randbytes(PAGE_SIZE)),
            "cut short": lambda folder: self._cut(database(folder), 1),
            "half copied": lambda folder: self._half_copied(folder),
            "empty file": lambda folder: _cut(database(folder), 0),
            "foreign file": lambda folder: database(folder).write_bytes(self._pick.randbytes(40_000)),
            "log of another session": lambda folder: _copy(self._other / LOG, folder / LOG),
            "database of another program": _foreign_database,
            "row changed by hand": self._by_hand,
        }

    def apply(self, kind: str, folder: Path) -> None:
        """Make `folder` a copy with this damage."""
        shutil.rmtree(folder, ignore_errors=True)
        of_a_page = kind.removeprefix("flip: ") in self._pages
        shutil.copytree(self._merged if of_a_page else self._whole, folder)
        self.kinds[kind](folder)

    def _flip_in(self, numbers: list[int]) -> Callable[[Path], None]:
        def flip(folder: Path) -> None:
            start = (self._pick.choice(numbers) - 1) * PAGE_SIZE
            self._flip(database(folder), start, start + PAGE_SIZE)

        return flip

    def _flip(self, path: Path, start: int, end: int) -> None:
        place = self._pick.randrange(start, end)
        _put(path, place, bytes([path.read_bytes()[place] ^ 1 << self._pick.randrange(8)]))

    def _fill(self, path: Path, data: bytes) -> None:
        _put(path, self._pick.randrange(size_of(path) // PAGE_SIZE) * PAGE_SIZE, data)

    def _cut(self, path: Path, least: int) -> None:
        _cut(path, self._pick.randrange(least, size_of(path)))

    def _half_copied(self, folder: Path) -> None:
        _cut(database(folder), size_of(database(folder)) // 2)
        (folder / LOG).unlink()

    def _by_hand(self, folder: Path) -> None:
        change = self._pick.choice(
            (
                "UPDATE event SET at_us = at_us + 1 WHERE seq = 20",
                "UPDATE event SET actor = 'user' WHERE seq = 21",
                "DELETE FROM event WHERE seq = 22",
                "UPDATE blob SET data = x'00' WHERE rowid = 2",
                "DELETE FROM blob WHERE rowid = 3",
                "UPDATE meta SET value = 'another'",
                "UPDATE snapshot SET body = CAST(replace(body, '\"turns\":', '\"turns\":9') AS BLOB)",
            )
        )
        with closing(sqlite3.connect(database(folder), isolation_level=None)) as db:
            db.execute(change)


class Outcome(NamedTuple):
    """What became of one damaged copy. `kept`: events in the journal after the rescue, None when nothing was left.

    `changed`: a reader gets something else than before, or nothing. `named`: the doctor says so; `by_sqlite`: its
    integrity check alone does. `true`: the rescued journal is whole and a prefix of the original one.
    """

    changed: bool
    named: bool
    by_sqlite: bool
    true: bool
    prefix: bool
    kept: int | None


def judge(folder: Path, whole: Content) -> Outcome:
    """Examine a damaged copy, rescue it, and compare with what it was."""
    changed = _differs(folder, whole)
    by_sqlite = _faulty(folder)
    findings = examine(folder)
    named = any(finding.level in ("warning", "problem") for finding in findings)
    if not any(finding.mendable for finding in findings):
        return Outcome(changed, named, by_sqlite, True, True, len(whole.events))
    good = _good(folder)
    try:
        result = rescue(folder, VirtualClock())
    except JournalError:
        return Outcome(changed, named, by_sqlite, True, good == 0, None)
    after = content(folder)
    healthy = not any(finding.level == "problem" for finding in examine(folder))
    true = healthy and after.events[: result.kept] == whole.events[: result.kept]
    true = true and all(whole.blobs.get(name) == data for name, data in after.blobs.items())
    return Outcome(changed, named, by_sqlite, true, result.kept >= good, result.kept)


def _differs(folder: Path, whole: Content) -> bool:
    """Counters that are not stored are counted again, so that is no difference."""
    try:
        found = content(folder)
        return found._replace(totals=found.totals or whole.totals) != whole
    except Exception:  # whatever a damaged file makes of a reader is a difference
        return True


def _faulty(folder: Path) -> bool:
    try:
        with Reader(folder) as reader:
            return bool(reader.faults())
    except JournalError:
        return True


def _good(folder: Path) -> int:
    """How many events before the first bad one a reader gets."""
    try:
        with Reader(folder) as reader:
            bad = reader.verify()
            return reader.last_seq() if bad is None else bad - 1
    except JournalError:
        return 0


def _put(path: Path, place: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)


def _cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _foreign_database(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    with closing(sqlite3.connect(database(folder))) as db:
        db.execute("CREATE TABLE event(seq INTEGER PRIMARY KEY, body TEXT)")
        db.execute("INSERT INTO event VALUES (1, 'not ours')")
        db.commit()


def outcomes(damage: Damage, place: Path, whole: Content, count: int) -> dict[str, list[Outcome]]:
    """Damage so many copies, each kind in turn, and judge each."""
    results: dict[str, list[Any]] = {kind: [] for kind in damage.kinds}
    for number in range(count):
        kind = list(damage.kinds)[number % len(damage.kinds)]
        damage.apply(kind, place)
        results[kind].append(judge(place, whole))
    return results
