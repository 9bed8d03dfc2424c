"""The plan on the current branch, as of any event."""

from __future__ import annotations

from msgspec.structs import replace

from core.events import Event, PlanChanged
from core.folds.branches import Branches, Column
from core.folds.fold import Handler


class Plan:
    """The latest `plan.changed` of the branch is the plan."""

    def __init__(self, branches: Branches) -> None:
        self._branches = branches
        self._changes: Column[PlanChanged] = Column()
        self._newest = PlanChanged(steps=[])

    def handlers(self) -> dict[str, Handler]:
        return {"plan.changed": self._changed}

    def _changed(self, event: Event) -> None:
        if isinstance(event.body, PlanChanged):
            self._newest = _sharing(event.body, self._newest)
            self._changes.append(event.seq, self._newest)

    def at(self, at: int | None = None) -> PlanChanged | None:
        """The plan as of event `at`, None while there is none."""
        return self._changes.last(self._branches.spans(at))

    def changes(self) -> list[tuple[int, PlanChanged]]:
        """(event, plan) of every change on the current branch, oldest first."""
        return self._changes.pairs(self._branches.spans())


def _sharing(plan: PlanChanged, before: PlanChanged) -> PlanChanged:
    """The same plan with the steps of the one before it that are as they were: most are, and each is kept once."""
    if plan == before:
        return before
    known = {step.id: step for step in before.steps}
    steps = [there if (there := known.get(step.id)) == step else step for step in plan.steps]
    return replace(plan, steps=steps)
