"""Memory that is free and yet held: given back to the system after work that needed much of it for a moment."""

from __future__ import annotations

import ctypes
from collections.abc import Callable


def _trimming() -> Callable[[int], int] | None:
    """The C library's own function for it; other libraries than glibc have none, and do it by themselves or never."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return lambda pad: int(trim(pad))


_TRIM = _trimming()


def give_back() -> None:
    """Give free pages back, also those between blocks that are in use. Takes some milliseconds: for a thread."""
    if _TRIM is not None:
        _TRIM(0)
