"""What the auditor does next: a text, calls, and where that brings it."""

from __future__ import annotations

from collections.abc import Callable

from core.simulator.policies import step
from core.simulator.policies.auditor.conversation import View
from core.simulator.policies.auditor.progress import Progress
from core.simulator.policies.base import Call


class Step(step.Step[Progress]):
    """A step of the auditor."""

    __slots__ = ()


Handler = Callable[[View, Progress], Step]

_PLAN = (
    (
        "survey",
        "Know the project: its tree, its configuration, how it is tested",
        "the tree and the configuration are read",
    ),
    ("baseline", "Run the tests before anything is changed", "a test run with a known outcome"),
    ("scan", "Scan the code and read each finding in its context", "every finding is listed with file and line"),
    (
        "repair",
        "Mend the findings one kind and file at a time, with a test run after each",
        "tests are as at the start",
    ),
    ("verify", "Scan and test the whole project again", "both outputs are from after the last change"),
    ("report", "Write AUDIT.md and read it back", "each claim in it comes from an output"),
)


def plan(active: int, note: str = "") -> Call:
    """The plan with step `active` (counted from 0) in work, those before it done; 6 means all are done."""
    status = ["done" if place < active else "active" if place == active else "todo" for place in range(len(_PLAN))]
    steps = [
        {"id": name, "intent": intent, "check": check, "status": status[place]}
        for place, (name, intent, check) in enumerate(_PLAN)
    ]
    if note and active:
        steps[min(active, len(steps)) - 1]["note"] = note
    return Call("plan", {"steps": steps})


def end(text: str, progress: Progress) -> Step:
    """The last words of a turn."""
    return Step(text, progress.next("done"), final=True)
