"""The pace of a session beside a twin's, and when chance alone does not explain that it is slower."""

from __future__ import annotations

import random
import statistics
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from core.journal.errors import JournalError
from core.journal.reader import Reader

SLOWEST = 0.95
"""The share of the twin's pace that is still no fault."""
DRAWN, SURE = 400, 0.975
"""How often steps are drawn anew for the bound, and the share of the draws that lie below it."""
LEAST_STEPS = 8


class Steps:
    """When the calls of a session ended; each look reads on from where the last one ended."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._after = folder, 0
        self._at_us: list[int] = []

    def count(self) -> int:
        with suppress(JournalError, FileNotFoundError), Reader(self._folder) as reader:
            while events := reader.events(self._after, 2000):
                self._after = events[-1].seq
                self._at_us += [event.at_us for event in events if event.kind == "tool.finished"]
        return len(self._at_us)

    def seconds(self, since: int) -> list[float]:
        """The time of each step after the first `since`."""
        self.count()
        return [(later - earlier) / 1e6 for earlier, later in pairwise(self._at_us[since:])]


def paces(disturbed: list[float], twin: list[float]) -> tuple[float, float]:
    """The share of the twin's pace, and how much it may be at best where chance is allowed for; 0 where it stood."""
    if len(disturbed) < LEAST_STEPS - 1:
        return 0.0, 0.0
    pick = random.Random(len(disturbed))

    def drawn(times: list[float]) -> float:
        return statistics.median(pick.choices(times, k=len(times)))

    shares = sorted(drawn(twin) / drawn(disturbed) for _ in range(DRAWN))
    return statistics.median(twin) / statistics.median(disturbed), shares[int(SURE * DRAWN)]
