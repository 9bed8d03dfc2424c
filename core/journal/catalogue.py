"""The sessions of a home folder: a cheap summary of each, and how a user's words name one of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.events import DELEGATED, Event, SessionFinished, SessionOpened, SessionPaused, SessionRenamed
from core.journal import schema
from core.journal.errors import JournalError
from core.journal.lease import BEAT, LOCK, holder
from core.journal.reader import Reader

SESSIONS: Final = "sessions"
_CANDIDATES: Final = 5
_LOG: Final = f"{schema.DATABASE}-wal"
_TRACED: Final = frozenset({schema.DATABASE, _LOG, LOCK, BEAT})


class SessionNotFound(JournalError):
    """No session, or several, answer to a name; the text lists the candidates."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of the list.

    `state`: running, paused, finished, stopped, failed; interrupted when its runner is gone without a last word;
    damaged when it can't be read, with the sentence in `detail`. `changed_ns` is when its files last changed, `held`
    whether a runner lives. `parent` is the session that it works for, empty: none.
    """

    id: str
    folder: Path
    state: str
    changed_ns: int
    name: str = ""
    task: str = ""
    model: str = ""
    workspace: str = ""
    opened_us: int = 0
    last_us: int = 0
    events: int = 0
    reason: str = ""
    detail: str = ""
    held: bool = False
    parent: str = ""


def session_folder(home: Path, session: str) -> Path:
    """Where a session of this id lives."""
    return home / SESSIONS / session


@dataclass(frozen=True, slots=True)
class Trace:
    """What the file system tells of a session folder without opening its journal; the same trace, the same session.

    `changed_ns` and `size` are of the journal and its write-ahead log, `lease_ns` and `beat_ns` of its runner's files;
    0 where there is none.
    """

    changed_ns: int
    size: int
    lease_ns: int
    beat_ns: int


def trace(folder: Path) -> Trace | None:
    """The trace of a session folder, or None when no session is in it. A few looks at the file system, no more."""
    try:
        found = {entry.name: entry.stat() for entry in os.scandir(folder) if entry.name in _TRACED}
    except OSError:
        return None
    journal, log = found.get(schema.DATABASE), found.get(_LOG)
    if journal is None:
        return None
    changed, size = journal.st_mtime_ns, journal.st_size
    if log is not None and log.st_size:  # an empty one is left by readers and says nothing
        changed, size = max(changed, log.st_mtime_ns), size + log.st_size
    lease, beat = found.get(LOCK), found.get(BEAT)
    return Trace(changed, size, lease.st_mtime_ns if lease else 0, beat.st_mtime_ns if beat else 0)


def session_folders(home: Path) -> list[Path]:
    """Every folder in which a session is kept, damaged ones too, in no order. Raises JournalError."""
    try:
        return [folder for folder in (home / SESSIONS).iterdir() if schema.database(folder).exists()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalError(f"The sessions in {home} can't be listed: {error.strerror}.") from error


def list_sessions(home: Path) -> list[Summary]:
    """Every session, the one that changed last first; damaged ones too."""
    summaries = map(summarize, session_folders(home))
    return sorted(summaries, key=lambda summary: (summary.changed_ns, summary.id), reverse=True)


def summarize(folder: Path) -> Summary:
    """The summary of one session folder. Never raises: what can't be read is listed as damaged."""
    found = trace(folder)
    changed = found.changed_ns if found else 0
    try:
        with Reader(folder) as reader:
            return summary_of(reader, changed)
    except JournalError as error:
        return damaged(folder, changed, error)


def damaged(folder: Path, changed_ns: int, error: JournalError) -> Summary:
    """The summary of a session that can't be read."""
    return Summary(folder.name, folder, "damaged", changed_ns, detail=str(error), held=holder(folder) is not None)


def find_session(home: Path, text: str | None = None) -> Summary:
    """The session that `text` names: its id, its name, or a unique start of its id; None: the latest.

    Raises SessionNotFound with the candidates, when none or several match.
    """
    sessions = list_sessions(home)
    if not sessions:
        raise SessionNotFound(f"There are no sessions in {home} yet; start one with `longwatch run TASK`.")
    if not text:
        return next((one for one in sessions if not one.parent), sessions[0])
    for matches in (
        [one for one in sessions if one.id == text],
        [one for one in sessions if one.name == text],
        [one for one in sessions if one.id.startswith(text.lower())],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise SessionNotFound(f"{text!r} names {len(matches)} sessions: {_listed(matches)}; say more of the id.")
    raise SessionNotFound(f"No session is called {text!r}; the latest are {_listed(sessions)}.")


def summary_of(reader: Reader, changed_ns: int) -> Summary:
    """The summary of an open journal. Raises JournalError."""
    folder = reader.folder
    opened, renamed = reader.latest(SessionOpened.KIND), reader.latest(SessionRenamed.KIND)
    if opened is None or not isinstance(opened.body, SessionOpened):
        raise JournalError(f"The session in {folder} was never opened: its journal has no first event.")
    last_seq = reader.last_seq()
    last = reader.event(last_seq)
    held = holder(folder) is not None
    state, reason, detail = _state(reader, held)
    return Summary(
        id=folder.name,
        folder=folder,
        state=state,
        changed_ns=changed_ns,
        name=renamed.body.name if renamed and isinstance(renamed.body, SessionRenamed) else opened.body.name,
        task=opened.body.task,
        model=opened.body.model,
        workspace=opened.body.workspace,
        opened_us=opened.at_us,
        last_us=last.at_us if last else opened.at_us,
        events=last_seq,
        reason=reason,
        detail=detail,
        held=held,
        parent=str((opened.body.origin or {}).get(DELEGATED, "")),
    )


def _state(reader: Reader, held: bool) -> tuple[str, str, str]:
    """State, reason and detail by the newest event that tells one, and by whether a runner lives."""
    told = [event for kind in schema.STATE_KINDS[1:4] if (event := reader.latest(kind))]
    last: Event | None = max(told, key=lambda event: event.seq, default=None)
    body = last.body if last else None
    if isinstance(body, SessionPaused):
        return "paused", body.reason, body.detail
    if isinstance(body, SessionFinished):  # Also where its runner still stands by, for a screen that is open.
        return body.state, body.reason, body.detail
    return ("running" if held else "interrupted"), "", ""


def _listed(sessions: list[Summary]) -> str:
    names = [f"{one.id} ({one.name})" if one.name else one.id for one in sessions[:_CANDIDATES]]
    more = len(sessions) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
