"""Who looks at a session, as its processes tell each other: two empty files in its folder.

The lock of `attended` belongs to the screen that calls the user: while one holds it, the process that runs the session
keeps quiet, and of several screens only one calls. It goes with its process. The time of change of `seen` is the last
sign of the user at any screen.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

LOCK, SEEN = "attended", "seen"


class Attendance:
    """One process' view of who attends to the session in `folder`. Where nothing can be written, nobody is told."""

    def __init__(self, folder: Path) -> None:
        self._lock, self._seen = folder / LOCK, folder / SEEN
        self._descriptor: int | None = None

    def claim(self) -> bool:
        """Whether this process is the one that calls, from now until `release`."""
        if self._descriptor is not None:
            return True
        with suppress(OSError):
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                return False
            self._descriptor = descriptor
        return self._descriptor is not None

    def release(self) -> None:
        """Let another one call. Safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def sign(self, at_us: int) -> None:
        """The user did something at a screen."""
        with suppress(OSError):
            self._seen.touch(0o600)
            os.utime(self._seen, ns=(at_us * 1000, at_us * 1000))

    def last_sign_us(self) -> int:
        """When the user last did something at any screen; 0 for never."""
        try:
            return self._seen.stat().st_mtime_ns // 1000
        except OSError:
            return 0
