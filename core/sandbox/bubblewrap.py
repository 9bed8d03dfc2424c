"""A command in name spaces of its own, made by the program `bwrap`: files, processes, network."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.clock import MICROSECONDS, SystemClock
from core.sandbox.access import EMPTY, PRIVATE_TEMPORARY, Access

_RESOLVERS: Final = ("/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf")
_KERNEL: Final = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/mtrr")
"""Switches of the whole machine: root's files, and so bwrap leaves them writable to a root without capabilities."""
_SOCKETS: Final = Path("/proc/net/unix")
_YOUNG_S: Final = 1.0
"""Seconds in which a socket may be one that is gone in a moment."""
_ROOT_KEEPS: Final = ("CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER")
"""Root stays able to write a workspace that belongs to another user; what is mounted read-only stays so."""


def bubblewrap(program: str, access: Access, cwd: Path) -> list[str]:
    """The words to put before a command. All that it starts ends with it, for it is alone in its process space."""
    words = [program, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for path in _KERNEL:
        words += ["--ro-bind-try", path, path]
    words += ["--unshare-pid", "--unshare-ipc", "--unshare-cgroup-try", "--die-with-parent"]
    words += [] if access.network else ["--unshare-net"]
    words += ["--cap-drop", "ALL"]
    if os.geteuid() == 0:
        words += [word for name in _ROOT_KEEPS for word in ("--cap-add", name)]
    words += [word for _, _, mount in sorted(_mounts(access)) for word in mount]
    return [*words, "--chdir", str(cwd), "--"]


def _mounts(access: Access) -> Iterator[tuple[int, int, list[str]]]:
    """Mounts as (depth, rank, words): outer folders come first, for what is mounted later covers what is inside."""
    for path in PRIVATE_TEMPORARY:
        if path.is_dir() and not path.is_symlink():
            yield len(path.parts), 0, ["--bind", str(access.temporary), str(path)]
    if EMPTY.is_dir():
        yield len(EMPTY.parts), 0, ["--tmpfs", str(EMPTY)]
    if access.network:
        for name in _RESOLVERS:
            yield len(Path(name).parts), 1, ["--ro-bind-try", name, name]
    for path in access.hidden:
        cover = ["--tmpfs", str(path)] if path.is_dir() else ["--ro-bind", "/dev/null", str(path)]
        yield len(path.parts), 1, cover
    for path in _services(access):
        yield len(path.parts), 1, ["--ro-bind", "/dev/null", str(path)]
    for rank, word, paths in (
        (2, "--ro-bind", _covered(access)),
        (3, "--bind", access.writable),
        (4, "--ro-bind", access.protected),
    ):
        for path in paths:
            yield len(path.parts), rank, [word, str(path), str(path)]


def _services(access: Access) -> Iterator[Path]:
    """Sockets in files that a command would reach, for it can connect to one that it can't write."""
    away = {*PRIVATE_TEMPORARY, EMPTY, *access.hidden, *access.writable, *access.readable}
    for name in sorted(_bound()):
        with suppress(OSError, ValueError):
            path = Path(os.path.realpath(name))
            if away.isdisjoint((path, *path.parents)) and _serves(path.stat()):
                yield path


def _serves(found: os.stat_result) -> bool:
    """Whether it is a socket, and not a young one: what vanishes as it is mounted keeps bwrap from running."""
    return stat.S_ISSOCK(found.st_mode) and not 0 <= SystemClock().now_us() / MICROSECONDS - found.st_mtime < _YOUNG_S


def _bound() -> set[str]:
    """Files that are sockets of somebody's now, as the kernel lists them; some may be gone or out of reach."""
    try:
        rows = _SOCKETS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return set()
    return {row[at:] for row in rows if (at := row.find(" /") + 1)}


def _covered(access: Access) -> Iterator[Path]:
    """What is readable and would not be without a mount of its own; each one makes every command wait a millisecond."""
    covers = {*PRIVATE_TEMPORARY, EMPTY, *access.hidden, *access.writable}
    return (path for path in access.readable if not covers.isdisjoint((path, *path.parents)))
