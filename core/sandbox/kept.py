"""Protected files that a sandbox keeps from a command by itself, so that whoever changed them was somebody else."""

from __future__ import annotations

import os
import stat
import weakref
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


class Kept:
    """Files and folders that are mounted read-only for a command.

    A mount ends with what it covers: who removes or replaces a file outside opens its name to the command. So only one
    that is still the same counts, and each is held open, for else its number could be given to another one.
    """

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        self._open: dict[Path, int] = {}
        self.close = weakref.finalize(self, _close, self._open)
        for path in paths:
            with suppress(OSError):
                handle = self._open[path] = os.open(path, os.O_PATH | os.O_NOFOLLOW)
                if not _is_alone(os.fstat(handle)):
                    os.close(self._open.pop(path))

    def __contains__(self, path: Path) -> bool:
        """Whether the command can't have changed it; a file that has, or had, other names could be changed by those."""
        if path not in self._open:
            return False
        try:
            was, now = os.fstat(self._open[path]), path.lstat()
        except OSError:
            return False
        return _is_alone(now) and os.path.samestat(was, now)


def _is_alone(found: os.stat_result) -> bool:
    return stat.S_ISDIR(found.st_mode) or found.st_nlink == 1


def _close(handles: dict[Path, int]) -> None:
    while handles:
        os.close(handles.popitem()[1])
