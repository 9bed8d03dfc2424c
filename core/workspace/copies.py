"""Snapshots without git: a manifest a tree, and each content once, compressed, named by its hash."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import zlib
from pathlib import Path

import msgspec

from core.workspace.errors import WorkspaceError
from core.workspace.scan import IGNORED, Stamp, stamp, walk
from core.workspace.snapshots import LARGEST_UNTRACKED, MOST_UNTRACKED, Restored, Snapshot


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A file of a tree: permission bits, whether it is a symbolic link, the hash of its content (or of its target)."""

    mode: int
    link: bool
    content: str


Manifest = dict[str, Kept]


class CopyStore:
    """Implements `Snapshots` with files below `store`."""

    backend = "copies"

    def __init__(self, workspace: Path, store: Path) -> None:
        self._workspace = workspace
        self._store = store
        self._seen: dict[str, tuple[Stamp, Kept]] = {}
        self._last: tuple[str, Manifest] | None = None

    async def snapshot(self, label: str = "") -> Snapshot:
        try:
            return await asyncio.to_thread(self._take)
        except OSError as error:
            return Snapshot(None, detail=f"No snapshot of the files could be taken: {error.strerror}.")

    async def diff(self, before: str, after: str) -> list[tuple[str, str]]:
        return await asyncio.to_thread(lambda: _changes(self._manifest(before), self._manifest(after)))

    async def restore(self, tree: str) -> Restored:
        now = await self.snapshot("before a restore")
        if now.tree is None:
            return Restored(None, detail=now.detail)
        try:
            changes = await asyncio.to_thread(self._bring_back, now.tree, tree)
        except (OSError, WorkspaceError) as error:
            return Restored(None, detail=f"The files could not be restored: {error}")
        return Restored(now.tree, tuple(changes))

    def _take(self) -> Snapshot:
        manifest: Manifest = {}
        skipped: list[str] = []
        crowds: dict[str, int] = {}
        for path, status in walk(self._workspace, IGNORED):
            folder = path.rpartition("/")[0]
            crowds[folder] = crowds.get(folder, 0) + 1
            if status.st_size > LARGEST_UNTRACKED or (folder and crowds[folder] > MOST_UNTRACKED):
                skipped.append(path)
            elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                manifest[path] = self._keep(path, status)
        tree = self._write_manifest(manifest)
        changed = len(_changes(self._last[1], manifest)) if self._last else 0
        self._last = (tree, manifest)
        return Snapshot(tree, changed, tuple(skipped))

    def _keep(self, path: str, status: os.stat_result) -> Kept:
        known = self._seen.get(path)
        if known is not None and known[0] == stamp(status):
            return known[1]
        place, link = self._workspace / path, stat.S_ISLNK(status.st_mode)
        data = os.fsencode(place.readlink()) if link else place.read_bytes()
        kept = Kept(stat.S_IMODE(status.st_mode), link, self._write_content(data))
        self._seen[path] = (stamp(status), kept)
        return kept

    def _write_content(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        self._write(self._store / "contents" / name[:2] / name, zlib.compress(data, 1))
        return name

    def _write_manifest(self, manifest: Manifest) -> str:
        data = msgspec.json.encode(dict(sorted(manifest.items())))
        name = hashlib.sha256(data).hexdigest()
        self._write(self._store / "trees" / name, zlib.compress(data, 1))
        return name

    def _write(self, place: Path, data: bytes) -> None:
        if place.exists():
            return
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = place.with_suffix(".new")
        aside.write_bytes(data)
        aside.replace(place)

    def _manifest(self, tree: str) -> Manifest:
        try:
            data = zlib.decompress((self._store / "trees" / tree).read_bytes())
            return msgspec.json.decode(data, type=Manifest)
        except (OSError, zlib.error, msgspec.DecodeError) as error:
            raise WorkspaceError(f"The snapshot {tree[:12]} can't be read: {error}") from error

    def _bring_back(self, now: str, tree: str) -> list[tuple[str, str]]:
        target = self._manifest(tree)
        changes = _changes(self._manifest(now), target)
        contents = {path: self._content(target[path].content) for status, path in changes if status != "D"}
        for status, path in changes:
            if status in ("D", "T"):
                (self._workspace / path).unlink(missing_ok=True)
                self._prune((self._workspace / path).parent)
        for path, data in contents.items():
            self._put(self._workspace / path, target[path], data)
        return changes

    def _content(self, name: str) -> bytes:
        try:
            return zlib.decompress((self._store / "contents" / name[:2] / name).read_bytes())
        except (OSError, zlib.error) as error:
            raise WorkspaceError(f"A kept copy ({name[:12]}) can't be read: {error}") from error

    def _put(self, place: Path, kept: Kept, data: bytes) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        if kept.link or place.is_symlink():
            place.unlink(missing_ok=True)
        if kept.link:
            place.symlink_to(os.fsdecode(data))
        else:
            place.write_bytes(data)
            place.chmod(kept.mode)

    def _prune(self, folder: Path) -> None:
        while folder != self._workspace:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def _changes(before: Manifest, after: Manifest) -> list[tuple[str, str]]:
    changes = [("D", path) for path in before.keys() - after.keys()]
    changes += [("A", path) for path in after.keys() - before.keys()]
    both = ((path, before[path], after[path]) for path in before.keys() & after.keys())
    changes += [("T" if old.link != new.link else "M", path) for path, old, new in both if old != new]
    return sorted(changes, key=lambda change: change[1])
