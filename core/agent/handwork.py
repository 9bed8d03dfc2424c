"""Files that the agent has read, looked at between its calls: a change that no call made is somebody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from core.agent.desk import Desk
from core.clock import monotonic
from core.events import Draft, Event, FileChange, HeadMoved, ToolStarted, WorkspaceChanged
from core.tools.base import Effect
from core.tools.textfile import digest

LOOK_EVERY_S = 0.7
MOST_FILES = 500
"""Those read or written last are looked at, for a look costs a stat each."""
LARGEST = 4 * 1024 * 1024
"""Bytes of a file; what is larger is not read again just to be compared."""


class Known(NamedTuple):
    """The hash that the agent knows, and size and time of the file then (None: it is gone)."""

    sha256: str
    stamp: tuple[int, int] | None


class Handwork:
    """`seen` maps paths of the workspace to what the model last saw of each, the latest last."""

    def __init__(self, desk: Desk, workspace: Path, seen: Mapping[str, str]) -> None:
        self._desk, self._workspace, self._seen = desk, workspace, seen
        self._known: dict[str, Known] = {}
        self._theirs = False
        """Whether a command, or a rewind, may have changed files since the last look: then nobody else is blamed."""
        self._acts = 0
        self._looked_s = float("-inf")
        desk.journal.subscribe(self._observe)

    def _observe(self, events: list[Event]) -> None:
        for event in events:
            self._acts += isinstance(event.body, ToolStarted)
            self._theirs |= isinstance(event.body, HeadMoved) or _is_command(event)

    async def look(self) -> None:
        """Journal what changed while no call was under way. Raises JournalError."""
        calls = self._desk.facts.state.pending.values()
        if monotonic() - self._looked_s < LOOK_EVERY_S or any(call.started for call in calls):
            return
        self._looked_s = monotonic()
        acts, theirs, self._theirs = self._acts, self._theirs, False
        seen = {name: self._seen[name] for name in islice(reversed([*self._seen]), MOST_FILES)}
        changed = await asyncio.to_thread(self._changed, seen)
        if self._acts != acts:  # A call began meanwhile: what was seen may be its doing.
            self._theirs |= theirs
        elif changed and not theirs:
            await self._desk.append(Draft(WorkspaceChanged(files=changed), actor="system"))

    def _changed(self, seen: Mapping[str, str]) -> list[FileChange]:
        found = []
        for name, sha256 in seen.items():
            known = Known(sha256, _stamp(self._workspace / name))
            if self._known.get(name) == known:
                continue
            self._known[name] = known
            if known.stamp is not None and known.stamp[0] > LARGEST:
                continue
            now = _digest(self._workspace / name)
            if now != sha256:
                found.append(FileChange(path=name, before=sha256, after=now))
        return found


def _is_command(event: Event) -> bool:
    """Whether a call began that may change any file; others change none, or one that they name."""
    return isinstance(event.body, ToolStarted) and event.body.effect == Effect.COMMAND


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _digest(path: Path) -> str | None:
    try:
        return digest(path.read_bytes())
    except OSError:
        return None
