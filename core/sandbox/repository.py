"""The git repository around a workspace: what commands must be able to write, and what in it runs programs later."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

PRIVATE_TEMPORARY: Final = (Path("/tmp"), Path("/var/tmp"))
"""Folders in whose place a command sees one of its session's own."""
_RUNS_PROGRAMS: Final = ("hooks", "config", "config.worktree", "commondir", "gitdir")
_LARGEST_POINTER: Final = 4_096
_MOST_MODULES: Final = 500
_MOST_WORKTREES: Final = 200
_DEEPEST: Final = 20
_LARGEST_CONFIG: Final = 1 << 18
_SETTING: Final = re.compile(r"^[ \t]*(hookspath|path)[ \t]*=[ \t]*(.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
"""Settings that say where hooks are, and more configuration; or a program, which is nothing to be changed either."""


def repository_paths(workspace: Path, *more: Path) -> tuple[list[Path], list[Path]]:
    """Git's own folders of the repository that `workspace` is in, and what of them must stay as it is.

    A worktree's folder may lie elsewhere; hooks, configuration and pointers to other folders are what a command could
    plant something in that runs when the user calls git. Both are empty without a repository. `more` are other folders
    that commands may write.
    """
    roots = (workspace, *more)
    for folder in (workspace, *workspace.parents):
        entry = folder / ".git"
        if entry.is_dir():
            return [entry], [*_guarded(entry, roots), *_named(folder, [entry])]
        if entry.is_file():
            folders = list(_worktree(entry))
            runs = (path for own in folders for path in _guarded(own, roots))
            return folders, [entry, *runs, *_named(folder, folders)]
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


def _guarded(folder: Path, roots: tuple[Path, ...]) -> Iterator[Path]:
    yield from (folder / name for name in _RUNS_PROGRAMS)
    others = (other for other in _folders(folder / "worktrees") if not _is_open(other, roots))
    yield from (other / name for other in islice(others, _MOST_WORKTREES) for name in _RUNS_PROGRAMS[2:])
    modules = list(islice(_modules(folder / "modules"), _MOST_MODULES + 1))
    if len(modules) > _MOST_MODULES:  # a command can make any number of them, to have the true ones passed over
        modules = []
        yield folder / "modules"
    yield from (module / name for module in modules for name in _RUNS_PROGRAMS[:3])


def _folders(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
    return []


def _is_open(other: Path, roots: tuple[Path, ...]) -> bool:
    """Whether a worktree lies among what commands write, with the file that leads to this folder of it: it is theirs
    to move and to remove, which takes the folder along.

    What they see as /tmp is the session's own; what really lies there is not.
    """
    try:
        with (other / "gitdir").open("rb") as stream:
            line = os.fsdecode(stream.read(_LARGEST_POINTER)).strip()
        place = os.path.split(os.path.realpath(other / line))[0]
    except (OSError, ValueError):
        return False
    own = [root for root in PRIVATE_TEMPORARY if not os.path.lexists(place)]
    return any(place.startswith(f"{root}/") for root in (*roots, *own))


def _modules(folder: Path, depth: int = 0) -> Iterator[Path]:
    """The repositories of submodules, with those of theirs; the names of some have slashes."""
    for entry in _folders(folder) if depth < _DEEPEST else ():
        if os.path.isfile(entry / "HEAD"):  # noqa: PTH113 - unlike a Path it raises nothing where a folder is closed to us
            yield entry
            yield from _modules(entry / "modules", depth + 1)
        else:
            yield from _modules(entry, depth + 1)
