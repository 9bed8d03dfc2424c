"""The session that the words of a command name, as commands want it: one that can be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.clock import SystemClock
from core.journal.catalogue import Summary, find_session, list_sessions, summary_of
from core.journal.errors import JournalError
from core.journal.margin import SUFFIX, MarginFile
from core.journal.reader import Reader
from core.journal.viewers import who_is_here

FILES = frozenset((".longwatch", ".jsonl", ".json", ".eval", ".traj", ".zip", ".gz"))
"""How what is no session's name ends."""


def named_elsewhere(home: Path, text: str | None) -> tuple[str, str] | None:
    """Machine and session of `BOX:SESSION`; None for what names a session here, which may have a colon in its name."""
    box, colon, session = (text or "").rpartition(":")
    if not colon or not box or any(one.name == text for one in list_sessions(home)):
        return None
    return box, session


def readable(home: Path, text: str | None) -> Summary:
    """The session that `text` names. Raises JournalError also when it is damaged, before anything touches it."""
    try:
        summary = find_session(home, text)
    except JournalError as error:
        if text and (os.sep in text or Path(text).suffix in FILES):
            raise JournalError(f"There is no file {text}, and no session is called so.") from error
        raise
    if summary.state == "damaged":
        with Reader(summary.folder) as reader:
            summary_of(reader, 0)  # Fails as it did in the list, and says of what kind the failure is.
        raise JournalError(summary.detail)
    return summary


def is_film(name: str) -> bool:
    """Whether these words of a command name a film in a file, and no session of this home."""
    return name == "-" or name.endswith(".longwatch") or Path(name).expanduser().is_file()


@contextmanager
def session_or_film(home: Path, name: str | None) -> Iterator[tuple[Path, Path | None]]:
    """The folder of a session; or that of a film, for as long as the block lasts, and the file that it came from.

    Raises JournalError, ImportProblem.
    """
    if name is None or not is_film(name):
        yield readable(home, name).folder, None
        return
    from tui.commands.films import opened

    with opened(name) as (folder, _card):
        yield folder, None if name == "-" else Path(name).expanduser()


def margin_of(folder: Path, film: Path | None = None) -> MarginFile:
    """Where notes on a session are kept, or on a film: beside that."""
    path = None if film is None else film.with_name(film.name + SUFFIX)
    return MarginFile(folder, path, who=who_is_here(os.environ).partition(" ")[0], clock=SystemClock())
