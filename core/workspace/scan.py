"""A stat of every file: cheap enough to ask whether anything changed before asking git."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

IGNORED = frozenset({".git", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".mypy_cache", ".pytest_cache"})

Stamp = tuple[int, int, int, int]
"""Size, time of change in ns, inode, mode."""


def scan(root: Path, *, ignored: frozenset[str] = frozenset({".git"})) -> dict[str, Stamp]:
    """Every file and link below `root` by its relative path, directories named in `ignored` left out.

    Unreadable directories are passed over. 10,000 files take about a quarter of a second.
    """
    return {path: stamp(status) for path, status in walk(root, ignored)}


def walk(root: Path, ignored: frozenset[str]) -> Iterator[tuple[str, os.stat_result]]:
    """(relative path, lstat) of every file and link."""
    waiting = [("", os.fspath(root))]
    while waiting:
        prefix, folder = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(status.st_mode):
                if entry.name not in ignored:
                    waiting.append((f"{prefix}{entry.name}/", entry.path))
            else:
                yield f"{prefix}{entry.name}", status


def stamp(status: os.stat_result) -> Stamp:
    """What tells a changed file from an unchanged one without reading it."""
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_mode
