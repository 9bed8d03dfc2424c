"""Kept states of the files, read path by path: a lookup costs as much as the path is deep, not as the tree is wide."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Final

from core.workspace.base import Entry
from core.workspace.errors import WorkspaceError
from core.workspace.git import find_git
from core.workspace.objects import ObjectStore, parse_tree
from core.workspace.snapshots import FILES

_FOLDER: Final = 0o40000
_TIMEOUT_S: Final = 60


class Trees:
    """Blocking. Contents that the session borrowed from the user's repository are read from there."""

    def __init__(self, folder: Path, workspace: Path) -> None:
        self._store, self._workspace = ObjectStore(folder / FILES), workspace
        self._git = find_git(workspace)
        self._listed = lru_cache(maxsize=4_096)(self._list)

    def entry(self, tree: str, path: str) -> Entry | None:
        """The file at `path` in a tree. Raises WorkspaceError."""
        *folders, name = os.fsencode(path).split(b"/")
        at = tree
        for folder in folders:
            found = self._listed(at).get(folder)
            if found is None or found.mode != _FOLDER:
                return None
            at = found.oid
        found = self._listed(at).get(name)
        return found if found is not None and found.mode != _FOLDER else None

    def content(self, oid: str, kind: str = "blob") -> bytes:
        """A content by its id. Raises WorkspaceError when nobody has it any more."""
        try:
            return self._store.get(oid, kind)
        except WorkspaceError:
            if kind != "blob" or (borrowed := self._borrowed(oid)) is None:
                raise
            return borrowed

    def at(self, tree: str, path: str) -> bytes | None:
        """What a file held in a tree; None: it was not there. Raises WorkspaceError."""
        found = self.entry(tree, path)
        return None if found is None else self.content(found.oid)

    def differing(self, before: str, after: str) -> list[str]:
        """The paths that differ between two trees, sorted; folders that are the same are not looked into."""
        return sorted(self._differing(before, after, b""))

    def _differing(self, before: str | None, after: str | None, prefix: bytes) -> list[str]:
        if before == after:
            return []
        old = self._listed(before) if before else {}
        new = self._listed(after) if after else {}
        found: list[str] = []
        for name in old.keys() | new.keys():
            one, other = old.get(name), new.get(name)
            if one == other:
                continue
            folders = [entry.oid if entry and entry.mode == _FOLDER else None for entry in (one, other)]
            if any(folders):
                found += self._differing(folders[0], folders[1], prefix + name + b"/")
            if any(entry is not None and entry.mode != _FOLDER for entry in (one, other)):
                found.append(os.fsdecode(prefix + name))
        return found

    def _list(self, oid: str) -> dict[bytes, Entry]:
        return {name: Entry(mode, item) for mode, name, item in parse_tree(self._store.get(oid, "tree"))}

    def _borrowed(self, oid: str) -> bytes | None:
        """What lies packed in the session's own repository, or in the one that it borrows from."""
        own = self._store.folder
        if self._git is None or not own.is_dir():
            return None
        command = [self._git, "-c", "safe.directory=*", "--git-dir", str(own), "cat-file", "blob", oid]
        done = subprocess.run(command, cwd=own, capture_output=True, check=False, timeout=_TIMEOUT_S)
        return None if done.returncode else done.stdout
