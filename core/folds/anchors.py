"""Where the objective was last said on a branch, and what has happened since that is a reason to say it again."""

from __future__ import annotations

from core.events import ContextCompressed, Event, GuidanceDelivered, PlanChanged
from core.folds.branches import Branches, Column
from core.folds.fold import Handler

IN_PLACE = frozenset({"window", "mask", "evict"})
RECENT_PLANS = 50
"""Changes of the plan that are looked through for the one before the last reminder."""


class Anchors:
    """The opening and every reminder; compressions and finished steps since."""

    def __init__(self, branches: Branches) -> None:
        self._branches = branches
        self._said: Column[int] = Column()
        self._compressed: Column[int] = Column()
        self._steps: Column[tuple[int, tuple[str, ...]]] = Column()

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._say,
            "guidance.delivered": self._guided,
            "context.compressed": self._note_compression,
            "plan.changed": self._planned,
        }

    @property
    def last(self) -> int:
        """The event that said the objective last, on this branch."""
        return self._said.last(self._branches.spans()) or 0

    @property
    def compressed_since(self) -> bool:
        return (self._compressed.last(self._branches.spans()) or 0) > self.last

    @property
    def step_ended_since(self) -> bool:
        """Whether a step of the plan was finished after the objective was last said."""
        changes = [steps for _, steps in self._steps.tail(self._branches.spans(), RECENT_PLANS)]
        before = [done for seq, done in changes if seq <= self.last]
        return bool(changes) and changes[-1][0] > self.last and len(changes[-1][1]) > len(before[-1] if before else ())

    def _say(self, event: Event) -> None:
        self._said.append(event.seq, event.seq)

    def _guided(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered) and event.body.source == "anchor":
            self._say(event)

    def _note_compression(self, event: Event) -> None:
        """One that left the turns in place, or happens with each of them, is no reason of its own."""
        if isinstance(event.body, ContextCompressed) and event.body.policy not in IN_PLACE:
            self._compressed.append(event.seq, event.seq)

    def _planned(self, event: Event) -> None:
        if isinstance(event.body, PlanChanged):
            done = tuple(step.id for step in event.body.steps if step.status == "done")
            self._steps.append(event.seq, (event.seq, done))
