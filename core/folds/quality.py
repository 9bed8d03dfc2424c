"""How well the work went, hour by hour, and whether it got worse: first against last quarter of the calls.

Rates come with a 95 % interval (Wilson's, and Newcombe's for a difference); where there is too little to say anything,
that is said.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from math import sqrt
from typing import Any

from core.clock import MICROSECONDS
from core.events import ConstraintBroken, Event, GuidanceDelivered, PlanChanged, ToolFinished, ToolStarted
from core.folds.commands import passed, reading
from core.folds.costs import Costs
from core.folds.fold import Handler
from core.folds.totals import digest

HOUR_US = 3_600 * MICROSECONDS
LEAST_CALLS = 30
"""Calls of a quarter below which nothing is said of it."""
_Z = 1.96


@dataclass(slots=True)
class Hour:
    """What happened in one hour of the session, counted. `redundant`: calls that repeat an earlier one with the same
    result and no file changed in between; `rework`: lines that the agent had written itself and took out again;
    `broken`: constraints of the user."""

    calls: int = 0
    errors: int = 0
    redundant: int = 0
    corrections: int = 0
    checks: int = 0
    failed_checks: int = 0
    rework: int = 0
    steps_done: int = 0
    broken: int = 0
    usd: float = 0.0


class Quality:
    """Counts by hour since the session began, every branch: work on an abandoned one was work."""

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        self._hours: dict[int, Hour] = {}
        self._start_us = 0
        self._calls: dict[str, ToolStarted] = {}
        self._seen: set[str] = set()
        self._own: dict[str, int] = {}
        self._done: set[str] = set()
        self._usd = Decimal(0)
        self._errors, self._redundant = bytearray(), bytearray()

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._opened,
            "tool.started": self._started,
            "tool.finished": self._finished,
            "guidance.delivered": self._guided,
            "plan.changed": self._planned,
            "constraint.broken": self._broken,
            **dict.fromkeys(("model.responded", "model.consulted", "model.failed"), self._paid),
        }

    def by_hour(self) -> list[dict[str, Any]]:
        """One row for each hour in which something happened; rates are None where nothing was counted."""
        return [
            {
                "hour": number,
                **asdict(hour),
                "usd": round(hour.usd, 6),
                "error_rate": _rate(hour.errors, hour.calls),
                "redundant_rate": _rate(hour.redundant, hour.calls),
                "usd_per_step": round(hour.usd / hour.steps_done, 6) if hour.steps_done else None,
            }
            for number, hour in sorted(self._hours.items())
        ]

    def trend(self) -> dict[str, Any]:
        """First against last quarter of the calls."""
        return {"error_rate": _compared(self._errors), "redundant_rate": _compared(self._redundant)}

    def _at(self, event: Event) -> Hour:
        return self._hours.setdefault(max(0, event.at_us - self._start_us) // HOUR_US, Hour())

    def _opened(self, event: Event) -> None:
        self._start_us = self._start_us or event.at_us

    def _started(self, event: Event) -> None:
        if isinstance(event.body, ToolStarted) and event.key:
            self._calls[event.key] = event.body

    def _finished(self, event: Event) -> None:
        body, started = event.body, self._calls.pop(event.key or "", None)
        if not isinstance(body, ToolFinished) or started is None:
            return
        hour = self._at(event)
        if body.files:
            self._seen.clear()
        result = f"{digest(started.name, started.arguments)}:{body.fingerprint[:12]}"
        redundant = not body.files and result in self._seen
        self._seen.add(result)
        hour.calls += 1
        hour.errors += not body.ok
        hour.redundant += redundant
        self._errors.append(not body.ok)
        self._redundant.append(redundant)
        self._check(hour, started, body)
        for change in body.files:
            own = self._own.get(change.path, 0)
            again = min(change.removed, own)
            hour.rework += again
            self._own[change.path] = own + change.added - again

    def _check(self, hour: Hour, started: ToolStarted, body: ToolFinished) -> None:
        if started.effect != "command":
            return
        read = reading(str(started.arguments.get("command", "")))
        ok = passed(read, body.ok, body.exit_code, body.content) if read.check else None
        if ok is not None:
            hour.checks += 1
            hour.failed_checks += not ok

    def _guided(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered):
            self._at(event).corrections += event.body.source == "guard"

    def _planned(self, event: Event) -> None:
        if isinstance(event.body, PlanChanged):
            done = {step.id for step in event.body.steps if step.status == "done"}
            self._at(event).steps_done += len(done - self._done)
            self._done |= done

    def _broken(self, event: Event) -> None:
        if isinstance(event.body, ConstraintBroken):
            self._at(event).broken += not event.body.prevented

    def _paid(self, event: Event) -> None:
        """What the session's own bill grew by; that fold comes first."""
        usd = self._costs.total.last.usd
        self._at(event).usd += float(usd - self._usd)
        self._usd = usd


def _rate(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _compared(marks: bytearray) -> dict[str, Any]:
    """The share of marked calls in the first and in the last quarter, their difference and its interval."""
    size = len(marks) // 4
    if size < LEAST_CALLS:
        return {"verdict": "not enough data", "calls": len(marks), "needed": 4 * LEAST_CALLS}
    first, last = sum(marks[:size]), sum(marks[-size:])
    low, high = difference_interval(first, last, size)
    verdict = "worse" if low > 0 else "better" if high < 0 else "no difference shown"
    return {
        "verdict": verdict,
        "first": round(first / size, 4),
        "last": round(last / size, 4),
        "difference": round((last - first) / size, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "calls_each": size,
    }


def difference_interval(first: int, last: int, size: int) -> tuple[float, float]:
    """95 % interval of last/size - first/size (Newcombe's hybrid score interval)."""
    p, q = first / size, last / size
    (p_low, p_high), (q_low, q_high) = _wilson(p, size), _wilson(q, size)
    low = q - p - sqrt((q - q_low) ** 2 + (p_high - p) ** 2)
    high = q - p + sqrt((q_high - q) ** 2 + (p - p_low) ** 2)
    return low, high


def _wilson(share: float, size: int) -> tuple[float, float]:
    middle = (share + _Z**2 / (2 * size)) / (1 + _Z**2 / size)
    half = _Z * sqrt(share * (1 - share) / size + _Z**2 / (4 * size**2)) / (1 + _Z**2 / size)
    return max(0.0, middle - half), min(1.0, middle + half)
