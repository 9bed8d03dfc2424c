"""The plan on the current branch, as of any event."""

from __future__ import annotations

from core.events import Event, PlanChanged
from core.folds.branches import Branches, Column
from core.folds.fold import Handler


class Plan:
    """The latest `plan.changed` of the branch is the plan."""

    def __init__(self, branches: Branches) -> None:
        self._branches = branches
        self._changes: Column[PlanChanged] = Column()

    def handlers(self) -> dict[str, Handler]:
        return {"plan.changed": self._changed}

    def _changed(self, event: Event) -> None:
        if isinstance(event.body, PlanChanged):
            self._changes.append(event.seq, event.body)

    def at(self, at: int | None = None) -> PlanChanged | None:
        """The plan as of event `at`, None while there is none."""
        return self._changes.last(self._branches.spans(at))
