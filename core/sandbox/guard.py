"""Puts back what a command must not change and no sandbox can keep it from changing: Landlock allows whole folders
only, and what does not exist yet can't be mounted read-only.

It acts with all the user's rights where a command has been: it follows no link, and it writes only where the folder is
still the one that it was. A link or a file that stands for a folder above a protected file is put aside first.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Final

import msgspec

from core.sandbox.kept import Kept

PUT_ASIDE: Final = "put-aside"
"""Folder, among a session's temporary files, for what commands wrote in the place of protected files."""
LEFT: Final = "guarded"
"""File, beside a command that goes on without the process that began it, that says what is to be put back."""
_LARGEST: Final = 1 << 20
_MOST_ENTRIES: Final = 500
_MOST_NAMES: Final = 5_000
_DEEPEST: Final = 50
_UNSEEN_KIND: Final = -1
_NO_FOLDER: Final = b"\0"
"""What stands for a folder that is not there; a link has its target, a folder nothing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at a path. `content` is a file's bytes, a link's target, or nothing."""

    kind: int = 0
    mode: int = 0o600
    content: bytes = b""
    inside: dict[str, Entry] = field(default_factory=dict)


ABSENT: Final = Entry()
UNSEEN: Final = Entry(_UNSEEN_KIND)
"""Too much, or out of reach, to be held: whatever stands there later is left alone."""


class Guard:
    """What protected files hold now, to be compared and put back when the command has ended.

    `roots` are the folders that the command may write, which by themselves stay where they are. Of what is `kept` from
    the command anyhow, a change is the user's, and stays.
    """

    def __init__(
        self, paths: Iterable[Path], aside: Path, roots: Iterable[Path] = (), kept: Iterable[Path] = ()
    ) -> None:
        self._kept = Kept(kept)
        self._before = {path: look_at(path) for path in paths}
        self._places = {parent: os.path.realpath(parent) for parent in {path.parent for path in self._before}}
        ends = set(roots)
        above = {folder for parent in self._places for folder in _up_to(parent, ends)}
        self._above = {folder: _stands_for(folder) for folder in sorted(above)}
        self._open = {folder for folder in {*self._above, *self._places} if _closed(folder) is None}
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
        guard._above = {Path(_path(path)): stood for path, stood in left.above}
        guard._open = {Path(_path(path)) for path in left.open}
        return guard

    def leave(self, folder: Path) -> None:
        """Write it down in `folder`, where no command comes. Raises OSError."""
        left = _Left(
            os.fsencode(self._aside),
            [(os.fsencode(path), _LeftEntry.of(entry)) for path, entry in self._before.items()],
            [(os.fsencode(path), os.fsencode(place)) for path, place in self._places.items()],
            [(os.fsencode(path), stood) for path, stood in self._above.items()],
            [os.fsencode(path) for path in self._open],
        )
        part = folder / f"{LEFT}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.msgpack.encode(left))
        part.replace(folder / LEFT)

    def put_back(self) -> list[str]:
        """Undo what was changed; the names of what was. Raises OSError when some of it could not be; the rest was."""
        changed: list[Path] = []
        trouble: list[OSError] = []
        with ExitStack() as opened:
            for folder in sorted({*self._above, *self._places}):
                with _noted(trouble):
                    if folder in self._above and self._put_back_folder(folder, self._above[folder]):
                        changed.append(folder)
                    opened.enter_context(_open_to_us(folder, for_good=folder in self._open))
            there = {parent for parent, place in self._places.items() if self._is_there(parent, place, trouble)}
            for path, before in self._before.items():
                with _noted(trouble):
                    if path.parent in there and path not in self._kept and self._put_back(path, before):
                        changed.append(path)
        self._kept.close()
        if trouble:
            raise trouble[0]
        return [path.name for path in changed]

    def _is_there(self, folder: Path, place: str, trouble: list[OSError]) -> bool:
        """Whether a folder is still the one that it was. One that is gone is made anew where it held something.

        Else a command could bring it back changed, when the next one has begun without looking for it.
        """
        held = (entry for path, entry in self._before.items() if path.parent == folder)
        if not os.path.lexists(folder) and os.path.realpath(folder) == place and any(it.kind > 0 for it in held):
            with _noted(trouble):
                folder.mkdir(parents=True)
        return _is_at(folder, place)

    def _put_back_folder(self, folder: Path, stood: bytes) -> bool:
        """Whether something else stood for it. One that is gone is none, and one that was made stays."""
        stands = _stands_for(folder)
        if stands in (stood, _NO_FOLDER) or (stood == _NO_FOLDER and stands == b""):
            return False
        self._set_aside(folder)
        if stood == b"":
            folder.mkdir()
        elif stood != _NO_FOLDER:
            folder.symlink_to(os.fsdecode(stood))
        return True

    def _put_back(self, path: Path, before: Entry) -> bool:
        """Whether it had to be; of a folder that still is one only what was changed in it."""
        now = _outline(os.fspath(path))
        if before == UNSEEN:
            return False
        if before.kind == now.kind == stat.S_IFDIR:
            return self._put_back_inside(path, before, now.mode)
        if now == before:
            return False
        self._set_aside(path)
        restore(path, before)
        return True

    def _put_back_inside(self, folder: Path, before: Entry, mode: int) -> bool:
        open_mode = before.mode | stat.S_IRWXU
        if mode != open_mode:
            with suppress(PermissionError):  # Another user's; what needs no change needs no right to it either.
                folder.chmod(open_mode)
        more = [name for name in os.listdir(folder) if name not in before.inside]  # noqa: PTH208
        for name in more:
            self._set_aside(folder / name)
        changed = [self._put_back(folder / name, entry) for name, entry in before.inside.items()]
        if open_mode != before.mode:
            with suppress(PermissionError):
                folder.chmod(before.mode)
        return bool(more) or any(changed) or mode != before.mode

    def _set_aside(self, path: Path) -> None:
        """Out of the way in any case: what can't be moved to another disk only gets another name.

        Commands write the folder that it goes to. So no link there is followed, and no name can be foreseen.
        """
        if not os.path.lexists(path):
            return
        name = f"{path.name}.{PUT_ASIDE}-{token_hex(8)}"
        try:
            if self._aside.is_symlink():
                self._aside.unlink()
            self._aside.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(path, self._aside / name)
        except (OSError, RecursionError):
            path.rename(path.with_name(name))


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
    above: list[tuple[bytes, bytes]] = msgspec.field(default_factory=list)
    open: list[bytes] = msgspec.field(default_factory=list)


@contextmanager
def _noted(trouble: list[OSError]) -> Iterator[None]:
    """What goes wrong with one file keeps no other from being put back."""
    try:
        yield
    except OSError as error:
        trouble.append(error)


@contextmanager
def _open_to_us(folder: Path, *, for_good: bool) -> Iterator[None]:
    """A folder that is closed to us, so that nothing in it could be put back or seen the next time, is opened."""
    mode = _closed(folder)
    if mode is not None:
        with suppress(OSError):  # Another user's; what needs no change needs no right to it either.
            folder.chmod(mode | stat.S_IRWXU)
    try:
        yield
    finally:
        if mode is not None and not for_good:
            with suppress(OSError):
                folder.chmod(mode)


def _closed(folder: Path) -> int | None:
    """The mode of a folder that its owner may not read, change or enter."""
    try:
        found = folder.lstat()
    except OSError:
        return None
    mode = stat.S_IMODE(found.st_mode)
    return mode if stat.S_ISDIR(found.st_mode) and mode & stat.S_IRWXU != stat.S_IRWXU else None


def _is_at(folder: Path, place: str) -> bool:
    """Whether a folder is still the one that it was."""
    return os.path.realpath(folder) == place and Path(place).is_dir()


def _up_to(folder: Path, roots: set[Path]) -> tuple[Path, ...]:
    """A folder and those above it below the outermost root that it lies in; none where it lies in none."""
    way = (folder, *folder.parents)
    return way[: max((number for number, place in enumerate(way) if place in roots), default=0)]


def _stands_for(folder: Path) -> bytes:
    """What stands where a folder is expected; for what is neither folder nor link a word that no link leads to."""
    try:
        found = folder.lstat()
        if stat.S_ISLNK(found.st_mode):
            return os.fsencode(folder.readlink())
    except OSError:
        return _NO_FOLDER
    return b"" if stat.S_ISDIR(found.st_mode) else b"/\0"


def _path(name: bytes) -> str:
    return os.fsdecode(name)


def look_at(path: Path) -> Entry:
    """What stands there, links not followed."""
    return _look(os.fspath(path), [_MOST_ENTRIES], 0)


def _look(path: str, left: list[int], depth: int) -> Entry:
    """Files of a folder come before the folders in it: those may hold more than is left to be looked at."""
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        return UNSEEN
    found = _outline(path)
    if found.kind == stat.S_IFDIR:
        try:
            entries = sorted(os.scandir(path), key=lambda entry: (entry.is_dir(follow_symlinks=False), entry.name))
        except OSError:
            return UNSEEN
        if len(entries) > _MOST_NAMES:
            return UNSEEN
        for entry in entries:
            found.inside[entry.name] = _look(entry.path, left, depth + 1)
    return found


def _outline(path: str) -> Entry:
    """The same without what is in a folder."""
    try:
        found = os.lstat(path)
        kind, mode = stat.S_IFMT(found.st_mode), stat.S_IMODE(found.st_mode)
        if kind == stat.S_IFLNK:
            return Entry(kind, 0, os.fsencode(Path(path).readlink()))
        if kind == stat.S_IFREG:
            return UNSEEN if found.st_size > _LARGEST else Entry(kind, mode, _content(path))
        return Entry(kind, mode)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError:
        return UNSEEN


def _content(path: str) -> bytes:
    with open(path, "rb", opener=_no_link) as file:
        return file.read(_LARGEST)


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def restore(path: Path, entry: Entry) -> None:
    """Make a path what it was; nothing may stand there. Raises OSError."""
    if entry.kind == stat.S_IFLNK:
        path.symlink_to(os.fsdecode(entry.content))
    elif entry.kind == stat.S_IFDIR:
        path.mkdir(mode=0o700)
        for name, inner in entry.inside.items():
            restore(path / name, inner)
        path.chmod(entry.mode)
    elif entry.kind == stat.S_IFREG:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, entry.mode), "wb") as file:
            file.write(entry.content)
