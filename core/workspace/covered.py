"""Which files a snapshot covers: what git would not ignore, nested repositories included; or all but caches."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from core.workspace.errors import WorkspaceError
from core.workspace.git import Repository, git

MAX_UNTRACKED_BYTES: Final = 10 * 1024 * 1024
MAX_TRACKED_BYTES: Final = 100 * 1024 * 1024
MAX_UNTRACKED_FILES: Final = 2000
"""Files below one untracked folder of a repository."""
MAX_PLAIN_FILES: Final = 20_000
"""Files below one folder of a workspace that is no repository."""

CACHES: Final = frozenset(
    (".git", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".mypy_cache", ".ruff_cache", ".pytest_cache")
)


class Covered(Struct):
    """What is known of the paths of a workspace. `closed` folders need no look inside: ignored or too big."""

    paths: set[str] = field(default_factory=set)
    tracked: set[str] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)
    closed: dict[str, str] = field(default_factory=dict)
    """Folder -> why it is not covered; "" for an ignored one, of which nothing is said."""

    def limit(self, path: str) -> int:
        """The size in bytes up to which a file is kept."""
        return MAX_TRACKED_BYTES if path in self.tracked else MAX_UNTRACKED_BYTES

    def open(self, paths: Iterable[str]) -> Iterator[str]:
        """Those of the paths that lie in no closed folder."""
        if not self.closed:
            yield from paths
            return
        closed: dict[str, bool] = {"": False}
        for path in paths:
            folder = _folder(path)
            if folder not in closed:
                closed[folder] = folder in self.closed or any(above in self.closed for above in _parents(folder))
            if not closed[folder]:
                yield path


def walk(
    workspace: Path, closed: Collection[str], names: frozenset[str], enter: Callable[[str], None] = lambda folder: None
) -> dict[str, os.stat_result]:
    """Every file and link with its status, not entering folders that are `closed` or have one of the names.

    Each folder is given to `enter` before it is looked into.
    """
    found: dict[str, os.stat_result] = {}
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        enter(folder)
        try:
            entries = list(os.scandir(workspace / folder))
        except OSError:
            if not folder:
                raise
            continue
        for entry in entries:
            path = f"{folder}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in names and path not in closed:
                    waiting.append(f"{path}/")
            elif entry.name != ".git" and (status := _status(entry)) is not None:
                found[path] = status
    return found


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """The status of a plain file or a link; None for pipes, sockets, devices and what has just gone."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode) else None


async def list_by_git(
    program: str, workspace: Path, shadow: Path, repository: Repository | None, found: Collection[str]
) -> Covered:
    """Ask git. In a plain folder the rules come from its `.gitignore` files alone. Raises WorkspaceError.

    Of what was found it is known that it is no folder.
    """
    lister = _Lister(program, workspace, found)
    if repository is not None:
        await lister.add("")
    else:
        own = {"GIT_DIR": str(shadow), "GIT_WORK_TREE": str(workspace), "GIT_INDEX_FILE": str(shadow / "no-index")}
        await lister.add("", **own)
    limit = MAX_PLAIN_FILES if repository is None else MAX_UNTRACKED_FILES
    covered = lister.covered
    for folder, count in _crowded(covered.paths - covered.tracked, limit, _folders(covered.tracked)):
        covered.closed[folder] = f"{count:,} files"
    return covered


class _Lister:
    """Gathers the paths of a workspace and, one by one, of the repositories in it."""

    def __init__(self, program: str, workspace: Path, found: Collection[str]) -> None:
        self._program, self._workspace, self._found = program, workspace, found
        self.covered = Covered()

    async def add(self, prefix: str, **variables: str) -> None:
        folder = self._workspace / prefix
        nested: set[str] = set()
        for options, known in ((["-c"], self.covered.tracked), (["-o", "--exclude-standard"], self.covered.paths)):
            out = await git(self._program, folder, "ls-files", "-z", *options, given=b"", **variables)
            for name in filter(None, out.split(b"\0")):
                path = prefix + os.fsdecode(name)
                if path not in self._found and _is_folder(self._workspace / path):
                    nested.add(path.rstrip("/") + "/")
                else:
                    known.add(path)
        self.covered.paths |= self.covered.tracked
        for path in sorted(nested - {prefix}):
            await self._add_nested(path)

    async def _add_nested(self, path: str) -> None:
        try:
            await self.add(path)
        except WorkspaceError as error:
            self.covered.closed[path.rstrip("/")] = str(error).rstrip(".")


def perhaps_ignored(found: Collection[str], covered: Covered, before: Covered | None) -> set[str]:
    """Topmost folders that hold found but no covered files, and those that were ignored before."""
    inhabited = _folders(covered.open(covered.paths))
    known = {folder for folder, why in before.closed.items() if not why} if before else set()
    strange = {_folder(path) for path in found if path not in covered.paths}
    return (known - inhabited) | {top for folder in strange if (top := _topmost(folder, inhabited))}


async def ignored_folders(
    program: str, workspace: Path, shadow: Path, repository: Repository | None, folders: Collection[str]
) -> set[str]:
    """Those of the folders that are ignored as such: no need to look in again."""
    if not folders:
        return set()
    variables: dict[str, str] = {} if repository else {"GIT_DIR": str(shadow), "GIT_WORK_TREE": str(workspace)}
    given = b"".join(os.fsencode(path) + b"/\0" for path in sorted(folders))
    try:
        out = await git(program, workspace, "check-ignore", "--no-index", "-z", "--stdin", given=given, **variables)
    except WorkspaceError:
        return set()  # None is ignored, or git can't tell: look in every time.
    return {os.fsdecode(name).rstrip("/") for name in out.split(b"\0") if name}


def list_by_walk(workspace: Path) -> Covered:
    """Without git: every file but those in caches."""
    covered = Covered(paths=set(walk(workspace, (), CACHES)))
    for folder, count in _crowded(covered.paths, MAX_PLAIN_FILES, set()):
        covered.closed[folder] = f"{count:,} files"
    return covered


def _crowded(paths: Iterable[str], limit: int, inhabited: set[str]) -> Iterator[tuple[str, int]]:
    """The deepest folders with at least `limit` of the paths below them, unless tracked files live there."""
    counts: Counter[str] = Counter()
    for folder, held in Counter(map(_folder, paths)).items():
        counts.update(dict.fromkeys(_with_parents(folder), held))
    crowded = {folder for folder, count in counts.items() if count >= limit and folder not in inhabited}
    above = {parent for folder in crowded for parent in _parents(folder)}
    return ((folder, counts[folder]) for folder in sorted(crowded - above))


def _folders(paths: Iterable[str]) -> set[str]:
    """Every folder that holds one of the paths, however deep."""
    return {above for folder in set(map(_folder, paths)) for above in _with_parents(folder)}


def _folder(path: str) -> str:
    """The folder that a path is in; "" for the topmost."""
    return path.rpartition("/")[0]


def _with_parents(folder: str) -> Iterator[str]:
    if folder:
        yield folder
        yield from _parents(folder)


def _parents(path: str) -> Iterator[str]:
    """The folders above a path, the nearest first."""
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


def _topmost(folder: str, inhabited: set[str]) -> str | None:
    empty = [above for above in _with_parents(folder) if above not in inhabited]
    return empty[-1] if empty else None


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False
