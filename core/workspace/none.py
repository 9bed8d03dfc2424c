"""Where there are no files to keep: a session that ran elsewhere, of which only the log is here."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from core.workspace.base import FileFate, Restored, Snapshot
from core.workspace.errors import WorkspaceError

WHY = "this session ran elsewhere, and only its log is here"


class NoSnapshots:
    """Nothing is ever kept, compared or restored."""

    backend = "none"

    async def snapshot(self, label: str) -> Snapshot:
        return Snapshot(None, detail=WHY)

    async def left(self) -> str | None:
        return None

    async def diff(self, before: str, after: str) -> list[tuple[str, str]]:
        raise WorkspaceError(f"No files can be compared: {WHY}.")

    async def restore(self, target: str, keep: Collection[str] = ()) -> Restored:
        return Restored(None, detail=WHY)

    async def would_restore(self, target: str) -> list[FileFate]:
        raise WorkspaceError(f"No files can be restored: {WHY}.")

    async def by_hand(self, gaps: Iterable[tuple[str, str]], left: str | None) -> set[str]:
        return set()

    async def hold(self, tree: str) -> None:
        raise WorkspaceError(f"No files can be kept: {WHY}.")

    async def mixed(self, tree: str, other: str, paths: Collection[str]) -> str:
        raise WorkspaceError(f"No files can be restored: {WHY}.")

    async def holding(self, tree: str, path: str, content: bytes | None, mode: int) -> str:
        raise WorkspaceError(f"No files can be restored: {WHY}.")

    async def unified_diff(self, before: str, after: str, path: str) -> str:
        raise WorkspaceError(f"No files can be compared: {WHY}.")
