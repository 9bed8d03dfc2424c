"""The front door: a file of another tool, or an export of our own, becomes sessions of a home, whole or not at all."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from core.clock import Clock, SystemClock
from core.config import PriceSettings
from core.ids import ulid
from core.importers import recognise
from core.importers.claude_code import ClaudeCode
from core.importers.codex import Codex
from core.importers.inspect_logs import read_archive, read_log
from core.importers.openhands import OpenHands
from core.importers.own import import_export, import_rows
from core.importers.pricing import PriceBook
from core.importers.records import Record, Session
from core.importers.rows import ImportProblem, Tally, Unreadable, document_of, fields, readable_twice, rows_of
from core.importers.scribe import Scribe
from core.importers.swe_agent import CHAT, SWE, read_chat, read_mini, read_swe
from core.journal.bulk import BulkWriter
from core.journal.catalogue import session_folder
from core.private import make_private
from core.tools.secrets import Redactor

MOST_SESSIONS: Final = 10_000
STANDARD_INPUT: Final = "standard input"
_TELL_EVERY: Final = 200
"""Records between two words on how far it is."""
NAMES: Final[Mapping[recognise.Kind, str]] = {
    "longwatch": "an export of Longwatch",
    "longwatch-rows": "an export of Longwatch in rows",
    "claude-code": "a transcript of Claude Code",
    "codex": "a rollout of Codex",
    "mini-swe-agent": "a trajectory of mini-swe-agent",
    "swe-agent": "a trajectory of SWE-agent",
    "openhands": "events of OpenHands",
    "inspect": "a log of Inspect",
    "chat": "messages of a chat",
}


@dataclass(frozen=True, slots=True)
class Made:
    """A session that came of it: what was written, what was kept without being understood, and how often.

    `early`: rows whose time lies before that of the row before; they are in the order of the file.
    """

    id: str
    name: str
    replies: int
    calls: int
    kept: Mapping[str, int] = field(default_factory=dict)
    early: int = 0
    uncounted: int = 0
    known: bool = False
    """It was here already, event for event."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file. `what` it is in words."""

    file: Path
    what: str
    sessions: tuple[Made, ...]
    tally: Tally


class Importer:
    """Imports files into one home. Blocks; call it in a thread where something else shall go on."""

    def __init__(
        self,
        home: Path,
        environ: Mapping[str, str] = os.environ,
        prices: Mapping[str, PriceSettings] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.home, self._clock = home, clock or SystemClock()
        self._ids = 0
        self._prices, self._redact = PriceBook(prices), Redactor(environ)

    def read(self, path: Path, tell: Callable[[Tally], None] = lambda tally: None) -> Imported:
        """Import one file, or a folder of events. `tell` is called now and then with what was read so far.

        Raises ImportProblem for what is no transcript, JournalError when the home can't take it; nothing of it is
        left behind then.
        """
        tally = Tally()
        try:
            make_private(self.home)
            with tempfile.TemporaryDirectory(prefix=".importing-", dir=self.home, ignore_cleanup_errors=True) as place:
                kind, made = self._told_of(path, Path(place), tally, tell)
        except OSError as error:
            raise ImportProblem(f"{path} can't be imported: {error.strerror or error}.") from error
        return Imported(path, NAMES[kind], tuple(made), tally)

    def _told_of(
        self, path: Path, place: Path, tally: Tally, tell: Callable[[Tally], None]
    ) -> tuple[recognise.Kind, list[Made]]:
        """As `_read`, also of a pipe; what goes wrong is said of what the user named."""
        file = readable_twice(path, place)
        try:
            return self._read(file, place, tally, tell)
        except ImportProblem as problem:
            named = STANDARD_INPUT if str(path) == "-" else str(path)
            raise ImportProblem(str(problem).replace(str(file), named)) from problem

    def _read(
        self, path: Path, place: Path, tally: Tally, tell: Callable[[Tally], None]
    ) -> tuple[recognise.Kind, list[Made]]:
        if path.is_dir():
            return "openhands", self._written(
                OpenHands(tally).read(_folder_rows(path, tally)), path, place, tally, tell
            )
        with path.open("rb") as file:
            start = file.read(4)
        if not start:
            raise ImportProblem(f"{path} is empty.")
        if start.startswith(b"PK"):
            kind = recognise.archive_kind(path)
            if kind == "longwatch":
                return kind, [import_export(path, self.home, self._new_id, tally)]
            return kind, self._written(read_archive(path, tally), path, place, tally, tell)
        rows = recognise.sampled(path)
        kind_of_rows = recognise.rows_kind(rows)
        if kind_of_rows == "longwatch-rows":
            return kind_of_rows, [import_rows(path, self.home, place, self._new_id, tally)]
        if kind_of_rows is not None:
            return kind_of_rows, self._rows(kind_of_rows, path, rows, place, tally, tell)
        return self._document(path, rows, place, tally, tell)

    def _rows(
        self,
        kind: recognise.Kind,
        path: Path,
        sample: list[dict[str, Any]],
        place: Path,
        tally: Tally,
        tell: Callable[[Tally], None],
    ) -> list[Made]:
        spoken = [row for row in sample if row.get("type") in ("user", "assistant")]
        flat = bool(spoken) and all(row.get("isSidechain") is True for row in spoken)
        reader: ClaudeCode | Codex | OpenHands = OpenHands(tally)
        if kind != "openhands":
            reader = Codex(tally) if kind == "codex" else ClaudeCode(tally, flat=flat)
        with path.open("rb") as file:
            return self._written(reader.read(rows_of(file, tally)), path, place, tally, tell)

    def _document(
        self, path: Path, rows: list[dict[str, Any]], place: Path, tally: Tally, tell: Callable[[Tally], None]
    ) -> tuple[recognise.Kind, list[Made]]:
        problem, document = "", None
        try:
            document = document_of(path, tally)
        except ImportProblem as error:
            problem = str(error)
        kind = recognise.document_kind(document)
        if kind is None:
            looks_whole = document is None and not rows and _begins_like_json(path)
            if looks_whole and problem:
                raise ImportProblem(problem)
            raise ImportProblem(
                f"{path} is no transcript that can be read: {recognise.described(rows, document, _start(path))}. "
                f"What can be read: {recognise.READ}."
            )
        return kind, self._written(_records(kind, document, tally), path, place, tally, tell)

    def _written(
        self, records: Iterator[Record], path: Path, place: Path, tally: Tally, tell: Callable[[Tally], None]
    ) -> list[Made]:
        """Every record into the session that it belongs to; all sessions into the home once all are written."""
        with _Desk(self, path, place) as desk:
            for number, record in enumerate(records):
                desk.take(record)
                if number % _TELL_EVERY == 0:
                    tell(tally)
            tell(tally)
            return desk.finish(tally)

    def _new_id(self) -> str:
        """Ids of one import differ in their time, so that short forms of them name one session each."""
        self._ids += 1
        return ulid(self._clock.now_us() + self._ids * 1_000)

    def scribe(self, told: Session, path: Path, place: Path) -> tuple[str, BulkWriter, Scribe]:
        """A writer of a new session."""
        id = self._new_id()
        writer = BulkWriter(place / id, id)
        if told.tool in (SWE, CHAT) and not told.name:
            told = replace(told, name=path.name.partition(".")[0][:80])
        return id, writer, Scribe(writer, id, told, path.name, self._prices, self._redact)


class _Desk:
    """The sessions that one file holds, each with its writer."""

    def __init__(self, importer: Importer, path: Path, place: Path) -> None:
        self._importer, self._path, self._place = importer, path, place
        self._open: dict[str, tuple[str, BulkWriter, Scribe]] = {}
        self._current: Scribe | None = None

    def __enter__(self) -> _Desk:
        return self

    def __exit__(self, *error: object) -> None:
        for _, writer, _ in self._open.values():
            writer.__exit__(None, None, None)

    def take(self, record: Record) -> None:
        if isinstance(record, Session):
            self._current = self._session(record)
        elif self._current is None:
            self._current = self._session(Session(key="session", tool="another tool"))
            self._current.take(record)
        else:
            self._current.take(record)

    def _session(self, told: Session) -> Scribe:
        if told.key not in self._open:
            if len(self._open) >= MOST_SESSIONS:
                raise ImportProblem(f"{self._path} holds more than {MOST_SESSIONS:,} sessions; split it.")
            self._open[told.key] = self._importer.scribe(told, self._path, self._place)
        return self._open[told.key][2]

    def finish(self, tally: Tally) -> list[Made]:
        if all(scribe.silent for *_, scribe in self._open.values()):
            raise ImportProblem(
                f"{self._path} looks like a transcript, but nothing in it was said or done ({tally.rows:,} rows read)."
            )
        made = []
        for id, _, scribe in self._open.values():
            if scribe.silent:
                continue
            scribe.close(_detail(tally))
            count = scribe.count
            made.append(Made(id, scribe.name, count.replies, count.calls, count.kept, count.early, count.uncounted))
        for one in made:
            target = session_folder(self._importer.home, one.id)
            make_private(target.parent)
            (self._place / one.id).rename(target)
        return made


def _detail(tally: Tally) -> str:
    unread = f", {tally.unreadable:,} of them unreadable" if tally.unreadable else ""
    return f"imported, {tally.rows:,} rows read{unread}"


def _records(kind: recognise.Kind, document: Any, tally: Tally) -> Iterator[Record]:
    if kind == "inspect":
        return read_log(document, tally)
    if kind == "mini-swe-agent":
        return read_mini(document, tally)
    if kind == "swe-agent":
        return read_swe(document, tally)
    if kind == "chat":
        return read_chat(recognise.chat_in(document), tally)
    events = document if isinstance(document, list) else recognise.events_in(document)
    return OpenHands(tally).read(_numbered(events, tally))


def _numbered(events: list[Any], tally: Tally) -> Iterator[tuple[int, dict[str, Any]] | Unreadable]:
    for at, event in enumerate(events, 1):
        tally.rows += 1
        if isinstance(event, dict):
            yield at, event
        else:
            tally.unreadable += 1
            yield Unreadable(at, "no JSON object", str(event)[:2_000])


def _folder_rows(path: Path, tally: Tally) -> Iterator[tuple[int, dict[str, Any]] | Unreadable]:
    """A folder with one file an event, as OpenHands keeps them (`event-00012-….json`, or `12.json`)."""
    folder = path / "events" if (path / "events").is_dir() else path
    files = sorted(folder.glob("*.json"), key=_event_number)
    files = [file for file in files if _event_number(file)[0] >= 0]
    if not files:
        raise ImportProblem(f"{path} is a folder without events of OpenHands; name the file of a transcript.")
    for at, file in enumerate(files, 1):
        with file.open("rb") as opened:
            data = opened.read(_MAX_EVENT + 1)
        tally.bytes += len(data)
        yield from _numbered([fields(_decoded(data)) or data[:200].decode("utf-8", "replace")], Tally())
        tally.rows = at


_MAX_EVENT: Final = 64 * 1024**2


def _event_number(path: Path) -> tuple[int, str]:
    digits = "".join(itertools.takewhile(str.isdigit, path.stem.removeprefix("event-")))
    return (int(digits[:18]) if digits else -1), path.name


def _decoded(data: bytes) -> Any:
    from core.importers.rows import parse

    try:
        return parse(data, "an event", Tally())
    except ImportProblem:
        return None


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(256)


def _begins_like_json(path: Path) -> bool:
    return _start(path).lstrip()[:1] in (b"{", b"[")
