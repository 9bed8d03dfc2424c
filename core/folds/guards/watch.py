"""The guards' watch over a running session: every detector fed, and the one signal that is due before the next request.

It reads the log alone and keeps what the detectors keep, so a resumed session is watched as if it had never stopped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from core.events import (
    ConstraintBroken,
    ContextCompressed,
    CourseJudged,
    DriftMeasured,
    Event,
    GuardAnswered,
    GuardRaised,
    GuidanceDelivered,
    ModelFailed,
    ModelRequested,
    Rung,
    ToolFinished,
    ToolStarted,
)
from core.folds.constraints import Constraints
from core.folds.fold import Handler
from core.folds.guards.failures import InvalidArguments, SameFailure
from core.folds.guards.files import Oscillation
from core.folds.guards.finding import MOST_EVIDENCE, RUNGS, Finding, Limits
from core.folds.guards.green import Green
from core.folds.guards.repetition import Repetition
from core.folds.guards.seen import Seen, seen
from core.folds.guards.stagnation import Stagnation
from core.folds.guards.steps import StepClock
from core.folds.guards.talk import Monologue
from core.folds.plan import Plan
from core.folds.words import call_line, one_line

CHANTING = "chanting"
"""The error of a request whose reply was cut because it repeated itself."""
IN_PLACE = frozenset({"window", "mask", "evict"})
"""Compressions that leave the turns where they are."""
RECENT = 4
"""Signals with whose evidence a new one is compared, so that one thing is not said twice."""
_LINE = 60


class Due(NamedTuple):
    """A signal that is to be raised on this rung."""

    finding: Finding
    rung: Rung


class _Raised(NamedTuple):
    rank: int
    times: int
    seq: int


class GuardWatch:
    """Feeds the detectors. Calls that run side by side are taken in the order in which they began."""

    def __init__(self, plan: Plan, constraints: Constraints) -> None:
        self.raised = 0
        """Signals so far: the next one is `g<raised + 1>`."""
        self._repetition, self._failure, self._arguments = Repetition(), SameFailure(), InvalidArguments()
        self._oscillation, self._stagnation, self._monologue = Oscillation(), Stagnation(), Monologue()
        self._steps, self._constraints, self.green = StepClock(plan), constraints, Green(constraints)
        self._of_calls = (
            self._arguments,
            self._repetition,
            self._failure,
            self._oscillation,
            self._stagnation,
        )
        self._open: dict[str, Event] = {}
        self._done: list[Seen] = []
        self._found: dict[tuple[str, str], Finding] = {}
        self._chants: list[int] = []
        self._drift: DriftMeasured | None = None
        self._allowed: set[tuple[str, str]] = set()
        self._rungs: dict[tuple[str, str], _Raised] = {}
        self._recent: deque[tuple[int, frozenset[int]]] = deque(maxlen=RECENT)

    def handlers(self) -> dict[str, Handler]:
        """The clock of the steps is one of the handlers of its own kinds, before what is decided by it."""
        own: dict[str, Handler] = {
            "tool.started": self._started,
            "tool.finished": self._finished,
            "model.requested": self._requested,
            "model.responded": self._replied,
            "model.failed": self._failed,
            "plan.changed": self._planned,
            "guidance.delivered": self._guided,
            "session.continued": self._afresh,
            "head.moved": self._afresh,
            "context.compressed": self._compressed,
            "constraint.broken": self._broken,
            "drift.measured": self._drifted,
            "course.judged": self._judged,
            "guard.raised": self._raise,
            "guard.answered": self._answered,
        }
        clock = self._steps.handlers()
        return {kind: _both(clock.get(kind), own.get(kind)) for kind in clock | own}

    def due(self, limits: Limits) -> Due | None:
        """The most pressing signal that was not raised yet; None while all is well, or the guards are off."""
        if not limits.enabled:
            return None
        found = [*self._found.values(), *filter(None, (self._monologue.finding(), self._steps.finding(limits)))]
        due = [Due(finding, rung) for finding in found if (rung := self._rung(finding, limits)) is not None]
        return max(due, key=lambda signal: RUNGS.index(signal.rung), default=None)

    def _rung(self, finding: Finding, limits: Limits) -> Rung | None:
        key = (finding.guard, finding.subject)
        rung = limits.ladder(finding.guard).reached(finding.times)
        if rung is None or key in self._allowed:
            return None
        rank, last = RUNGS.index(rung), self._rungs.get(key)
        again = last is not None and (
            finding.times < last.times or (len(finding.evidence) > 1 and finding.evidence[0] > last.seq)
        )
        if last is not None and not again and rank <= last.rank:
            return None
        return None if last is None and self._told(rank, finding) else rung

    def _told(self, rank: int, finding: Finding) -> bool:
        """Whether another guard has said as much about most of the same events."""
        evidence = frozenset(finding.evidence)
        return any(rank <= told and 2 * len(evidence & known) >= len(evidence) for told, known in self._recent)

    def _started(self, event: Event) -> None:
        if isinstance(event.body, ToolStarted) and event.key:
            self._open[event.key] = event
            self._monologue.act()

    def _finished(self, event: Event) -> None:
        began, body = self._open.pop(event.key or "", None), event.body
        if began is None or not isinstance(began.body, ToolStarted) or not isinstance(body, ToolFinished):
            return
        line = one_line(call_line(began.body.name, began.body.arguments), _LINE)
        self._note(self.green.observe(began.body, event.seq, body))
        self._done.append(seen(began.seq, began.body, event.seq, event.at_us, body, line))
        if not self._open:
            done, self._done = sorted(self._done, key=lambda call: call.began), []
            for call in done:
                self.observe(call)

    def observe(self, call: Seen) -> None:
        """Take in a finished call."""
        for detector in self._of_calls:
            self._note(detector.observe(call))

    def _note(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._found[finding.guard, finding.subject] = finding

    def _requested(self, event: Event) -> None:
        """What was not raised before this request is not raised for its own sake any more."""
        if isinstance(event.body, ModelRequested) and event.body.purpose == "main":
            self._found.clear()

    def _replied(self, event: Event) -> None:
        self._chants.clear()
        self._monologue.reply(event.seq)

    def _failed(self, event: Event) -> None:
        if isinstance(event.body, ModelFailed) and event.body.error == CHANTING:
            self._chants.append(event.seq)
            text = f"a reply was cut because it repeated itself, {len(self._chants)} times for this request"
            self._note([Finding("chanting", "session", len(self._chants), text, tuple(self._chants))])

    def _broken(self, event: Event) -> None:
        body = event.body
        one = self._constraints.by_id.get(body.constraint) if isinstance(body, ConstraintBroken) else None
        if not isinstance(body, ConstraintBroken) or one is None or not one.stands():
            return
        words = f"{one.id} `{one.body.text}`"
        if body.prevented:
            seqs, text = (
                one.prevented,
                f"{words} kept {len(one.prevented)} calls from running, the last one: {body.what}",
            )
        else:
            seqs = one.broken
            text = f"{words} was broken {len(seqs)} times, the last time: {body.what}"
        guard = "forbidden" if body.prevented else "constraint"
        self._note([Finding(guard, one.id, len(seqs), text, tuple(seqs[-MOST_EVIDENCE:]))])

    def _drifted(self, event: Event) -> None:
        body = event.body
        if isinstance(body, DriftMeasured) and body.score >= body.threshold:
            self._drift = body
            self._note([_drift(body, 1, "")])

    def _judged(self, event: Event) -> None:
        """A no of two models, and the number that they were asked about."""
        body = event.body
        if isinstance(body, CourseJudged) and body.about == "drift" and body.verdict == "no" and self._drift:
            self._note([_drift(self._drift, 2, body.why)])

    def _planned(self, event: Event) -> None:
        self._stagnation.came_on()

    def _guided(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered) and event.body.source == "user":
            self._afresh(event)

    def _afresh(self, event: Event) -> None:
        """The user has looked at it, or what was done is on another branch: the count begins anew."""
        for detector in (*self._of_calls, self._monologue):
            detector.reset()
        self._found.clear()
        self._chants.clear()
        self._rungs = {key: raised for key, raised in self._rungs.items() if key[0] == "step"}
        self._open.clear()
        self._done.clear()

    def _compressed(self, event: Event) -> None:
        """What has left the context is rightly looked at again."""
        if isinstance(event.body, ContextCompressed) and event.body.policy not in IN_PLACE:
            self._repetition.forget_near()
            self._stagnation.reset()

    def _raise(self, event: Event) -> None:
        body = event.body
        if isinstance(body, GuardRaised):
            self.raised += 1
            rank = RUNGS.index(body.rung)
            self._rungs[body.guard, body.subject] = _Raised(rank, body.times, event.seq)
            self._recent.append((rank, frozenset(body.evidence)))
            self._found.pop((body.guard, body.subject), None)

    def _answered(self, event: Event) -> None:
        if isinstance(event.body, GuardAnswered) and not event.body.right:
            self._allowed.add((event.body.guard, event.body.subject))


def _drift(measured: DriftMeasured, times: int, why: str) -> Finding:
    reasons = ", ".join(measured.reasons) or "many small signs"
    number = f"{measured.score:.1f}, from {measured.threshold:g} on"
    text = f"the latest calls are unlike the work before ({number}): {reasons}"
    told = f"{text}; two models that read the log agree{f': {why}' if why else ''}" if times > 1 else text
    return Finding("drift", measured.subject, times, told, tuple(measured.evidence))


def _both(first: Callable[[Event], None] | None, second: Callable[[Event], None] | None) -> Handler:
    """One handler of two, in this order."""
    if first is None or second is None:
        handler = first or second
        assert handler is not None
        return handler

    def handle(event: Event) -> None:
        first(event)
        second(event)

    return handle
