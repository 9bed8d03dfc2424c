"""What the C library does with memory that is free: where it looks for it, and when it gives it back to the system.

Left alone, glibc gives each thread an arena of its own. What a thread needed for a moment then stays with it, and of a
dozen threads that take turns each keeps its own peak: a process grows for hours that holds no more than it did.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_LARGE = 1 << 18


def _function(name: str, *takes: type) -> Callable[..., int] | None:
    """A function of the C library; other libraries than glibc have none of these, and do without or never."""
    try:
        found = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):
        return None
    found.argtypes, found.restype = takes, ctypes.c_int
    return lambda *given: int(found(*given))


_TRIM = _function("malloc_trim", ctypes.c_size_t)
_OPTION = _function("mallopt", ctypes.c_int, ctypes.c_int)


def share_memory() -> None:
    """Let threads that begin from now on share one arena. They wait for each other there, but nearly all of what ours
    do is done under the interpreter's lock anyway."""
    if _OPTION is not None:
        _OPTION(_M_ARENA_MAX, 1)


def set_large_apart() -> None:
    """Give large blocks pages of their own from now on: they grow without being copied, and go back once they are free.

    Left alone, glibc raises its limit to the largest block that was ever freed; columns of numbers that grow lie among
    small blocks then, and each copy leaves a hole.
    """
    if _OPTION is not None:
        _OPTION(_M_MMAP_THRESHOLD, _LARGE)


def give_back() -> None:
    """Give free pages back, also those between blocks that are in use. Takes some milliseconds: for a thread."""
    if _TRIM is not None:
        _TRIM(0)
