"""Keeps this process to itself: other processes of the same user can't read its memory or what it was started with."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

_SET_DUMPABLE: Final = 4


def close_to_others() -> bool:
    """Refuse /proc/<pid>/environ, /proc/<pid>/mem and ptrace to others; False where the system has no such thing.

    It holds for children until they start another program. No core dump is written any more.
    """
    if sys.platform != "linux":
        return False
    return ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0) == 0
