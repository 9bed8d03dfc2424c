"""What a snapshot is, what a restore came to, and which folders are refused as a workspace."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec import Struct

from core.events import clean_text
from core.workspace.errors import WorkspaceError


class Entry(NamedTuple):
    """A file of a tree: mode as git writes it (0o100644, 0o100755, 0o120000 for a link) and the id of its content."""

    mode: int
    oid: str


Entries = dict[str, Entry]
"""Workspace-relative paths with `/`, undecodable bytes as surrogates, in no particular order."""


class Snapshot(Struct, frozen=True):
    """The files at one moment.

    `tree` is None when it could not be made; `detail` then says why, and there is nothing to restore. `changed` counts
    paths that differ from the snapshot before; `skipped` are paths it does not cover (`detail` says why).
    """

    tree: str | None
    changed: int = 0
    skipped: tuple[str, ...] = ()
    detail: str = ""


class Restored(Struct, frozen=True):
    """What a restore did.

    `before` is the safety snapshot that undoes it; None: nothing was touched, and `detail` says why. `files` are
    (status, path) pairs as applied: A came back, M changed, T changed its type, D went. `kept` are paths that were left
    as they are: wanted so, in the way, or not secured by the safety snapshot.
    """

    before: str | None
    files: tuple[tuple[str, str], ...] = ()
    kept: tuple[str, ...] = ()
    detail: str = ""


class FileFate(NamedTuple):
    """What a restore would do to one file: A comes back, M and T change back, D goes, being newer.

    `added` and `removed` count lines as they would come and go; None for what is binary or very big.
    """

    status: str
    path: str
    added: int | None = None
    removed: int | None = None


class Snapshots(Protocol):
    """Snapshots of one workspace, kept in the session's folder."""

    @property
    def backend(self) -> str:
        """How files are found: `git` (ignore rules honoured) or `copies`."""
        ...

    async def snapshot(self, label: str) -> Snapshot:
        """The files as they are now. Never raises: what goes wrong is in the result."""
        ...

    async def left(self) -> str | None:
        """The tree of the files as a call just left them; None where it can't be made.

        It is kept like any other, but the next snapshot counts its changes from the one before, not from this.
        """
        ...

    async def diff(self, before: str, after: str) -> list[tuple[str, str]]:
        """(status, path) of what differs between two trees, sorted by path. Raises WorkspaceError."""
        ...

    async def restore(self, target: str, keep: Collection[str] = ()) -> Restored:
        """Make the files as in `target`, except paths in `keep`; secured first, so it can be undone."""
        ...

    async def would_restore(self, target: str) -> list[FileFate]:
        """What `restore` would do now, sorted by path, with nothing done or kept. Raises WorkspaceError."""
        ...

    async def by_hand(self, gaps: Iterable[tuple[str, str]], left: str | None) -> set[str]:
        """Paths that differ between the two trees of a gap, or are not now as they were `left`: no call did that.

        Raises WorkspaceError.
        """
        ...

    async def hold(self, tree: str) -> None:
        """Have every content of a snapshot in the session's own store. Raises WorkspaceError when one is gone."""
        ...

    async def mixed(self, tree: str, other: str, paths: Collection[str]) -> str:
        """The snapshot that is `tree`, but with these paths as in `other`. Raises WorkspaceError."""
        ...

    async def holding(self, tree: str, path: str, content: bytes | None, mode: int) -> str:
        """The snapshot that is `tree`, but with this content at `path`; None: with nothing. Raises WorkspaceError."""
        ...

    async def unified_diff(self, before: str, after: str, path: str) -> str:
        """How one file differs between two trees, as text for the screen. Raises WorkspaceError."""
        ...


def check_workspace(path: Path) -> Path:
    """The workspace with links resolved. Refuses a folder that is missing, or so wide that mistakes are disasters."""
    try:
        path = path.expanduser()
        there = path.exists()
    except (OSError, RuntimeError):  # No file system takes such a name, or it names the home of nobody.
        there = False
    if not there:
        raise WorkspaceError(
            f"The workspace {path} does not exist; create it, or begin a session in another one with `run --workspace`."
        )
    if not path.is_dir():
        raise WorkspaceError(f"The workspace {path} is not a folder.")
    place = path.resolve()
    home = Path.home().resolve()
    if place == Path(place.anchor):
        raise WorkspaceError("The whole file system can't be a workspace; choose the folder of a project.")
    if place == home or place in home.parents:
        raise WorkspaceError(f"{place} holds your whole home folder and can't be a workspace; choose a project in it.")
    if not os.access(place, os.R_OK | os.X_OK):
        raise WorkspaceError(f"The workspace {path} can't be read.")
    if clean_text(str(place)) != str(place):
        raise WorkspaceError(f"The path of the workspace {place} is no UTF-8, which no log can hold; rename it.")
    return place


def compare(before: Entries, after: Entries) -> list[tuple[str, str]]:
    """(status, path) of what differs, sorted by path: A, D, M, or T where a file and a link change places."""
    found: list[tuple[str, str]] = []
    if before is after:
        return found
    for path in before.keys() | after.keys():
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        if old is None or new is None:
            found.append(("A" if old is None else "D", path))
        else:
            found.append(("M" if old.mode >> 12 == new.mode >> 12 else "T", path))
    return sorted(found, key=lambda item: item[1])
