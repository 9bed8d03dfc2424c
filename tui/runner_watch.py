"""Whether anybody runs the session that one looks at, and whether whoever does gives a sign of life."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.clock import monotonic
from core.events import CommandDone, RunnerAttached
from core.folds.alarms.finding import GONE
from core.folds.words import one_line
from core.journal.errors import JournalError
from core.journal.lease import BEAT_EVERY_S, TRUSTED_S, holder, unresponsive
from core.journal.reader import Reader

LOOK_EVERY_S = 0.4
"""Shortest time between two looks at who runs a session."""
WAKING_S = 1.5 * BEAT_EVERY_S
"""Within so long a runner that was merely asleep has given a sign of life."""
LONGEST_WHY = 200
TAKING_OVER_S = 15.0
"""Within so long the runner to which a session was handed over is there: an interpreter begins, on a busy machine."""
LAST_WORDS = 8
"""Events among which a runner that has let go of its session says so."""


class RunnerWatch:
    """Called often, says in words that the runner of a session is gone; None while it lives.

    It must have been seen once (`held`), and missed twice: its last words may still be on their way. One to which the
    session is handed over has time to come. `fell` says what ended the one in this process, which then need not have
    been seen.
    """

    def __init__(
        self, folder: Path, *, held: bool, every_s: float = LOOK_EVERY_S, fell: Callable[[], str] = lambda: ""
    ) -> None:
        self._folder, self._held, self._every_s, self._fell = folder, held, every_s, fell
        self._looked_s = float("-inf")
        self._missed = 0
        self._gone_s = self._patience_s = 0.0

    def __call__(self) -> str | None:
        if monotonic() - self._looked_s >= self._every_s:
            self._looked_s = monotonic()
            living = holder(self._folder) is not None
            self._held = self._held or living or bool(self._fell())
            self._missed = 0 if living or not self._held else self._missed + 1
            if self._missed == 1:
                self._gone_s, self._patience_s = self._looked_s, TAKING_OVER_S if _handed_over(self._folder) else 0.0
        if self._missed <= 1 or self._looked_s - self._gone_s < self._patience_s:
            return None
        why = one_line(self._fell(), LONGEST_WHY).rstrip(".")
        return f"{f'its runner ended ({why})' if why else GONE}; longwatch resume {self._folder.name[:10]} goes on"


def _handed_over(folder: Path) -> bool:
    """Whether the last runner has let go of the session for another one; blocks."""
    handed = False
    try:
        with Reader(folder) as reader:
            for event in reader.events(max(0, reader.last_seq() - LAST_WORDS)):
                body = event.body
                handed = (isinstance(body, CommandDone) and body.verb == "hand-over") or handed
                handed = handed and not isinstance(body, RunnerAttached)
    except JournalError:
        return False
    return handed


class LifeWatch:
    """Called often, says in words that the runner of a session is there and gives no sign of life; else None.

    Of a machine that has just woken nobody is well, so it is seen again `after_s` later before anything is said.
    """

    def __init__(self, folder: Path, *, every_s: float = LOOK_EVERY_S, after_s: float = WAKING_S) -> None:
        self._folder, self._every_s, self._after_s = folder, every_s, after_s
        self._looked_s = float("-inf")
        self._well_s = monotonic()
        self._hung: int | None = None

    def __call__(self) -> str | None:
        if monotonic() - self._looked_s >= self._every_s:
            self._looked_s, self._hung = monotonic(), unresponsive(self._folder)
        if self._hung is None:
            self._well_s = self._looked_s
            return None
        if monotonic() - self._well_s < self._after_s:
            return None
        return f"process {self._hung} has given no sign of life for {TRUSTED_S:.0f} s and more: stopped, or hung"
