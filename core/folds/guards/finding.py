"""What a detector sees, the ladder of a guard, and the thresholds by which it is climbed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, get_args

from core.events import Rung

RUNGS: tuple[Rung, ...] = get_args(Rung)
MOST_EVIDENCE = 12
"""Events that a signal names: the latest."""


class Finding(NamedTuple):
    """Something that was seen `times` times, as of the last of the events `evidence` (ascending).

    `subject` tells it from others of the same guard; `marks` are the signatures of the calls that made it.
    """

    guard: str
    subject: str
    times: int
    text: str
    evidence: tuple[int, ...] = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ladder:
    """From how many times on each rung is taken; 0: never. `reached` is the highest one."""

    notice: int = 0
    nudge: int = 0
    reassess: int = 0
    pause: int = 0

    def reached(self, times: int) -> Rung | None:
        taken = [rung for rung in RUNGS if 0 < getattr(self, rung) <= times]
        return taken[-1] if taken else None


@dataclass(frozen=True, slots=True)
class Limits:
    """The ladder of each guard, and the sizes that they count in.

    repetition: the same call with the same result. cycle: full periods of 2 to 6 calls. failure: the same failure.
    oscillation: a file came back to an earlier state. stagnation: calls of which nothing came. monologue: replies
    without a call. chanting: replies that were cut because they repeated themselves. arguments:
    calls of a tool in a row that were refused for their arguments. step: per cent of what a step may take, in
    `step_minutes` and `step_calls`. constraint: a constraint of the user was broken. forbidden: calls that one kept
    from running. red: runs of a check that is to stay green and fails. drift: 1 when the number passed its threshold,
    2 when two judges agreed.
    """

    enabled: bool = True
    repetition: Ladder = Ladder(3, 4, 6, 9)
    cycle: Ladder = Ladder(3, 3, 4, 6)
    failure: Ladder = Ladder(3, 3, 5, 7)
    oscillation: Ladder = Ladder(2, 3, 4, 6)
    stagnation: Ladder = Ladder(25, 40, 60, 90)
    monologue: Ladder = Ladder(2, 2, 3, 5)
    chanting: Ladder = Ladder(1, 1, 2, 3)
    arguments: Ladder = Ladder(2, 3, 5, 8)
    step: Ladder = Ladder(80, 0, 100, 400)
    constraint: Ladder = Ladder(0, 1, 0, 2)
    forbidden: Ladder = Ladder(1, 0, 4, 8)
    red: Ladder = Ladder(1, 4, 8, 16)
    drift: Ladder = Ladder(1, 2, 0, 0)
    step_minutes: int = 30
    step_calls: int = 150

    def ladder(self, guard: str) -> Ladder:
        ladder = getattr(self, guard)
        assert isinstance(ladder, Ladder)
        return ladder
