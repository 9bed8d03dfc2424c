"""Snapshots beside git: what it ignores is left alone, and what the user's repository holds need not be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.workspace.base import Entries, Entry
from core.workspace.copies import CopyStore, Status
from core.workspace.covered import Covered, ignored_folders, list_by_git, perhaps_ignored
from core.workspace.errors import WorkspaceError
from core.workspace.git import Repository
from core.workspace.lending import Lender
from core.workspace.objects import hash_file, mode_of
from core.workspace.treewatch import TreeWatch

_BORROW_FROM_BYTES: Final = 64 * 1024 * 1024
"""Up to here a snapshot copies all it reads; beyond, what the user's repository holds stays there."""
_MANY: Final = 500
"""Files from which on it is worth asking git which of them need not be read."""


class ShadowGit(CopyStore):
    """Keeps a repository of its own for the session; of the user's it only ever reads."""

    backend = "git"

    def __init__(self, workspace: Path, folder: Path, watch: TreeWatch, program: str) -> None:
        super().__init__(workspace, folder, watch)
        self._program = program
        self._names = frozenset((".git",))
        self._repository: Repository | None = None
        self._lender = Lender(program, self.workspace, self._store.folder)
        self.packing: asyncio.Task[None] | None = None
        """What is lent is being packed: once that is done, nothing hangs on the user's repository any more."""

    async def _list(self, status: Status) -> Covered:
        self._repository = await Repository.around(self._program, self.workspace)
        asked = (self._program, self.workspace, self._store.folder, self._repository)
        covered = await list_by_git(*asked, status.keys())
        for folder in await ignored_folders(*asked, perhaps_ignored(status.keys(), covered, self._covered)):
            covered.closed.setdefault(folder, "")
        return covered

    async def _keep(self, files: Status) -> tuple[Entries, dict[str, str]]:
        lent = await self._lend(files) if self._repository is not None and len(files) >= _MANY else {}
        rest = {path: found for path, found in files.items() if path not in lent} if lent else files
        if self._repository is None or sum(found.st_size for found in rest.values()) < _BORROW_FROM_BYTES:
            entries, gone = await super()._keep(rest)
            return lent | entries, gone
        await asyncio.to_thread(self._store.borrow_from, self._repository.objects)
        entries, unreadable = await asyncio.to_thread(self._read, rest, hash_file, self._store.put)
        there = await self._repository.having({entry.oid for entry in entries.values()})
        copied, gone = await super()._keep({path: rest[path] for path, it in entries.items() if it.oid not in there})
        borrowed = {path: entry for path, entry in entries.items() if entry.oid in there}
        return lent | borrowed | copied, unreadable | gone

    async def _lend(self, files: Status) -> Entries:
        """Those of the files whose content the user's repository has as they are: not read, and packed meanwhile."""
        assert self._repository is not None
        try:
            await asyncio.to_thread(self._store.borrow_from, self._repository.objects)
            known = await self._lender.unchanged()
            sizes = await self._lender.sizes({known[path] for path in files.keys() & known.keys()})
        except WorkspaceError:
            return {}
        lent = {
            path: Entry(mode_of(found), known[path])
            for path, found in files.items()
            if path in known and sizes.get(known[path]) == found.st_size
        }
        oids = {entry.oid for entry in lent.values()}
        if oids and sum(sizes[oid] for oid in oids) < _BORROW_FROM_BYTES:
            self.packing = asyncio.create_task(self._pack(oids))
        return lent

    async def _pack(self, oids: set[str]) -> None:
        with suppress(WorkspaceError):  # They stay lent then.
            await self._lender.pack(oids)

    async def _fetch(self, oids: Iterable[str]) -> None:
        missing = [oid for oid in oids if not self._store.has(oid)]
        if missing:
            async for data in self._lender.contents(missing):
                await asyncio.to_thread(self._store.put, "blob", data)
        if gone := [oid for oid in missing if not self._store.has(oid)]:
            raise WorkspaceError(
                f"Content {gone[0][:12]} is gone from the workspace's own repository, where it was left to save space."
            )
