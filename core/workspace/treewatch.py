"""Proof that a tree was left alone since it was last looked at, from what the Linux kernel tells of its folders.

The kernel queues its word before the call that changed something returns, so there is nothing to wait for: an empty
queue proves that nothing was touched. Where a change can go untold nothing is ever proved: on the file systems of other
machines, in a file that has a second name elsewhere, beyond the kernel's limits, when a mount came or went. A file that
is mapped into memory is told of when it is let go, hence no proof holds for longer than a minute. Events that got lost
are an event themselves; watchfiles keeps quiet about those, which is why it can't be asked here.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from core.clock import monotonic

LONGEST_S: Final = 60.0
SHARE: Final = 4
"""At most one part in so many of the folders that the kernel lets this user watch: editors want theirs, too."""
_TOLD_BY_THE_KERNEL: Final = frozenset(
    ("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "zfs", "tmpfs", "overlay")
)
_MOUNTS, _MOST = Path("/proc/self/mountinfo"), Path("/proc/sys/fs/inotify/max_user_watches")
_OCTAL: Final = re.compile(rb"\\(\d{3})")
_BUFFER: Final = 1 << 16
# Of <sys/inotify.h>: modified, attributes, closed after writing, moved and created and deleted ones, itself, and that
# nothing but a folder is watched, never through a link.
_EVENTS: Final = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800
_HOW: Final = 0x0100_0000 | 0x0200_0000


class _Ground(NamedTuple):
    """What the tree stands on: the identity of its topmost folder, and the table of mounts."""

    device: int
    inode: int
    mounts: bytes


class TreeWatch:
    """Proves nothing, as where the system tells nothing. Blocking; meant for a thread."""

    def begin(self) -> None:
        """What changes from here on counts. The folders are to be added each before it is looked into."""

    def add(self, folder: str) -> None:
        """Have a folder watched."""

    def doubt(self) -> None:
        """Something was found that may change untold: nothing is proved until the next beginning."""

    def quiet(self) -> bool:
        """Whether surely nothing was changed since the beginning. False proves nothing."""
        return False

    def close(self) -> None:
        """Give back what the system lent for it."""


class KernelWatch(TreeWatch):
    """The folders of a tree, watched through inotify."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._queue = self._opened()
        self._ground: _Ground | None = None
        self._until_s = self._left = 0.0

    def begin(self) -> None:
        self._ground = None
        self._queue = self._opened() if self._queue is None else self._queue
        self._heard()
        self._until_s = monotonic() + LONGEST_S
        with suppress(OSError, ValueError):
            self._left = int(_MOST.read_text()) // SHARE
            ground = self._stood_on()
            self._ground = ground if self._queue is not None and _all_told(self._root, ground.mounts) else None

    def add(self, folder: str) -> None:
        if self._ground is None:
            return
        self._left -= 1
        place = os.fsencode(self._root / folder)
        if self._left < 0 or self._libc.inotify_add_watch(self._queue, place, ctypes.c_uint32(_EVENTS | _HOW)) < 0:
            self.doubt()

    def doubt(self) -> None:
        """All watches go with their queue; another stands ready, so that a session has as many handles at any time."""
        self.close()
        self._queue = self._opened()

    def quiet(self) -> bool:
        if self._ground is None or self._heard() or monotonic() > self._until_s:
            return False
        with suppress(OSError):
            return self._ground == self._stood_on()
        return False

    def close(self) -> None:
        self._ground = None
        if self._queue is not None:
            os.close(self._queue)
            self._queue = None

    def _opened(self) -> int | None:
        queue = int(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        return None if queue < 0 else queue

    def _heard(self) -> bool:
        """Whether the kernel had anything to say; once heard it is forgotten, and so is what it would disprove."""
        heard = False
        while self._queue is not None:
            try:
                heard = bool(os.read(self._queue, _BUFFER)) or heard
            except BlockingIOError:
                break
            except OSError:
                self.close()
                return True
        self._ground = None if heard else self._ground
        return heard

    def _stood_on(self) -> _Ground:
        status = self._root.lstat()
        return _Ground(status.st_dev, status.st_ino, _MOUNTS.read_bytes())


def tree_watch(root: Path) -> TreeWatch:
    """The best proof that this system can give for a tree."""
    return KernelWatch(root) if sys.platform == "linux" else TreeWatch()


def _all_told(root: Path, mounts: bytes) -> bool:
    """Whether the kernel tells of every change in a tree: of the file system that it is on, and of those in it."""
    place, on = os.fsencode(root), (b"", "")
    within: dict[bytes, str] = {}
    for row in mounts.splitlines():
        where, _, what = row.partition(b" - ")
        point = _OCTAL.sub(lambda found: bytes([int(found[1], 8)]), where.split(b" ")[4])
        kind = os.fsdecode(what.split(b" ")[0])
        if point.startswith(place + b"/"):
            within[point] = kind
        elif (place + b"/").startswith(point.rstrip(b"/") + b"/") and len(point) >= len(on[0]):
            on = (point, kind)
    return {on[1], *within.values()} <= _TOLD_BY_THE_KERNEL
