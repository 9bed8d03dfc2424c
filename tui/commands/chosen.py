"""The session that the words of a command name, as commands want it: one that can be read."""

from __future__ import annotations

from pathlib import Path

from core.journal.catalogue import Summary, find_session
from core.journal.errors import JournalError


def readable(home: Path, text: str | None) -> Summary:
    """The session that `text` names. Raises JournalError also when it is damaged, before anything touches it."""
    summary = find_session(home, text)
    if summary.state == "damaged":
        raise JournalError(summary.detail)
    return summary
