"""What the user has told agents before, in any session of the home: to be said again without typing it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from core.events import GuidanceQueued
from core.journal.errors import JournalError
from core.journal.reader import Reader
from core.journal.schema import database

SESSIONS_READ = 12
"""The sessions that changed last; older ones are not looked into."""
MOST = 100


def said_before(folder: Path, limit: int = MOST) -> list[str]:
    """Guidance of this session, then of the other ones beside it, the latest first, each text once. Blocks."""
    texts: dict[str, None] = {}
    for session in [folder, *_others(folder)]:
        with suppress(JournalError):
            texts |= dict.fromkeys(_said_in(session, limit))
        if len(texts) >= limit:
            break
    return list(texts)[:limit]


def _others(folder: Path) -> list[Path]:
    with suppress(OSError):
        beside = [one for one in folder.parent.iterdir() if one != folder and database(one).exists()]
        return sorted(beside, key=lambda one: database(one).stat().st_mtime_ns, reverse=True)[:SESSIONS_READ]
    return []


def _said_in(folder: Path, limit: int) -> Iterator[str]:
    with Reader(folder) as reader:
        for event in reader.of_kind("guidance.queued", limit):
            if isinstance(event.body, GuidanceQueued):
                yield event.body.text
