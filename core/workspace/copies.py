"""Snapshots of the workspace, taken before each call that may change it, and restoring them.

A look at the tree (names and status of files) comes first, so an unchanged tree costs no process and no reading. What
changed is read, kept byte for byte in the session's own repository, and a restore touches only paths that differ.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from core.clock import SystemClock
from core.workspace.base import (
    Entries,
    Entry,
    FileFate,
    Restored,
    Snapshot,
    check_workspace,
    compare,
)
from core.workspace.covered import CACHES, Covered, list_by_walk, walk
from core.workspace.errors import WorkspaceError
from core.workspace.objects import LINK, ObjectStore, hash_file, hash_of, mode_of
from core.workspace.restore import Restorer
from core.workspace.textdiff import LARGEST_TEXT, counted, unified
from core.workspace.treewatch import TreeWatch

FILES: Final = "files.git"
_OID = re.compile(r"[0-9a-f]{40}")
_TICK_US: Final = 20_000
"""The clock that stamps files stands still for some milliseconds: a change within them leaves no other trace."""
_TOLD: Final = 5
COUNTED: Final = 200
"""Files whose lines are counted for a preview."""

Status = dict[str, os.stat_result]


class _Key(NamedTuple):
    """What changes when a file does."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int
    mode: int


class Seen(NamedTuple):
    """What was known of the files: a file whose key is still the same need not be read again."""

    entries: Entries | None
    keys: dict[str, _Key | None]


class _Look(NamedTuple):
    """One look at the tree: the entries that are known, what must be read, and what is not covered and why."""

    entries: Entries
    keys: dict[str, _Key | None]
    unread: Status
    skipped: dict[str, str]


class CopyStore:
    """Snapshots without git: every file but caches, whatever an ignore file says."""

    backend = "copies"

    def __init__(self, workspace: Path, folder: Path, watch: TreeWatch) -> None:
        self.workspace = check_workspace(workspace)
        self._watch = watch
        self._store = ObjectStore(folder / FILES)
        self._hidden = _inside(folder.resolve(), self.workspace)
        self._names = CACHES
        self._covered: Covered | None = None
        self._rules: dict[str, _Key] = {}
        self._entries: Entries | None = None
        self._counted: Entries | None = None
        self._seen = Seen(None, {})
        self._keys: dict[str, _Key | None] = {}
        self._tree = ""
        self._latest: _Look | None = None
        """What the last snapshot found: it still holds for as long as the watch proves that nothing was changed."""
        self._order = asyncio.Lock()

    async def snapshot(self, label: str = "") -> Snapshot:
        """The files as they are now. Never raises: what goes wrong is in the result."""
        async with self._order:
            return await self._snapshot(label)

    async def left(self) -> str | None:
        """The tree of the files as a call just left them; None where it can't be made."""
        async with self._order:
            counted = self._counted
            shot = await self._snapshot("after a call")
            self._counted = counted
            return shot.tree

    async def diff(self, before: str, after: str) -> list[tuple[str, str]]:
        """(status, path) of what differs between two trees, sorted by path. Raises WorkspaceError."""
        return compare(await self._read_tree(before), await self._read_tree(after))

    async def restore(self, target: str, keep: Collection[str] = ()) -> Restored:
        """Make the files as in `target`, except paths in `keep`; secured first, so it can be undone.

        Once begun it is carried out, even when the caller is cancelled.
        """
        return await asyncio.shield(self._restore(target, frozenset(keep)))

    async def hold(self, tree: str) -> None:
        """Have every content of a snapshot in the session's own store. Raises WorkspaceError when one is gone."""
        async with self._order:
            await self._fetch({entry.oid for entry in (await self._read_tree(tree)).values()})

    async def mixed(self, tree: str, other: str, paths: Collection[str]) -> str:
        """The snapshot that is `tree`, but with these paths as in `other`. Raises WorkspaceError."""
        there = await self._read_tree(other)
        return await self._replaced(tree, {path: there.get(path) for path in paths})

    async def holding(self, tree: str, path: str, content: bytes | None, mode: int) -> str:
        """The snapshot that is `tree`, but with this content at `path`; None: with nothing. Raises WorkspaceError."""
        entry = None if content is None else Entry(mode, await asyncio.to_thread(self._store.put, "blob", content))
        return await self._replaced(tree, {path: entry})

    async def _replaced(self, tree: str, files: Mapping[str, Entry | None]) -> str:
        entries = {**await self._read_tree(tree), **files}
        whole = {path: entry for path, entry in entries.items() if entry is not None}
        return await asyncio.to_thread(self._store.write_tree, whole)

    async def unified_diff(self, before: str, after: str, path: str) -> str:
        """How one file differs between two trees, as text for the screen. Raises WorkspaceError."""
        sides = []
        for tree in (before, after):
            entry = (await self._read_tree(tree)).get(path)
            if entry is not None:
                await self._fetch([entry.oid])
            sides.append(self._store.get(entry.oid) if entry else None)
        return await asyncio.to_thread(unified, path, *sides)

    async def would_restore(self, target: str) -> list[FileFate]:
        """What `restore` would do now, with nothing done or kept. Raises WorkspaceError."""
        async with self._order:
            wanted, now = await self._read_tree(target), await self._now()
        changes = compare(now, wanted)
        await self._fetch({wanted[path].oid for _status, path in changes[:COUNTED] if path in wanted})
        return await asyncio.to_thread(self._fates, changes, wanted)

    async def by_hand(self, gaps: Iterable[tuple[str, str]], left: str | None) -> set[str]:
        """Paths that differ between the two trees of a gap, or are not now as they were `left`."""
        found = {path for before, after in gaps for _status, path in await self.diff(before, after)}
        if left is None:
            return found
        async with self._order:
            changes = compare(await self._read_tree(left), await self._now())
        return found | {path for _status, path in changes}

    async def _now(self) -> Entries:
        """The files as they are, read and not kept. Raises WorkspaceError."""
        try:
            known = self._seen if self._entries is None else Seen(self._entries, self._keys)
            look = await self._look(known)
            fresh, _unreadable = await asyncio.to_thread(self._read, look.unread, hash_file, hash_of)
        except OSError as error:
            raise WorkspaceError(f"The files can't be read: {error}") from error
        look.entries.update(fresh)
        self._seen = Seen(look.entries, look.keys)
        return look.entries

    def _fates(self, changes: list[tuple[str, str]], wanted: Entries) -> list[FileFate]:
        fates = [FileFate(*change, *self._lines(change[1], wanted)) for change in changes[:COUNTED]]
        return fates + [FileFate(*change) for change in changes[COUNTED:]]

    def _lines(self, path: str, wanted: Entries) -> tuple[int, int] | tuple[None, None]:
        """Lines that would come and go."""
        entry, place = wanted.get(path), self.workspace / path
        try:
            if place.is_symlink() or (place.exists() and place.stat().st_size > LARGEST_TEXT):
                return None, None
            return counted(
                place.read_bytes() if place.exists() else None, self._store.get(entry.oid) if entry else None
            )
        except (OSError, WorkspaceError):
            return None, None

    # What differs with git at hand.

    async def _list(self, status: Status) -> Covered:
        return await asyncio.to_thread(list_by_walk, self.workspace)

    async def _keep(self, files: Status) -> tuple[Entries, dict[str, str]]:
        """Read and keep files: their entries, and those that can't be read."""
        return await asyncio.to_thread(self._read, files, self._store.put_file, self._store.put)

    async def _fetch(self, oids: Iterable[str]) -> None:
        """Have these contents in our own store. Raises WorkspaceError when one is gone."""
        if missing := [oid for oid in oids if not self._store.has(oid)]:
            raise WorkspaceError(f"The contents of {len(missing)} files of that snapshot are missing.")

    # One snapshot.

    async def _snapshot(self, label: str, *, afresh: bool = False) -> Snapshot:
        try:
            look = None if afresh else await self._unchanged()
            if look is None:
                look = await self._secured_look()
            known, counted = self._entries, self._counted
            changed = len(compare(counted, look.entries)) if counted is not None else 0
            if not self._tree or (changed if known is counted else look.entries != known):
                tree = await asyncio.to_thread(self._store.write_tree, look.entries)
                await asyncio.to_thread(self._store.record, tree, label, SystemClock().now_us() // 1_000_000)
                self._tree = tree
        except (OSError, WorkspaceError) as error:
            return Snapshot(None, detail=f"The files could not be secured: {error}")
        self._entries = self._counted = look.entries
        self._keys = look.keys
        self._latest = look
        return Snapshot(self._tree, changed, tuple(sorted(look.skipped)), _told(look.skipped))

    async def _unchanged(self) -> _Look | None:
        """What the last snapshot found, where it is proved that this is how the files still are."""
        if self._latest is None or not await asyncio.to_thread(self._watch.quiet):
            return None
        return self._latest

    async def _secured_look(self) -> _Look:
        """A look at the files after which each of them is kept."""
        look = await self._look(Seen(self._entries, self._keys))
        fresh, unreadable = await self._keep(look.unread) if look.unread else ({}, {})
        look.entries.update(fresh)
        return look._replace(unread={}, skipped=look.skipped | unreadable)

    async def _look(self, before: Seen) -> _Look:
        self._latest = None
        await asyncio.to_thread(self._store.prepare)
        start_us = SystemClock().now_us()
        status = await asyncio.to_thread(self._walk, self._covered)
        rules = {path: _key(found) for path, found in status.items() if path.endswith(".gitignore")}
        known = self._covered
        if known is None or rules != self._rules or status.keys() - known.paths - known.ignored:
            self._covered = await self._list(status)
            self._rules = rules
            status = await asyncio.to_thread(self._within, status, known, self._covered)
        assert self._covered is not None
        return self._judge(status, self._covered, start_us, before)

    def _walk(self, known: Covered | None) -> Status:
        """The files as they are, but those in folders that need no look. What is known to be of interest is watched."""
        if known is None:
            return walk(self.workspace, self._hidden, self._names)
        self._watch.begin()
        return walk(self.workspace, known.closed.keys() | self._hidden, self._names, self._watch.add)

    def _within(self, status: Status, before: Covered | None, covered: Covered) -> Status:
        """What was found, now that other files are of interest: folders that were closed are looked into after all."""
        self._watch.doubt()
        if before is not None and before.closed.keys() - covered.closed.keys():
            status = walk(self.workspace, covered.closed.keys() | self._hidden, self._names)
        covered.ignored = status.keys() - covered.paths
        return {path: status[path] for path in covered.open(status)}

    def _judge(self, status: Status, covered: Covered, start_us: int, before: Seen) -> _Look:
        look = _Look({}, {}, {}, {f"{folder}/": why for folder, why in covered.closed.items() if why})
        known, keys, settled_us = before.entries or {}, before.keys, start_us - _TICK_US
        for path, found in status.items():
            if path not in covered.paths:
                continue
            if found.st_size > covered.limit(path):
                look.skipped[path] = f"{found.st_size / 1_000_000:.0f} MB"
                continue
            if found.st_nlink > 1:
                self._watch.doubt()
            key = _key(found)
            if keys.get(path) == key and path in known:
                look.entries[path] = known[path]
            else:
                look.unread[path] = found
            look.keys[path] = key if key.changed_ns // 1000 < settled_us else None
        return look

    def _read(
        self, paths: Iterable[str], keep: Callable[[Path], str], keep_data: Callable[[str, bytes], str]
    ) -> tuple[Entries, dict[str, str]]:
        entries: Entries = {}
        unreadable: dict[str, str] = {}
        for path in paths:
            place = self.workspace / path
            try:
                mode = mode_of(place.lstat())
                oid = keep_data("blob", os.fsencode(place.readlink())) if mode == LINK else keep(place)
                entries[path] = Entry(mode, oid)
            except FileNotFoundError:
                continue
            except PermissionError:
                unreadable[path] = "can't be read"
        return entries, unreadable

    # One restore.

    async def _restore(self, target: str, keep: frozenset[str]) -> Restored:
        async with self._order:
            try:
                wanted = await self._read_tree(target)
                safety = await self._snapshot("before a restore", afresh=True)
                if safety.tree is None or self._entries is None:
                    return Restored(None, detail=safety.detail)
                changes = compare(self._entries, wanted)
                await self._fetch({wanted[path].oid for status, path in changes if status != "D" and path not in keep})
            except WorkspaceError as error:
                return Restored(None, detail=f"Nothing was restored: {error}")
            restorer = Restorer(self.workspace, self._store, self._secured)
            await asyncio.to_thread(restorer.apply, changes, wanted, keep)
        left = [path for path in restorer.kept if path not in keep]
        detail = f"Left as they are, being in the way or changed meanwhile: {_some(left)}." if left else ""
        return Restored(safety.tree, tuple(restorer.applied), tuple(restorer.kept), detail)

    def _secured(self, path: str) -> bool:
        try:
            seen = self._keys.get(path)
            return seen is None or seen == _key((self.workspace / path).lstat())
        except OSError:
            return False

    async def _read_tree(self, tree: str) -> Entries:
        if not _OID.fullmatch(tree):
            raise WorkspaceError(f"{tree!r} is not a snapshot of this session.")
        if tree == self._tree and self._entries is not None:
            return self._entries
        return await asyncio.to_thread(self._store.read_tree, tree)


def _key(status: os.stat_result) -> _Key:
    return _Key(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_mode)


def _inside(folder: Path, workspace: Path) -> set[str]:
    """The session's own folder, when it lies in the workspace: a snapshot must not hold itself."""
    return {str(folder.relative_to(workspace))} if folder.is_relative_to(workspace) else set()


def _told(skipped: dict[str, str]) -> str:
    if not skipped:
        return ""
    return f"Not covered: {_some([f'{path} ({why})' for path, why in sorted(skipped.items())])}."


def _some(items: list[str]) -> str:
    more = len(items) - _TOLD
    return ", ".join(items[:_TOLD]) + (f" and {more} more" if more > 0 else "")
