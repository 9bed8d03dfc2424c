"""What the user's repository holds need be neither read nor copied for a snapshot: its index knows the contents.

Only files that git itself finds unchanged count, of which no filter makes something else, and whose content is as long
as the file. What is lent is packed into the session's own repository soon after, so that nothing hangs on the user's.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from pathlib import Path
from typing import Final

from core.workspace.errors import WorkspaceError
from core.workspace.git import git, git_unfiltered

_LOOK: Final = ("-c", "core.checkStat=default", "-c", "core.trustctime=true")
_DIFFERING: Final = ("diff-files", "--ignore-submodules=all", "--relative", "--name-only", "-z")
_FILTERS: Final = ("filter", "ident", "working-tree-encoding")
_AT_ONCE: Final = 500
_FLAGGED: Final = 2
"""Bytes of the tag before a row of `ls-files -v`."""


class Lender:
    """Asks git in a workspace, and in the session's own repository `own`, which borrows from the user's."""

    def __init__(self, program: str, workspace: Path, own: Path) -> None:
        self._program, self._workspace, self._own = program, workspace, own

    async def unchanged(self) -> dict[str, str]:
        """Content ids of the tracked files that are as the index has them, unfiltered. Raises WorkspaceError."""
        listed = await self._ask("ls-files", "-v", "-s", "-z")
        looked = await git_unfiltered(self._program, self._workspace, *_LOOK, *_DIFFERING)
        changed = set(looked.split(b"\0"))
        found: dict[str, str] = {}
        for row in filter(None, listed.split(b"\0")):
            facts, _, path = row[_FLAGGED:].partition(b"\t")
            mode, oid, stage = facts.split(b" ")
            if row[:1] == b"H" and stage == b"0" and mode != b"160000" and path not in changed:
                found[os.fsdecode(path)] = oid.decode()
        filtered = await self._filtered(found)
        return {path: oid for path, oid in found.items() if path not in filtered}

    async def sizes(self, oids: Iterable[str]) -> dict[str, int]:
        """How long these contents are, of those that are there. Raises WorkspaceError."""
        given = "".join(f"{oid}\n" for oid in oids).encode()
        rows = (
            line.split()
            for line in (await self._own_git("cat-file", "--batch-check", "--buffer", given=given)).splitlines()
        )
        return {row[0].decode(): int(row[2]) for row in rows if len(row) == 3 and row[1] == b"blob"}

    async def pack(self, oids: Collection[str]) -> None:
        """Have these contents in the session's own repository, in one file. Raises WorkspaceError."""
        given = "".join(f"{oid}\n" for oid in sorted(oids)).encode()
        target = str(self._own / "objects" / "pack" / "pack")
        await self._own_git(
            "-c", "pack.threads=1", "-c", "pack.compression=1", "pack-objects", "-q", "--window=0", target, given=given
        )

    async def contents(self, oids: Sequence[str]) -> AsyncIterator[bytes]:
        """The contents that are lent or packed; those that are gone are left out. Raises WorkspaceError."""
        for start in range(0, len(oids), _AT_ONCE):
            given = "".join(f"{oid}\n" for oid in oids[start : start + _AT_ONCE]).encode()
            out = await self._own_git("cat-file", "--batch", given=given)
            at = 0
            while at < len(out):
                end = out.index(b"\n", at)
                head = out[at:end].split()
                at = end + 1
                if len(head) == 3 and head[1] == b"blob":
                    yield out[at : at + int(head[2])]
                    at += int(head[2]) + 1

    async def _filtered(self, paths: Iterable[str]) -> set[str]:
        """Those of the paths whose content may not be what is in the file."""
        given = b"".join(os.fsencode(path) + b"\0" for path in paths)
        fields = (await self._ask("check-attr", "-z", "--stdin", *_FILTERS, given=given)).split(b"\0")
        rows = zip(fields[0::3], fields[2::3], strict=False)
        return {os.fsdecode(path) for path, value in rows if value not in (b"unspecified", b"unset")}

    async def _ask(self, *arguments: str, given: bytes = b"") -> bytes:
        return await git(self._program, self._workspace, *arguments, given=given)

    async def _own_git(self, *arguments: str, given: bytes) -> bytes:
        if not self._own.is_dir():
            raise WorkspaceError("The session keeps no files yet.")
        return await git(self._program, self._own, "--git-dir", str(self._own), *arguments, given=given)
