"""Exports of our own taken back: event for event what they hold, under their own id where that is free."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from core.importers.rows import MAX_ROW, ImportProblem, Tally
from core.journal.bulk import BulkWriter
from core.journal.catalogue import session_folder
from core.journal.errors import JournalError
from core.journal.export import open_export, row_of_line
from core.journal.reader import Reader
from core.journal.schema import CAME, database
from core.private import make_private
from core.workspace.snapshots import FILES

if TYPE_CHECKING:
    from core.importers.importing import Made

_FITS: Final = frozenset("0123456789abcdefghjkmnpqrstvwxyz")


def import_export(path: Path, home: Path, new_id: Callable[[], str], tally: Tally) -> Made:
    """A `.longwatch` file as a session of this home. Raises JournalError."""
    opened = open_export(path, home)
    try:
        with Reader(opened) as reader:
            tally.rows = reader.last_seq()
        return _placed(opened, home, new_id)
    finally:
        shutil.rmtree(opened.parent, ignore_errors=True)


def import_rows(path: Path, home: Path, place: Path, new_id: Callable[[], str], tally: Tally) -> Made:
    """A `.jsonl` export as a session; whole outputs that were kept beside the events are not in it."""
    draft = place / "rows"
    with path.open("rb") as file, BulkWriter(draft, place.name) as writer:
        while line := file.readline(MAX_ROW + 1):
            tally.rows, tally.bytes = tally.rows + 1, tally.bytes + len(line)
            try:
                row = row_of_line(line)
            except (msgspec.DecodeError, UnicodeError, ValueError, OverflowError) as error:
                raise ImportProblem(f"{path} is damaged in row {tally.rows:,}: {error}.") from error
            if row.seq != tally.rows:
                raise ImportProblem(f"{path} is damaged: event {tally.rows:,} is missing.")
            writer.add(row)
        writer.seal()
    return _placed(draft, home, new_id)


def _placed(folder: Path, home: Path, new_id: Callable[[], str]) -> Made:
    """Move an unpacked session into the home; what is there already, event for event, stays as it is."""
    with Reader(folder) as reader:
        first, last = reader.event(1), reader.last_seq()
        if first is None:
            raise ImportProblem("The export holds no event.")
        told = getattr(first.body, "session", "")
        chain = reader.raw(last - 1)[-1].chain
    id = told if isinstance(told, str) and len(told) == _ID and set(told) <= _FITS else new_id()
    if database(session_folder(home, id)).exists():
        if _holds(session_folder(home, id), last, chain):
            if (folder / FILES).is_dir() and not (session_folder(home, id) / FILES).is_dir():
                (folder / FILES).rename(session_folder(home, id) / FILES)
            return _made(session_folder(home, id), id, known=True)
        id = new_id()
    target = session_folder(home, id)
    make_private(target.parent)
    database(folder).chmod(0o600)
    (folder / CAME).touch(mode=0o600)
    folder.rename(target)
    return _made(target, id)


_ID: Final = 26


def _holds(folder: Path, seq: int, chain: bytes) -> bool:
    """Whether the session there has these events: the link of the last one stands for all before it."""
    try:
        with Reader(folder) as reader:
            found = reader.raw(seq - 1, 1)
    except JournalError:
        return False
    return bool(found) and found[0].chain == chain


def _made(folder: Path, id: str, *, known: bool = False) -> Made:
    from core.importers.importing import Made
    from core.overview import read_totals

    totals = read_totals(folder)
    return Made(id, totals.name, totals.turns, totals.tool_calls, known=known)
