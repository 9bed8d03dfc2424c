"""What goes to the terminal: bytes in all, and in the last minute. Over a slow line that is what one waits for."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from core.clock import MICROSECONDS

WINDOW_US = 60 * MICROSECONDS


class _Mark(NamedTuple):
    at_us: int
    total: int


class LineMeter:
    """Told the sum now and then, it knows the pace."""

    def __init__(self) -> None:
        self._marks: deque[_Mark] = deque()

    def note(self, at_us: int, total: int) -> None:
        """So many bytes were sent up to then. Older marks than a minute go, but for the one that begins it.

        So do those that are later, where the clock was set back; of those of one moment the first and the last stay.
        """
        while self._marks and self._marks[-1].at_us > at_us:
            self._marks.pop()
        if len(self._marks) > 1 and self._marks[-1].at_us == at_us:
            self._marks.pop()
        self._marks.append(_Mark(at_us, total))
        while len(self._marks) > 2 and self._marks[1].at_us <= at_us - WINDOW_US:
            self._marks.popleft()

    @property
    def total(self) -> int:
        return self._marks[-1].total if self._marks else 0

    @property
    def per_minute(self) -> int:
        """Bytes a minute, of what was seen of the last one; 0 before there is anything to compare."""
        if len(self._marks) < 2:
            return 0
        first, last = self._marks[0], self._marks[-1]
        return round((last.total - first.total) * WINDOW_US / max(MICROSECONDS, last.at_us - first.at_us))
