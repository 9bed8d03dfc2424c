"""What the step of the plan that is under way has taken: time in which the session ran, and calls."""

from __future__ import annotations

from core.clock import MICROSECONDS
from core.events import Event, MachineSlept, PlanStep
from core.folds.fold import Handler
from core.folds.guards.finding import Finding, Limits
from core.folds.plan import Plan


class StepClock:
    """Counts for the active step of the plan on the current branch. Standing still does not count."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._step: PlanStep | None = None
        self._since, self._calls, self._ran_us = 0, 0, 0
        self._last_us: int | None = None

    def handlers(self) -> dict[str, Handler]:
        return {
            **dict.fromkeys(("plan.changed", "head.moved"), self._turned),
            **dict.fromkeys(("session.paused", "session.finished"), self._stopped),
            **dict.fromkeys(("session.continued", "runner.attached"), self._started),
            "machine.slept": self._slept,
            "model.requested": self._ran,
            "model.responded": self._ran,
            "tool.finished": self._called,
        }

    def finding(self, limits: Limits) -> Finding | None:
        """How much of what it may take it has taken, in per cent: time or calls, whichever is more."""
        step = self._step
        if step is None:
            return None
        minutes = self._ran_us / (60 * MICROSECONDS)
        may = step.minutes or limits.step_minutes
        percent = max(100 * minutes / may, 100 * self._calls / limits.step_calls)
        text = (
            f"step {step.id} has taken {minutes:.0f} minutes and {self._calls} calls, "
            f"of {may} minutes and {limits.step_calls} calls"
        )
        return Finding("step", step.id, int(percent), text, (self._since,))

    def _turned(self, event: Event) -> None:
        plan = self._plan.at()
        active = next((step for step in plan.steps if step.status == "active"), None) if plan else None
        self._ran(event)
        if active is None or self._step is None or active.id != self._step.id:
            self._since, self._calls, self._ran_us = event.seq, 0, 0
        self._step = active

    def _ran(self, event: Event) -> None:
        if self._last_us is not None:
            self._ran_us += max(0, event.at_us - self._last_us)
        self._last_us = event.at_us

    def _called(self, event: Event) -> None:
        self._calls += 1
        self._ran(event)

    def _stopped(self, event: Event) -> None:
        self._ran(event)
        self._last_us = None

    def _slept(self, event: Event) -> None:
        if isinstance(event.body, MachineSlept) and self._last_us is not None:
            self._last_us = min(event.at_us, self._last_us + event.body.us)

    def _started(self, event: Event) -> None:
        self._last_us = event.at_us
