"""What each step of the plan took: turns, calls, money and time while it was the active one.

Every moment belongs to the step that was active then, or to none. So only the changes of the plan are kept, and what
was spent between two of them is the difference of the session's own sums: reading costs a few bisections a step.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from core.clock import MICROSECONDS
from core.events import Event, PlanChanged, PlanStep
from core.folds.branches import FOREVER, Column, Span
from core.folds.costs import MAIN, Bill, Costs
from core.folds.fold import Handler, Series
from core.folds.idle import Idle
from core.folds.plan import Plan
from core.folds.timeline import Timeline
from core.folds.tool_calls import ToolCalls

NO_STEP = ""


class Spend(Struct, frozen=True):
    """What was spent: replies and calls, US dollars (`unpriced` replies left out), microseconds in which it ran."""

    turns: int = 0
    calls: int = 0
    usd: Decimal = Decimal(0)
    unpriced: int = 0
    us: int = 0

    @property
    def seconds(self) -> float:
        """Without the time in which the session was paused, ended or run by nobody."""
        return self.us / MICROSECONDS

    def __add__(self, other: Spend) -> Spend:
        return Spend(
            self.turns + other.turns,
            self.calls + other.calls,
            self.usd + other.usd,
            self.unpriced + other.unpriced,
            self.us + other.us,
        )

    def __sub__(self, other: Spend) -> Spend:
        return self + Spend(-other.turns, -other.calls, -other.usd, -other.unpriced, -other.us)


class Reassessment(NamedTuple):
    """The plan was changed with a reason while `step` was active (empty: while none was)."""

    seq: int
    at_us: int
    step: str
    reason: str


class StepCost(Struct, frozen=True):
    """A step and what it took. `since`, `done`: the events with which it first became active, and was done last."""

    step: PlanStep
    since: int | None
    done: int | None
    spend: Spend
    reassessed: tuple[Reassessment, ...]


class StepCosts:
    """Per step as of any event; what was spent on an abandoned branch was spent on its step all the same."""

    def __init__(self, plan: Plan, timeline: Timeline, costs: Costs, calls: ToolCalls, idle: Idle) -> None:
        self._plan, self._timeline, self._costs, self._calls, self._idle = plan, timeline, costs, calls, idle
        self._starts: list[int] = [0]
        self._stretches: dict[str, list[int]] = {NO_STEP: [0]}
        """By step the indexes into `_starts` from which on it was active, each until the next start."""
        self._active = NO_STEP
        self._done: dict[str, Series[int | None]] = {}
        self._reassessed: Column[Reassessment] = Column()
        self._planned = False

    def handlers(self) -> dict[str, Handler]:
        return {"plan.changed": self._changed, "head.moved": self._turn}

    def at(self, at: int | None = None) -> list[StepCost]:
        """The steps of the plan as of event `at`, in its order; empty while there is none."""
        plan, reasons = self._plan.at(at), self.reassessments(at)
        return [self._cost(step, reasons, at) for step in plan.steps] if plan else []

    def elsewhere(self, at: int | None = None) -> Spend:
        """What was spent while no step of this plan was active: with those of `at` it adds up to everything."""
        plan = self._plan.at(at)
        steps = {step.id for step in plan.steps} if plan else set()
        return sum((self._spent(id, at) for id in self._stretches if id not in steps), Spend())

    def reassessments(self, at: int | None = None) -> list[Reassessment]:
        """Every change of the plan that gave a reason, the first plan left out; oldest first, of all branches."""
        return self._reassessed.within([Span(0, FOREVER if at is None else at)])

    def _cost(self, step: PlanStep, reasons: list[Reassessment], at: int | None) -> StepCost:
        first = next((self._starts[index] for index in self._stretches.get(step.id, ())), None)
        return StepCost(
            step,
            since=None if first is None or (at is not None and first > at) else first,
            done=self._done[step.id].at(at) if step.id in self._done else None,
            spend=self._spent(step.id, at),
            reassessed=tuple(reason for reason in reasons if reason.step == step.id),
        )

    def _spent(self, step: str, at: int | None) -> Spend:
        now, spend = len(self._timeline.times) if at is None else at, Spend()
        for index in self._stretches.get(step, ()):
            start = self._starts[index]
            end = self._starts[index + 1] if index + 1 < len(self._starts) else now
            if start < now:
                spend += self._sum(min(end, now)) - self._sum(start)
        return spend

    def _sum(self, seq: int) -> Spend:
        """Everything up to event `seq`."""
        bill, main = self._costs.total.at(seq), self._costs.by_purpose.get(MAIN)
        turns = main.at(seq) if main else Bill()
        us = self._timeline.at_us(seq) - self._timeline.at_us(1) - self._idle.until_us(seq)
        return Spend(turns.replies, self._calls.count(seq), bill.usd, bill.unpriced, us)

    def _changed(self, event: Event) -> None:
        if isinstance(event.body, PlanChanged):
            if event.body.reason and self._planned:
                reason = Reassessment(event.seq, event.at_us, self._active, event.body.reason)
                self._reassessed.append(event.seq, reason)
            self._planned = True
            self._turn(event)

    def _turn(self, event: Event) -> None:
        """Look at the plan as it stands now, after a change or on another branch."""
        plan = self._plan.at()
        steps = plan.steps if plan else []
        active = next((step.id for step in steps if step.status == "active"), NO_STEP)
        if active != self._active:
            self._stretches.setdefault(active, []).append(len(self._starts))
            self._starts.append(event.seq)
            self._active = active
        for step in steps:
            self._note_done(event.seq, step)

    def _note_done(self, seq: int, step: PlanStep) -> None:
        done = self._done.setdefault(step.id, Series(None))
        if (step.status == "done") != (done.last is not None):
            done.append(seq, seq if step.status == "done" else None)
