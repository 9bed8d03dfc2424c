"""The scripted supervisor: what somebody at the screen would do, posted to the session's inbox at named events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.agent.commands import parse_words
from core.clock import VirtualClock
from core.events import ApprovalAsked, Event
from core.ids import ulid
from core.journal.inbox import Command, post
from core.rehearsal.calendar import Lull
from core.rehearsal.pace import Hours

BACK = 40
"""Calls that the rewind takes back."""
THINKS_S = 9 * 60
"""Until a question is answered."""
LATER = "{later}"
"""The department that is first left out, then taken in after all."""
CHECKPOINT = "{checkpoint}"
_SCRIPT: tuple[tuple[float, str], ...] = (
    (1, f"guide leave out {LATER} for now; its people are at work on it"),
    (3, "guide --standing Keep every public name as it is."),
    (5, "remember The report is read by people who know no Python."),
    (8, "budget 60"),
    (11.5, "compress keep what is known of review codes"),
    (12, "undo"),
    (19.5, f"rewind {CHECKPOINT}"),
    (20, f"guide I changed my mind: take {LATER} in after all."),
    (24, "model surveyor-next"),
    (28, "bookmark the last quarter begins"),
)


@dataclass(slots=True)
class Supervisor:
    """Gives the orders that are due; answers each question with yes. `calls`: how many there were before."""

    folder: Path
    clock: VirtualClock
    calls: int
    left: list[tuple[int, str]]
    later: str
    _said_us: int = 0
    """When the last order was given: ids tell the order of two only where a millisecond lies between them."""
    _thoughts: set[asyncio.Task[None]] = field(default_factory=set)
    _lull: Lull = field(default_factory=Lull)
    _checkpoints: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=200))

    @classmethod
    def of(
        cls,
        folder: Path,
        clock: VirtualClock,
        calls: int,
        hours: Hours,
        areas: Sequence[str],
        settled: int | None = None,
    ) -> Supervisor:
        """For a rehearsal with such hours over these departments. `settled`: calls up to which orders were given."""
        orders = [(hours.call(hour), words) for hour, words in _SCRIPT]
        later = areas[len(areas) * 2 // 5]
        return cls(
            folder,
            clock,
            calls,
            [order for order in orders if order[0] > (calls if settled is None else settled)],
            later,
        )

    def observe(self, events: list[Event]) -> None:
        """To be called after each commit."""
        for event in events:
            if event.kind == "tool.finished":
                self.calls += 1
            elif event.kind == "checkpoint.made":
                self._checkpoints.append((self.calls, event.seq))
            elif isinstance(event.body, ApprovalAsked):
                self._think()
            if self._lull.begins(event):
                while self.left and self.left[0][0] <= self.calls:
                    self._say(self.left.pop(0)[1])

    def _think(self) -> None:
        """Answer after a while that passes as time does, so that the session can do meanwhile what it does."""

        async def answer() -> None:
            await self.clock.sleep(THINKS_S)
            self._say("approve")

        task = asyncio.get_running_loop().create_task(answer())
        self._thoughts.add(task)
        task.add_done_callback(self._thoughts.discard)

    def _say(self, words: str) -> None:
        verb, *rest = words.replace(LATER, self.later).replace(CHECKPOINT, str(self._back())).split(" ")
        now_us = self._said_us = max(self.clock.now_us(), self._said_us + 1_000)
        args = parse_words(verb, [word for word in rest if word])
        post(self.folder, Command(id=ulid(now_us), verb=verb, args=args, at=now_us, origin="the script of a rehearsal"))

    def _back(self) -> int:
        """The checkpoint that lies so many calls back, the oldest that is known where there is none."""
        old = [seq for calls, seq in self._checkpoints if calls <= self.calls - BACK]
        return old[-1] if old else self._checkpoints[0][1] if self._checkpoints else 1
