"""The git repository around a workspace: what commands must be able to write, and what in it runs programs later."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_RUNS_PROGRAMS: Final = ("hooks", "config", "config.worktree", "commondir", "gitdir")
_LARGEST_POINTER: Final = 4_096
_MOST_MODULES: Final = 200
_LARGEST_CONFIG: Final = 1 << 18
_SETTING: Final = re.compile(r"^[ \t]*(hookspath|path)[ \t]*=[ \t]*(.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
"""Settings that say where hooks are, and more configuration; or a program, which is nothing to be changed either."""


def repository_paths(workspace: Path) -> tuple[list[Path], list[Path]]:
    """Git's own folders of the repository that `workspace` is in, and what of them must stay as it is.

    A worktree's folder may lie elsewhere; hooks, configuration and pointers to other folders are what a command could
    plant something in that runs when the user calls git. Both are empty without a repository.
    """
    for folder in (workspace, *workspace.parents):
        entry = folder / ".git"
        if entry.is_dir():
            return [entry], [*_guarded(entry), *_named(folder, [entry])]
        if entry.is_file():
            folders = list(_worktree(entry))
            return folders, [entry, *(path for own in folders for path in _guarded(own)), *_named(folder, folders)]
    return [], []


def _named(top: Path, repositories: list[Path]) -> Iterator[Path]:
    """What the configuration of a repository names in its files: a folder of hooks, and more configuration."""
    for file in (folder / name for folder in repositories for name in ("config", "config.worktree")):
        with suppress(OSError):
            with file.open("rb") as stream:
                text = stream.read(_LARGEST_CONFIG).decode("utf-8", "surrogateescape")
            for name, value in _SETTING.findall(text):
                place = Path(value.strip('"')).expanduser()
                yield Path(os.path.normpath((top if name.lower() == "hookspath" else file.parent) / place))


def _worktree(pointer: Path) -> Iterator[Path]:
    """The folders that a `.git` file names: the worktree's own, and the one that it shares with others."""
    own = _pointed(pointer, "gitdir:")
    if own is not None:
        yield own
        common = _pointed(own / "commondir", "")
        if common is not None:
            yield common


def _pointed(file: Path, prefix: str) -> Path | None:
    """The git folder that a pointer file names, if it is one: a file could name any folder of the user's."""
    with suppress(OSError, UnicodeDecodeError):
        with file.open("rb") as stream:
            line = stream.read(_LARGEST_POINTER).decode().strip()
        if line.startswith(prefix):
            folder = (file.parent / line.removeprefix(prefix).strip()).resolve()
            if (folder / "HEAD").is_file() and ((folder / "objects").is_dir() or (folder / "commondir").is_file()):
                return folder
    return None


def _guarded(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in _RUNS_PROGRAMS)
    with suppress(OSError):
        for number, other in enumerate((folder / "worktrees").iterdir()):
            if number == _MOST_MODULES:
                break
            yield from (other / name for name in _RUNS_PROGRAMS[2:])
    with suppress(OSError):
        for number, head in enumerate((folder / "modules").rglob("HEAD")):
            if number == _MOST_MODULES:
                return
            if head.parent.name not in ("logs",):
                yield from (head.parent / name for name in _RUNS_PROGRAMS[:3])
