"""How a rescued journal ends: whatever was open when its readable part stops is given an honest outcome.

The lost part may hold the outcomes, and the workspace has their effects: nothing of it may run again unasked.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.events import Body, Draft, Event, GuidanceDelivered, ModelFailed, RunnerRecovered, ToolFinished
from core.folds.fold import Dispatcher
from core.folds.state import RunState
from core.journal import rows
from core.journal.rows import Prepared

_ACTOR = "recovery"
_UNKNOWN = (
    "The outcome of this call is unknown: it was in a part of the journal that can't be read any more. The call may "
    "have run, wholly or in part. Look at the workspace before you repeat it."
)
_NOTICE = (
    "The journal of this session was damaged on the disk, and what came after this point is lost. You may have done "
    "more than is written here: the workspace can be ahead of this conversation. Look at its files before you go on."
)


class Aftermath:
    """Follows the readable events, then says how to close them."""

    def __init__(self) -> None:
        self._state = RunState()
        self._dispatch = Dispatcher([self._state])

    @property
    def head(self) -> int | None:
        """The node that the next node hangs under."""
        return self._state.head

    def observe(self, event: Event) -> None:
        """Take the next event in."""
        self._state.observe(event)
        self._dispatch.apply(event)

    def closing(self, findings: Sequence[str], *, lost: bool) -> list[Prepared]:
        """The events to append: the findings, and when later events may be `lost`, outcomes for what is open here."""
        bodies = self._outcomes() if lost else []
        bodies.append((RunnerRecovered(findings=list(findings)), None))
        if lost and self._state.opened is not None:
            bodies.append((GuidanceDelivered(text=_NOTICE, source="notice"), None))
        return [rows.prepare(Draft(body, key=key, actor=_ACTOR)) for body, key in bodies]

    def _outcomes(self) -> list[tuple[Body, str | None]]:
        bodies: list[tuple[Body, str | None]] = []
        for attempt in filter(None, (self._state.open_attempt, *sorted(self._state.open_sides))):
            lost = ModelFailed(error="interrupted", message="the reply was in a part of the journal that is lost")
            bodies.append((lost, attempt))
        for call in self._state.pending.values():
            unknown = ToolFinished(name=call.name, use_id=call.use_id, ok=False, content=_UNKNOWN, recovered=True)
            bodies.append((unknown, call.key))
        return bodies
