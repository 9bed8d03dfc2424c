"""What the user's terminal is known to show.

Between what was painted and what the user sees lies a line that may be slow or stalled. After a frame that matters the
terminal is asked where its cursor stands. It answers in order: a key that comes before the answer was pressed before
the frame could be seen. The column in which the cursor is put for the question is the question's number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from core.clock import monotonic

ROW = 2
"""Not the first: an answer from there reads like a function key."""
COLUMNS = 32
"""Numbers that can be told apart; more questions are never open at once. Each is in the smallest window we draw in."""
PATIENCE_S = 10.0
"""A terminal that has said nothing for so long does not answer: longer than 16 KB take at 2 KB a second."""
GRACE_S = 1.0
"""How long a frame takes to be seen on a terminal that does not answer."""


class Sightings:
    """Counts the questions to the terminal and their answers. `write` gets each question, behind what is painted.

    `timed` is told of each answer how many seconds it took.
    """

    def __init__(self, write: Callable[[str], object], timed: Callable[[float], object] = lambda _: None) -> None:
        self._write, self._timed = write, timed
        self._asked_s: dict[int, float] = {}
        self._mute = False
        self.asked = 0
        self.seen = 0
        """The latest question that was answered: what was painted before it has been seen."""

    def ask(self) -> int:
        """Ask whether what was painted so far is on the terminal; the question's number."""
        self.asked += 1
        self._asked_s[self.asked] = monotonic()
        self._write(f"\x1b7\x1b[{ROW};{self.asked % COLUMNS + 1}H\x1b[6n\x1b8")
        patience = GRACE_S if self._mute else PATIENCE_S
        asyncio.get_running_loop().call_later(patience, self._give_up, self.asked)
        return self.asked

    def ask_again(self) -> None:
        """What was written may be lost, questions too."""
        if self.seen < self.asked:
            self.ask()

    def answered(self, column: int, row: int) -> None:
        """The terminal's cursor stood there, counted from 0."""
        number = self.asked - (self.asked - column) % COLUMNS
        if row == ROW - 1 and number > 0:
            self._mute = False
            self.seen = max(self.seen, number)
            if (asked_s := self._asked_s.pop(number, None)) is not None:
                self._timed(monotonic() - asked_s)

    def _give_up(self, number: int) -> None:
        self._asked_s.pop(number, None)
        if self.seen < number:
            self._mute, self.seen = True, number
