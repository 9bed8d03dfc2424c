"""Puts back what a command must not change and no sandbox can keep it from changing: Landlock allows whole folders
only, and what does not exist yet can't be mounted read-only.

It acts with all the user's rights where a command has been: it follows no link, and it writes only where the folder is
still the one that it was.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

PUT_ASIDE: Final = "put-aside"
"""Folder, among a session's temporary files, for what commands wrote in the place of protected files."""
LEFT: Final = "guarded"
"""File, beside a command that goes on without the process that began it, that says what is to be put back."""
_LARGEST: Final = 1 << 20
_MOST_ENTRIES: Final = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at a path. `content` is a file's bytes, a link's target, or nothing."""

    kind: int = 0
    mode: int = 0o600
    content: bytes = b""
    inside: dict[str, Entry] = field(default_factory=dict)


ABSENT: Final = Entry()


class Guard:
    """What protected files hold now, to be compared and put back when the command has ended."""

    def __init__(self, paths: Iterable[Path], aside: Path) -> None:
        looked = {path: look_at(path) for path in paths}
        self._before = {path: entry for path, entry in looked.items() if entry is not None}
        self._places = {parent: os.path.realpath(parent) for parent in {path.parent for path in self._before}}
        self._aside = aside / PUT_ASIDE

    @classmethod
    def left_in(cls, folder: Path) -> Guard | None:
        """The guard that another process left there; None where it left none."""
        try:
            left = msgspec.msgpack.decode((folder / LEFT).read_bytes(), type=_Left)
        except (OSError, msgspec.DecodeError):
            return None
        guard = cls((), Path(_path(left.aside)).parent)
        guard._before = {Path(_path(path)): entry.entry() for path, entry in left.before}
        guard._places = {Path(_path(path)): _path(place) for path, place in left.places}
        return guard

    def leave(self, folder: Path) -> None:
        """Write it down in `folder`, where no command comes. Raises OSError."""
        left = _Left(
            os.fsencode(self._aside),
            [(os.fsencode(path), _LeftEntry.of(entry)) for path, entry in self._before.items()],
            [(os.fsencode(path), os.fsencode(place)) for path, place in self._places.items()],
        )
        part = folder / f"{LEFT}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.msgpack.encode(left))
        part.replace(folder / LEFT)

    def put_back(self) -> list[str]:
        """Undo what was changed; the names of what was. Raises OSError when that is not possible."""
        there = {parent for parent, place in self._places.items() if _is_at(parent, place)}
        changed = [path for path, before in self._before.items() if path.parent in there and look_at(path) != before]
        for path in changed:
            self._set_aside(path)
            restore(path, self._before[path])
        return [path.name for path in changed]

    def _set_aside(self, path: Path) -> None:
        if not os.path.lexists(path):
            return
        self._aside.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self._aside / f"{len(os.listdir(self._aside)) + 1}-{path.name}"  # noqa: PTH208
        with suppress(FileExistsError):
            shutil.move(path, target)


class _LeftEntry(msgspec.Struct, array_like=True):
    """An entry as it is written down: names of files are bytes."""

    kind: int
    mode: int
    content: bytes
    inside: list[tuple[bytes, _LeftEntry]]

    @classmethod
    def of(cls, entry: Entry) -> _LeftEntry:
        inside = [(os.fsencode(name), cls.of(inner)) for name, inner in entry.inside.items()]
        return cls(entry.kind, entry.mode, entry.content, inside)

    def entry(self) -> Entry:
        return Entry(self.kind, self.mode, self.content, {_path(name): inner.entry() for name, inner in self.inside})


class _Left(msgspec.Struct, array_like=True):
    """A guard as it is written down."""

    aside: bytes
    before: list[tuple[bytes, _LeftEntry]]
    places: list[tuple[bytes, bytes]]


def _is_at(folder: Path, place: str) -> bool:
    """Whether a folder is still the one that it was."""
    return os.path.realpath(folder) == place and Path(place).is_dir()


def _path(name: bytes) -> str:
    return os.fsdecode(name)


class _TooBig(Exception):
    """More than is held to be put back."""


def look_at(path: Path) -> Entry | None:
    """What stands there, links not followed; None when it is too big to be held and so can't be put back."""
    try:
        return _look(path, [_MOST_ENTRIES])
    except _TooBig:
        return None


def _look(path: Path, left: list[int]) -> Entry:
    left[0] -= 1
    if left[0] < 0:
        raise _TooBig
    try:
        found = path.lstat()
        kind, mode = stat.S_IFMT(found.st_mode), stat.S_IMODE(found.st_mode)
        if kind == stat.S_IFLNK:
            return Entry(kind, 0, os.fsencode(path.readlink()))
        if kind == stat.S_IFDIR:
            names = sorted(entry.name for entry in path.iterdir())
            return Entry(kind, mode, b"", {name: _look(path / name, left) for name in names})
        return Entry(kind, mode, _head(path) if kind == stat.S_IFREG else b"")
    except OSError:
        return ABSENT


def _head(path: Path) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise _TooBig
    return content


def restore(path: Path, entry: Entry) -> None:
    """Make a path what it was; nothing may stand there. Raises OSError."""
    if entry.kind == stat.S_IFLNK:
        path.symlink_to(os.fsdecode(entry.content))
    elif entry.kind == stat.S_IFDIR:
        path.mkdir(mode=entry.mode)
        for name, inner in entry.inside.items():
            restore(path / name, inner)
    elif entry.kind == stat.S_IFREG:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, entry.mode), "wb") as file:
            file.write(entry.content)
