"""Worktrees of the user's repository in which a session works, so that the checkout stays free.

Which session made one stands in the worktree's own git folder, where neither the agent's files nor a foreign log can
say it: only what is marked so is ever removed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.workspace.errors import WorkspaceError
from core.workspace.git import FROM_REMOTES, find_git, git, git_unfiltered

_MARK: Final = "longwatch-session"
_LONGEST: Final = 200
_MODULE: Final = b"160000 "
"""How a submodule begins in what git lists of its index."""


@dataclass(frozen=True, slots=True)
class Worktree:
    """`top` is its folder, `workspace` where the session works in it; `unsaved` counts files that no commit holds."""

    top: Path
    workspace: Path
    unsaved: int = 0


async def add_worktree(original: Path, into: Path, session: str) -> Worktree:
    """Make `into` a worktree at HEAD of the repository around `original`, marked as the session's.

    The workspace in it is where `original` is in its own. Raises WorkspaceError.
    """
    program = find_git(original)
    if program is None:
        raise WorkspaceError("There is no git here, so there can be no worktree; leave --worktree out.")
    try:
        prefix = await _line(program, original, "rev-parse", "--show-prefix")
        await git(program, original, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except WorkspaceError as error:
        raise WorkspaceError(
            f"{original} is in no git repository with a commit, so it can have no worktree; leave --worktree out."
        ) from error
    add = ("worktree", "add", "--quiet", "--detach", str(into), "HEAD")
    fresh = not into.exists()
    try:
        await git(program, original, *add, given=b"", **FROM_REMOTES)
    except asyncio.CancelledError:  # It was ended in the middle, and has not cleared away after itself.
        if fresh:
            await abandon(original, into)
        raise
    place = into / prefix
    try:
        place.mkdir(parents=True, exist_ok=True)
        (await _folder(program, into) / _MARK).write_text(f"{session}\n")
    except OSError as error:
        await remove_worktree(original, into)
        raise WorkspaceError(f"The worktree {into} can't be made: {error.strerror}.") from error
    return Worktree(into, place)


async def abandon(original: Path, into: Path) -> None:
    """Take a folder away that was made as a worktree of the repository in `original`, or as a copy of what is there."""
    program = find_git(original)
    shutil.rmtree(into, ignore_errors=True)
    if program is not None and (original / ".git").exists():
        with suppress(WorkspaceError):  # As git leaves one that it was making when it was ended.
            await git(program, original, "worktree", "unlock", str(into))
        with suppress(WorkspaceError):
            await git(program, original, "worktree", "prune")


async def unsaved_files(folder: Path) -> int:
    """How many files around `folder` differ from what is committed, or are not.

    Not those in submodules: git is not called in there, where it would obey what a command wrote.
    """
    program = find_git(folder)
    if program is None:
        return 0
    try:
        status = await git_unfiltered(program, folder, "status", "--porcelain", "-z", "--ignore-submodules=dirty")
    except WorkspaceError:
        return 0
    return status.count(b"\0")


async def _filled_modules(folder: Path) -> int:
    """How many submodules of a worktree hold something, of which git can't be asked what is committed."""
    program = find_git(folder)
    try:
        listed = await git(program, folder, "ls-files", "--stage", "-z") if program else b""
    except WorkspaceError:
        return 0
    rows = (row.partition(b"\t")[2] for row in listed.split(b"\0") if row.startswith(_MODULE))
    return sum(_is_filled(folder / os.fsdecode(name)) for name in rows)


def _is_filled(folder: Path) -> bool:
    try:
        return any(os.scandir(folder))
    except OSError:
        return False


def in_worktree(place: Path) -> bool:
    """Whether a folder may lie in a worktree: the nearest `.git` above it is a file. Asks no git."""
    near = (folder / ".git" for folder in (place, *place.parents))
    return next((mark.is_file() for mark in near if mark.exists()), False)


async def worktree_of(workspace: Path, session: str) -> Worktree | None:
    """The worktree that was made for this session, if its workspace lies in one."""
    program = find_git(workspace)
    if program is None or not workspace.is_dir():
        return None
    try:
        top = Path(await _line(program, workspace, "rev-parse", "--show-toplevel"))
        with (await _folder(program, workspace) / _MARK).open() as mark:
            marked = mark.read(_LONGEST).strip()
    except (OSError, WorkspaceError, UnicodeDecodeError):
        return None
    if marked != session or not (top / ".git").is_file():
        return None
    return Worktree(top, workspace, await unsaved_files(top) + await _filled_modules(top))


async def remove_worktree(within: Path, top: Path) -> None:
    """Remove a worktree with all that is in it; `within` is any folder of its repository. Raises WorkspaceError."""
    program = find_git(top)
    if program is None:
        raise WorkspaceError("There is no git here, so the worktree can't be removed.")
    common = Path(await _line(program, within, "rev-parse", "--git-common-dir"))
    await git(program, (within / common).resolve(), "worktree", "remove", "--force", str(top))


async def _folder(program: str, place: Path) -> Path:
    """The git folder of the worktree around `place`."""
    return (place / await _line(program, place, "rev-parse", "--git-dir")).resolve()


async def _line(program: str, folder: Path, *arguments: str) -> str:
    return os.fsdecode((await git(program, folder, *arguments)).removesuffix(b"\n"))
