"""Making files as they were: only paths that differ, nothing that was not secured first, never a sweep."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from core.workspace.base import Entries, Entry
from core.workspace.objects import LINK, PROGRAM, ObjectStore

_DRAFT: Final = ".longwatch-restore"


class Restorer(Struct):
    """Applies changes to a workspace. `secured(path)` says whether the file is still as the safety snapshot saw it."""

    workspace: Path
    store: ObjectStore
    secured: Callable[[str], bool]
    applied: list[tuple[str, str]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def apply(self, changes: Iterable[tuple[str, str]], target: Entries, keep: Collection[str]) -> None:
        """First take away, then put back: a file may have to make room for a folder, and the other way round."""
        wanted = []
        for status, path in changes:
            if path in keep:
                self.kept.append(path)
            else:
                wanted.append((status, path))
        for status, path in wanted:
            if status == "D":
                self._attempt(status, path, partial(self._remove, path))
        for status, path in wanted:
            if status != "D":
                self._attempt(status, path, partial(self._write, path, target[path]))

    def _attempt(self, status: str, path: str, act: Callable[[], None]) -> None:
        try:
            if status == "A":
                _clear_of_folders(self.workspace / path)
            if status != "A" and not self.secured(path):
                raise FileExistsError(path)
            act()
        except OSError:
            self.kept.append(path)
        else:
            self.applied.append((status, path))

    def _remove(self, path: str) -> None:
        place = self.workspace / path
        place.unlink()
        with contextlib.suppress(OSError):
            for folder in place.parents:
                if folder == self.workspace:
                    break
                folder.rmdir()

    def _write(self, path: str, entry: Entry) -> None:
        place = self.workspace / path
        self._make_room(place)
        data = self.store.get(entry.oid)
        draft = place.with_name(f"{_DRAFT}-{os.getpid()}")
        draft.unlink(missing_ok=True)
        try:
            if entry.mode == LINK:
                draft.symlink_to(os.fsdecode(data))
            else:
                _create(draft, data, _mode(place, entry), 0o777 if entry.mode == PROGRAM else 0o666)
            draft.replace(place)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    def _make_room(self, place: Path) -> None:
        """Make the folders above a path, never through a link: it may lead out of the workspace."""
        for folder in reversed(place.relative_to(self.workspace).parents[:-1]):
            above = self.workspace / folder
            if above.is_symlink():
                raise NotADirectoryError(str(above))
            above.mkdir(exist_ok=True)


def _clear_of_folders(place: Path) -> None:
    """Take away folders that hold nothing but folders. Raises FileExistsError when anything else is in the way."""
    if not os.path.lexists(place):
        return
    if place.is_symlink() or not place.is_dir():
        raise FileExistsError(str(place))
    found = list(os.walk(place, topdown=False))
    if any(files or any(Path(folder, name).is_symlink() for name in folders) for folder, folders, files in found):
        raise FileExistsError(str(place))
    for folder, _, _ in found:
        Path(folder).rmdir()


def _mode(place: Path, entry: Entry) -> int | None:
    """Permissions for a file: those it has now, executable as the snapshot says; None: as for a new one."""
    try:
        status = place.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    readable = status.st_mode & 0o666
    return readable | ((readable & 0o444) >> 2 if entry.mode == PROGRAM else 0)


def _create(path: Path, data: bytes, mode: int | None, default: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, default), "wb") as file:
        file.write(data)
        if mode is not None:
            os.fchmod(file.fileno(), mode)
