"""What the surveyor does next, and the calls that it makes most."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.simulator.policies import step
from core.simulator.policies.base import Call
from core.simulator.policies.surveyor.progress import Progress
from core.simulator.policies.surveyor.sight import Sight

REPORT = "AUDIT.md"
ROWS_END = "(rows are added above this line)"
PER_STEP, MOST_STEPS = 2, 36
"""Folders in one step of the plan, as long as it has no more steps than these."""
_MINUTES = 240


class Step(step.Step[Progress]):
    """A step of the surveyor."""

    __slots__ = ()


Handler = Callable[[Sight, Progress], Step]


def plan(areas: Sequence[str], active: int) -> Call:
    """The plan with step `active` in work: the tests as they are, the folders a few at a time, the report."""
    size = per_step(areas)
    parts = [areas[start : start + size] for start in range(0, len(areas), size)]
    steps = [("base", "Know the project and its tests before anything is changed", "the tests have run")]
    steps += [(f"part-{number}", _intent(part), "its tests hold") for number, part in enumerate(parts, 1)]
    steps.append(
        ("report", f"Look at what the time allows besides, and finish {REPORT}", "the report reads as intended")
    )
    rows = [
        {"id": name, "intent": intent, "check": check, "minutes": _MINUTES, "status": _status(place, active)}
        for place, (name, intent, check) in enumerate(steps)
    ]
    return Call("plan", {"steps": rows})


def per_step(areas: Sequence[str]) -> int:
    """Folders in one step of a plan that has room for them all."""
    return max(PER_STEP, -(-len(areas) // MOST_STEPS))


def _intent(part: Sequence[str]) -> str:
    root = part[0].rpartition("/")[0] or "."
    return f"Audit {root}: {', '.join(area.rpartition('/')[2] for area in part)}"


def _status(place: int, active: int) -> str:
    return "done" if place < active else "active" if place == active else "todo"


def row(text: str) -> Call:
    """One more row of the report."""
    return Call("edit_file", {"path": REPORT, "old": ROWS_END, "new": f"- {text}\n{ROWS_END}"})


def end(text: str, progress: Progress) -> Step:
    """The last words of a turn."""
    return Step(text, progress.to("done"), final=True)
