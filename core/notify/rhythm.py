"""When a user who is away is called: after a moment, then again with growing pauses, never too often."""

from __future__ import annotations

from collections import deque

from core.clock import MICROSECONDS
from core.config import NotifySettings
from core.folds.needs import Need

HOUR_US = 3600 * MICROSECONDS


class Rhythm:
    """Remembers the calls that were made. All times are journal time in microseconds."""

    def __init__(self, settings: NotifySettings) -> None:
        self._settings = settings
        self._about: int | None = None
        self._calls = 0
        self._made: deque[int] = deque([0] * settings.per_hour, maxlen=settings.per_hour)

    def due_us(self, need: Need, away_us: int) -> int:
        """When to call next about `need` a user who is away since `away_us`."""
        first = max(need.at_us, away_us) + int(self._settings.after_s * MICROSECONDS)
        again = self._made[-1] + self._pause_us() if self._calls and need.seq == self._about else 0
        spared = self._made[0] + HOUR_US if self._made[0] else 0
        return max(first, again, spared)

    def called(self, need: Need, now_us: int) -> int:
        """Note a call about `need`; how many there were about it."""
        self._calls = self._calls + 1 if need.seq == self._about else 1
        self._about = need.seq
        self._made.append(now_us)
        return self._calls

    def _pause_us(self) -> int:
        settings = self._settings
        pause_s = min(settings.longest_s, settings.repeat_s * 2.0 ** min(self._calls - 1, 30))
        return int(pause_s * MICROSECONDS)
