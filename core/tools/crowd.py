"""How many processes a command may have at once, so that one that forks without end takes nobody else's.

A control group counts the command alone, where one may be made; else the limit of the user counts all that the user
runs, and does not bind root. Where neither works nothing is limited, and `how_limited` says so.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final, Literal

MOST_PROCESSES: Final = 4_096
_YOUNG_US: Final = 600 * 1_000_000
_GROUPS: Final = Path("/sys/fs/cgroup")
_ENTER: Final = '{ echo $$ >"$0/cgroup.procs"; } 2>/dev/null; exec "$@"'
_LIMIT: Final = '{ ulimit -u "$0" || ulimit -p "$0"; } 2>/dev/null; exec "$@"'


class Crowd:
    """The processes of the job in `folder`, at most `most` of them; known by the folder in any later process, too."""

    def __init__(self, folder: Path, most: int = MOST_PROCESSES) -> None:
        room = _room()
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        self._group = room / f"longwatch-{name}" if room else None
        self._most = most

    def words(self) -> list[str]:
        """The words to put before a command, which then counts from its first process on."""
        if self._group is not None:
            with suppress(OSError):
                self._group.mkdir(exist_ok=True)
                (self._group / "pids.max").write_text(str(self._most))
                return ["/bin/sh", "-c", _ENTER, str(self._group)]
        return ["/bin/sh", "-c", _LIMIT, str(_of_user() + self._most)] if _binds_user() else []

    def members(self) -> set[int]:
        """Who is in it, whatever they made of their session and their environment; none where there is no group."""
        if self._group is None:
            return set()
        try:
            return {int(line) for line in (self._group / "cgroup.procs").read_text().split()}
        except (OSError, ValueError):
            return set()

    def close(self) -> None:
        """Forget it; a group in which somebody still lives stays."""
        if self._group is not None:
            with suppress(OSError):
                self._group.rmdir()


def forget_empty(now_us: int) -> int:
    """Remove the groups of ours in which nobody lives any more: runners that were killed left them. How many.

    Young ones stay: another runner may have made one for a command that is about to enter it.
    """
    removed, room = 0, _room()
    for group in room.glob("longwatch-*") if room else ():
        with suppress(OSError):  # One in which somebody lives, or that is another user's, stays.
            if now_us - group.stat().st_mtime_ns // 1000 > _YOUNG_US:
                group.rmdir()
                removed += 1
    return removed


def how_limited() -> Literal["by a control group", "by the user's limit"] | None:
    """What holds a crowd down here; None: nothing does."""
    if _room() is not None:
        return "by a control group"
    return "by the user's limit" if _binds_user() else None


def _binds_user() -> bool:
    """Root is never held by the limit of its own processes."""
    return os.getuid() != 0 and os.access("/bin/sh", os.X_OK)


@cache
def _room() -> Path | None:
    """The folder in which control groups can be made that count processes and take ours; found by trying."""
    for parent in _parents():
        group = parent / f"longwatch-probe-{os.getpid()}"
        with suppress(OSError, subprocess.SubprocessError):
            group.mkdir()
            try:
                if not (group / "cgroup.procs").exists():
                    continue  # The folder above the groups of the old interface: a plain folder was made.
                (group / "pids.max").write_text("16")
                words = ["/bin/sh", "-c", 'echo $$ >"$0/cgroup.procs"', str(group)]
                subprocess.run(words, check=True, timeout=5, capture_output=True)
                return parent
            finally:
                group.rmdir()
    return None


def _parents() -> Iterator[Path]:
    """The groups that this process is in, and those around them, by either version of the kernel's interface."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                own = _GROUPS / path.lstrip("/")
                yield from (own, own.parent) if own != _GROUPS else (own,)
            elif "pids" in controllers.split(","):
                yield _GROUPS / "pids" / path.lstrip("/")


def _of_user() -> int:
    """Processes and threads that the user has now; the limit counts them all."""
    count = 0
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == os.getuid():
                count += len(os.listdir(entry / "task"))  # noqa: PTH208
    return count
