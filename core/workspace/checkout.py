"""The files of one moment in a folder of their own: a worktree of the user's repository, or a plain copy."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

from core.workspace.errors import WorkspaceError
from core.workspace.git import find_git
from core.workspace.snapshots import FILES, open_snapshots
from core.workspace.worktree import abandon, add_worktree

_OBJECTS: Final = "objects"


def copy_store(source: Path, folder: Path) -> None:
    """Have the snapshots of the session in `source` in `folder` too. Contents never change, so they are shared by link.

    Raises OSError.
    """
    if not (source / FILES).is_dir():
        return
    for place, folders, files in os.walk(source / FILES):
        target = folder / FILES / Path(place).relative_to(source / FILES)
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        within = Path(place).relative_to(source / FILES).parts
        folders.sort()
        if within == (_OBJECTS,):
            continue  # What lies there itself is still being written.
        for name in files:
            _take(Path(place, name), target / name, shared=within[:1] == (_OBJECTS,))


def _take(source: Path, target: Path, *, shared: bool) -> None:
    if shared:
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    shutil.copy2(source, target)


async def checkout(folder: Path, tree: str, original: Path, into: Path, *, plain: bool = False) -> str:
    """Make the new folder `into` hold the files of a snapshot kept in session `folder`; `worktree` or `copy`.

    The folder's name is the id of the session. It is a worktree of the repository in `original`, where there is one and
    nothing else is wanted (`plain`). Raises WorkspaceError; nothing is left behind then.
    """
    program = find_git(original)
    worktree = not plain and program is not None and (original / ".git").exists()
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise WorkspaceError(f"{into} exists already and is not empty; choose another folder with --into.")
    try:
        if worktree and program is not None:
            await add_worktree(original, into, folder.name)
        else:
            into.mkdir(parents=True, exist_ok=True)
            if original.is_dir():
                await open_snapshots(original, folder).hold(tree)
        restored = await open_snapshots(into, folder).restore(tree)
        if restored.before is None:
            raise WorkspaceError(restored.detail)
    except OSError as error:
        await abandon(original, into)
        raise WorkspaceError(f"{into} can't be made: {error.strerror}; choose another folder with --into.") from error
    except BaseException:  # Ctrl+C, too.
        await abandon(original, into)
        raise
    return "worktree" if worktree else "copy"
