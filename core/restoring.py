"""A restore seen before it is made: what would become of which file, and which of them were changed by hand."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.events import SessionOpened
from core.folds.file_states import Handwork
from core.journal.errors import JournalError
from core.journal.reader import Reader
from core.protocols import RestorePreview
from core.workspace.snapshots import Snapshots, open_snapshots


class Restoring:
    """Previews for one session. What was read of its files for one of them need not be read for the next."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._snapshots: Snapshots | None = None

    async def preview(self, tree: str, known: Handwork) -> RestorePreview:
        """What it would do to the files to make them as in `tree`. Raises JournalError, WorkspaceError."""
        if self._snapshots is None:
            self._snapshots = await asyncio.to_thread(self._open)
        fates = await self._snapshots.would_restore(tree)
        by_hand = await self._snapshots.by_hand(known.gaps, known.left)
        return RestorePreview(tuple(fates), frozenset(fate.path for fate in fates) & by_hand)

    def _open(self) -> Snapshots:
        with Reader(self._folder) as reader:
            first = reader.event(1)
        if first is None or not isinstance(first.body, SessionOpened):
            raise JournalError("The session was never opened, so it has no files.")
        return open_snapshots(Path(first.body.workspace), self._folder)
