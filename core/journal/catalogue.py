"""The sessions of a home folder: a cheap summary of each, and how a user's words name one of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.events import Event, SessionFinished, SessionOpened, SessionPaused, SessionRenamed
from core.journal import schema
from core.journal.errors import JournalError
from core.journal.lease import holder
from core.journal.reader import Reader

SESSIONS: Final = "sessions"
_CANDIDATES: Final = 5


class SessionNotFound(JournalError):
    """No session, or several, answer to a name; the text lists the candidates."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of the list.

    `state`: running, paused, finished, stopped, failed; interrupted when its runner is gone without a last word;
    damaged when it can't be read, with the sentence in `detail`. `changed_ns` is when its files last changed.
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


def session_folder(home: Path, session: str) -> Path:
    """Where a session of this id lives."""
    return home / SESSIONS / session


def list_sessions(home: Path) -> list[Summary]:
    """Every session, the one that changed last first; damaged ones too."""
    try:
        folders = [folder for folder in (home / SESSIONS).iterdir() if schema.database(folder).exists()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalError(f"The sessions in {home} can't be listed: {error.strerror}.") from error
    return sorted(map(summarize, folders), key=lambda summary: (summary.changed_ns, summary.id), reverse=True)


def summarize(folder: Path) -> Summary:
    """The summary of one session folder. Never raises: what can't be read is listed as damaged."""
    changed = _changed_ns(folder)
    try:
        with Reader(folder) as reader:
            return _summary(folder, changed, reader)
    except JournalError as error:
        return Summary(folder.name, folder, "damaged", changed, detail=str(error))


def find_session(home: Path, text: str | None = None) -> Summary:
    """The session that `text` names: its id, its name, or a unique start of its id; None: the latest.

    Raises SessionNotFound with the candidates, when none or several match.
    """
    sessions = list_sessions(home)
    if not sessions:
        raise SessionNotFound(f"There are no sessions in {home} yet; start one with `longwatch run TASK`.")
    if not text:
        return sessions[0]
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


def _summary(folder: Path, changed: int, reader: Reader) -> Summary:
    opened, renamed = reader.latest(SessionOpened.KIND), reader.latest(SessionRenamed.KIND)
    if opened is None or not isinstance(opened.body, SessionOpened):
        raise JournalError(f"The session in {folder} was never opened: its journal has no first event.")
    last_seq = reader.last_seq()
    last = reader.event(last_seq)
    state, reason, detail = _state(folder, reader)
    return Summary(
        id=folder.name,
        folder=folder,
        state=state,
        changed_ns=changed,
        name=renamed.body.name if renamed and isinstance(renamed.body, SessionRenamed) else opened.body.name,
        task=opened.body.task,
        model=opened.body.model,
        workspace=opened.body.workspace,
        opened_us=opened.at_us,
        last_us=last.at_us if last else opened.at_us,
        events=last_seq,
        reason=reason,
        detail=detail,
    )


def _state(folder: Path, reader: Reader) -> tuple[str, str, str]:
    """State, reason and detail by the newest event that tells one, and by whether a runner lives."""
    told = [event for kind in schema.STATE_KINDS[1:4] if (event := reader.latest(kind))]
    last: Event | None = max(told, key=lambda event: event.seq, default=None)
    body = last.body if last else None
    if isinstance(body, SessionPaused):
        return "paused", body.reason, body.detail
    if holder(folder):
        return "running", "", ""
    if isinstance(body, SessionFinished):
        return body.state, body.reason, body.detail
    return "interrupted", "", ""


def _changed_ns(folder: Path) -> int:
    """The newest change of the journal; an empty write-ahead log is left by readers and says nothing."""
    path, times = schema.database(folder), [0]
    for file in (path, path.with_name(f"{path.name}-wal")):
        try:
            found = file.stat()
        except OSError:
            continue
        if found.st_size or file == path:
            times.append(found.st_mtime_ns)
    return max(times)


def _listed(sessions: list[Summary]) -> str:
    names = [f"{one.id} ({one.name})" if one.name else one.id for one in sessions[:_CANDIDATES]]
    more = len(sessions) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
