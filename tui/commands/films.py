"""A film that comes as a file: read into a place that goes away again, with the card that stands before it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.clock import iso
from core.folds.fold import Dispatcher
from core.folds.highlights import Highlights
from core.importers.importing import STANDARD_INPUT, Importer
from core.importers.recognise import archive_kind
from core.importers.rows import ImportProblem
from core.journal.catalogue import session_folder
from core.journal.errors import JournalError
from core.journal.export import Manifest, open_export, read_manifest
from core.journal.reader import Reader
from core.overview import read_totals
from tui.panes import figures
from tui.progress import Progress, telling
from tui.safe import one_line

MOST_BYTES = 2 * 1024**3
"""Of a film on standard input."""
CHUNK = 2_000


@contextlib.contextmanager
def opened(name: str) -> Iterator[tuple[Path, list[str]]]:
    """The session folder of a file, and its card; both are gone afterwards. Raises JournalError, ImportProblem."""
    with tempfile.TemporaryDirectory(prefix="longwatch-", ignore_cleanup_errors=True) as place:
        file = _from_standard_input(Path(place)) if name == "-" else Path(name).expanduser()
        shown = STANDARD_INPUT if name == "-" else file.name
        try:
            film = _exported(file, Path(place), shown) if _is_export(file) else _imported(file, Path(place), shown)
        except (ImportProblem, JournalError) as problem:
            if name != "-":
                raise
            raise ImportProblem(str(problem).replace(str(file), STANDARD_INPUT)) from problem
        yield film


def _exported(file: Path, place: Path, shown: str) -> tuple[Path, list[str]]:
    """The session of an export, and its card."""
    with Progress("opening"):
        folder, manifest = open_export(file, place), read_manifest(file)
        return folder, card_of(folder, manifest, "" if shown == STANDARD_INPUT else shown)


def _imported(file: Path, place: Path, shown: str) -> tuple[Path, list[str]]:
    """Another tool's transcript as a session, and its card."""
    with Progress("opening") as progress:
        imported = Importer(place, os.environ).read(file, telling(progress, file))
        folder = session_folder(place, imported.sessions[0].id)
        card = card_of(folder, None, shown)
    many = len(imported.sessions)
    first = f"; the first of {many:,} sessions" if many > 1 else ""
    card.insert(1, f"{imported.what}, {imported.tally.rows:,} rows{first}")
    return folder, card


def _is_export(file: Path) -> bool:
    if file.suffix == ".longwatch":
        return True
    with contextlib.suppress(OSError, ImportProblem):
        return zipfile.is_zipfile(file) and archive_kind(file) == "longwatch"
    return False


def _from_standard_input(place: Path) -> Path:
    """Standard input as a file; the keys then come from the terminal."""
    target = place / "film"
    left = MOST_BYTES
    with target.open("wb") as out:
        while piece := sys.stdin.buffer.read(min(1 << 20, left)):
            out.write(piece)
            left -= len(piece)
    with contextlib.suppress(OSError):
        os.dup2(os.open("/dev/tty", os.O_RDWR), 0)
    return target


def card_of(folder: Path, manifest: Manifest | None, file: str) -> list[str]:
    """What a film says of itself: what it is of, who made it and when, what was left out, and the moments in it."""
    totals, highlights = read_totals(folder), Highlights()
    dispatch = Dispatcher([highlights])
    with Reader(folder) as reader:
        last, broken = reader.last_seq(), reader.verify()
        after = 0
        while batch := reader.events(after, CHUNK):
            for event in batch:
                dispatch.apply(event)
            after = batch[-1].seq
    began = iso(totals.started_us)[:10] if totals.started_us else "at an unknown time"
    spent = f"${float(totals.usd):,.2f}{' and more, unknown' if totals.unpriced else ''}"
    lines = [
        one_line(totals.name) or "a session",
        f"begun {began}, {totals.tool_calls:,} calls, {spent}, {one_line(totals.model) or 'model unknown'}",
        f"{last:,} events; the chain holds"
        if broken is None
        else f"{last:,} events; the chain is broken at #{broken:,}",
    ]
    lines += _about(manifest.about) if manifest is not None else []
    lines += ["", "In a few moments:"]
    lines += [f"#{one.seq:<6} {one.kind:<12}{one_line(one.text)}" for one in highlights.moments()]
    return [f"{file}: {lines[0]}" if file else lines[0], *lines[1:]]


def _about(about: dict[str, Any]) -> list[str]:
    if not about:
        return ["made by an older version, which says nothing of itself"]
    who = f" by {one_line(str(about['by']))}" if about.get("by") else ""
    redacted = ", ".join(one_line(str(part)) for part in _listed(about.get("redacted"))) or "nothing"
    left_out = ", ".join(one_line(str(part)) for part in _listed(about.get("left_out"))) or "nothing"
    made = f"exported {one_line(str(about.get('at', 'at an unknown time')))[:19]}{who}"
    return [
        f"{made}, Longwatch {one_line(str(about.get('version', '?')))}",
        f"taken out: {redacted}",
        f"left out: {left_out}",
        _files(about.get("files")),
    ]


def _files(told: Any) -> str:
    """Whether the files of the workspace are in it."""
    if not isinstance(told, dict):
        return "files: not included"
    states, contents, size = (
        told[name] if isinstance(told.get(name), int) else 0 for name in ("states", "contents", "bytes")
    )
    gone = f"; {told['missing']:,} were gone" if isinstance(told.get("missing"), int) and told["missing"] else ""
    return f"files: included, {states:,} states of {contents:,} contents, {figures.size(size)}{gone}"


def _listed(value: Any) -> list[Any]:
    return value[:20] if isinstance(value, list) else []
