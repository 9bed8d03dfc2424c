"""Who looks at a session now: a small file for each screen in `viewers/`, locked for as long as the screen is there.

A lock goes with its process, and a screen that is left takes its file along: a file without a lock is that of one that
was lost. The runner of the session finds and removes it, and so does, where none lives, whoever comes next.
"""

from __future__ import annotations

import fcntl
import getpass
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import msgspec

from core.clock import SystemClock
from core.ids import ulid
from core.journal.lease import holder

FOLDER: Final = "viewers"
_SUFFIX: Final = ".json"
_STANDARD_STREAMS: Final = (0, 1, 2)


class Viewer(msgspec.Struct, frozen=True):
    """One screen. `who` says whose it is and where, as in `anna on pts/3 from 10.0.0.7`; times in microseconds UTC."""

    id: str
    who: str
    pid: int = 0
    since_us: int = 0


def driver_of(named: str | None, present: Iterable[Viewer]) -> Viewer | None:
    """Who drives: the viewer that took the wheel last, while it is there; else the one that has been there longest."""
    by_age = sorted(present, key=lambda viewer: (viewer.since_us, viewer.id))
    return next((viewer for viewer in by_age if viewer.id == named), by_age[0] if by_age else None)


def who_is_here(environ: Mapping[str, str]) -> str:
    """Whose process this is and at which terminal, in words."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"user {os.getuid()}"
    client = environ.get("SSH_CONNECTION", "").split(" ")[0]
    return f"{user} on {_terminal() or 'no terminal'}" + (f" from {client}" if client else "")


def at_a_terminal() -> bool:
    """Whether this process belongs to a terminal, as what a person types does; commands of the agent have none."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _terminal() -> str:
    for descriptor in _STANDARD_STREAMS:
        with suppress(OSError):
            return os.ttyname(descriptor).removeprefix("/dev/")
    return ""


class Present(Protocol):
    """A screen's place among those that look at a session, here or on another machine."""

    @property
    def viewer(self) -> Viewer: ...

    def others(self) -> list[Viewer]:
        """Everybody else who looks; blocks for a few file operations."""
        ...

    def lose(self) -> None:
        """The screen is gone without having been left."""
        ...


class Presence:
    """One process' place among the viewers of the session in `folder`, until `leave`.

    Where nothing can be written it is a viewer that no other one sees. `who`: whose screen it is, where that is none
    of this process' terminal.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], who: str = "") -> None:
        now_us = SystemClock().now_us()
        self.viewer: Viewer = Viewer(ulid(now_us), who or who_is_here(environ), os.getpid(), now_us)
        self.folder = folder
        self._folder = folder / FOLDER
        self._path = self._folder / f"{self.viewer.id}{_SUFFIX}"
        self._descriptor: int | None = None
        with suppress(OSError):
            self._enter()

    def _enter(self) -> None:
        """Locked before it has its name, so that nobody takes it for a file that was left behind."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if holder(self.folder) is None:
            swept(self.folder)
        aside = self._path.with_name(f".{self._path.name}")
        self._descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(self._descriptor, msgspec.json.encode(self.viewer))
        aside.rename(self._path)

    def others(self) -> list[Viewer]:
        """Everybody else who looks; blocks for a few file operations."""
        return [viewer for viewer in present(self.folder) if viewer.id != self.viewer.id]

    def leave(self) -> None:
        """Be there no more. Safe to call twice."""
        if self._descriptor is not None:
            self._path.unlink(missing_ok=True)
            self.lose()

    def lose(self) -> None:
        """Be there no more, as after a `kill -9`. Safe to call twice."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def __enter__(self) -> Presence:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


def present(folder: Path) -> list[Viewer]:
    """Everybody who looks at the session in `folder`, in no order. Never raises."""
    return [viewer for viewer, there in _found(folder) if there]


def swept(folder: Path) -> list[Viewer]:
    """The screens that were lost; what they left behind is removed. Never raises."""
    return [viewer for viewer, there in _found(folder, sweep=True) if not there]


def _found(folder: Path, *, sweep: bool = False) -> list[tuple[Viewer, bool]]:
    """Each viewer that has a file, and whether its process is there."""
    try:
        paths = [Path(entry.path) for entry in os.scandir(folder / FOLDER) if entry.name.endswith(_SUFFIX)]
    except OSError:
        return []
    return [found for path in paths if (found := _look(path, sweep)) is not None]


def _look(path: Path, sweep: bool) -> tuple[Viewer, bool] | None:
    """The viewer of a file, and whether it is there; None where the file is none of a viewer's."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        there = _is_locked(descriptor)
        if sweep and not there:
            path.unlink(missing_ok=True)
        return msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Viewer), there
    except (OSError, msgspec.DecodeError):
        return None
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
