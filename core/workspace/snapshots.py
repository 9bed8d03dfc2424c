"""Snapshots of the workspace: taken before anything may change it, so that any of them can be returned to.

A snapshot names a *tree*. Where git is there it is a git tree in a shadow repository of the session; elsewhere a
manifest of copies. A restore touches only paths that differ, after a snapshot of what is there now.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.workspace.errors import WorkspaceError

LARGEST_UNTRACKED = 10 * 1024 * 1024
"""Bytes of an untracked file beyond which snapshots leave it out, and say so."""
MOST_UNTRACKED = 2000
"""Untracked files in one directory beyond which snapshots leave the directory out, and say so."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`tree` None: it could not be taken, and `detail` says why. `changed`: paths that differ from the one before."""

    tree: str | None
    changed: int = 0
    skipped: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """`before`: the tree that brings back what was there; None: nothing was touched, and `detail` says why.

    `files`: (status, path) of what was changed on disk: A came back, M was rewritten, D was removed, T changed type.
    """

    before: str | None
    files: tuple[tuple[str, str], ...] = ()
    detail: str = ""


class Snapshots(Protocol):
    """Takes and restores snapshots of one workspace."""

    @property
    def backend(self) -> str:
        """`git` or `copies`."""
        ...

    async def snapshot(self, label: str = "") -> Snapshot:
        """The files as they are now. Never raises: a failure is in the answer."""
        ...

    async def diff(self, before: str, after: str) -> list[tuple[str, str]]:
        """(status, path) of what differs between two trees. Raises WorkspaceError."""
        ...

    async def restore(self, tree: str) -> Restored:
        """Bring back a tree. Never raises: a failure before anything was touched is in the answer."""
        ...


class OneAtATime:
    """Serialises what must not overlap: snapshots of one tree."""

    def __init__(self, inner: Snapshots) -> None:
        self._inner = inner
        self._lock = asyncio.Lock()

    @property
    def backend(self) -> str:
        return self._inner.backend

    async def snapshot(self, label: str = "") -> Snapshot:
        async with self._lock:
            return await self._inner.snapshot(label)

    async def diff(self, before: str, after: str) -> list[tuple[str, str]]:
        async with self._lock:
            return await self._inner.diff(before, after)

    async def restore(self, tree: str) -> Restored:
        async with self._lock:
            return await asyncio.shield(self._inner.restore(tree))


def check_workspace(path: Path) -> Path:
    """The workspace with symbolic links resolved. Raises WorkspaceError for what can't or shouldn't be one."""
    try:
        place = path.expanduser().resolve(strict=True)
    except FileNotFoundError:
        raise WorkspaceError(
            f"The workspace {path} is not there; make the folder first, or name another one."
        ) from None
    except (OSError, RuntimeError) as error:
        raise WorkspaceError(f"The workspace {path} can't be opened: {error}.") from None
    if not place.is_dir():
        raise WorkspaceError(f"The workspace {path} is not a folder.")
    if place == Path(place.anchor):
        raise WorkspaceError("The workspace can't be the root of the file system; name the project's own folder.")
    if place == Path.home().resolve():
        raise WorkspaceError("The workspace can't be your home folder; name the project's own folder in it.")
    return place


def open_snapshots(workspace: Path, folder: Path) -> Snapshots:
    """The snapshots of a workspace, kept in the session's folder: by git where it is there, else as copies."""
    from core.workspace.copies import CopyStore
    from core.workspace.shadow_git import ShadowGit

    git = shutil.which("git")
    inner: Snapshots = (
        ShadowGit(workspace, folder / "files.git", git) if git else CopyStore(workspace, folder / "files")
    )
    return OneAtATime(inner)
