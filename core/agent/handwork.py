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


class SeenFiles(dict[str, str]):
    """Paths of the workspace with the hash that the model last saw of each, and in which order it saw them.

    `known`: what it had written by then, in whatever order.
    """

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        super().__init__(known or {})
        self.count = 0
        self.order: dict[str, int] = dict.fromkeys(self, 0)

    def __setitem__(self, name: str, sha256: str) -> None:
        self.count += 1
        self.order[name] = self.count
        super().__setitem__(name, sha256)


class Handwork:
    """Blames nobody for what a command, or a rewind, may have done: to files that were not seen again since."""

    def __init__(self, desk: Desk, workspace: Path, seen: SeenFiles) -> None:
        self._desk, self._workspace, self._seen = desk, workspace, seen
        self._known: dict[str, Known] = {}
        self._excused = -1
        """What was seen up to here may have been changed by a command since the last look; -1: nothing."""
        self._acts = 0
        self._looked_s = float("-inf")
        desk.journal.subscribe(self._observe)

    def _observe(self, events: list[Event]) -> None:
        for event in events:
            self._acts += isinstance(event.body, ToolStarted)
            if isinstance(event.body, HeadMoved) or _is_command(event):
                self._excused = self._seen.count

    async def look(self) -> None:
        """Journal what changed while no call was under way. Raises JournalError."""
        calls = self._desk.facts.state.pending.values()
        if monotonic() - self._looked_s < LOOK_EVERY_S or any(call.started for call in calls):
            return
        self._looked_s = monotonic()
        acts, excused, self._excused = self._acts, self._excused, -1
        seen = {name: self._seen[name] for name in islice(reversed([*self._seen]), MOST_FILES)}
        changed = await asyncio.to_thread(self._changed, seen)
        if self._acts != acts:  # A call began meanwhile: what was seen may be its doing.
            self._excused = max(self._excused, excused)
        elif theirs := [file for file in changed if self._seen.order[file.path] > excused]:
            await self._desk.append(Draft(WorkspaceChanged(files=theirs), actor="system"))

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
