"""Check-ins: every so many minutes or dollars the session tells its user what was done since the last one."""

from __future__ import annotations

from core.clock import MICROSECONDS
from core.events import CheckInMade, CheckInsSet, Event, PlanChanged, ToolFinished
from core.folds.costs import Costs
from core.folds.fold import Handler
from core.folds.plan import Plan
from core.folds.words import one_line

FORMS = "Say how often: 30m, 2h or $5, with `pause` behind it where it is to stand until you continue; or never."
MINUTE_US = 60 * MICROSECONDS
MOST_FILES = 2_000
"""Files that are told apart between two check-ins."""
_LINE = 60


class CheckIns:
    """What was done since the last check-in, and when the next one is due."""

    def __init__(self, plan: Plan, costs: Costs) -> None:
        self.wanted = CheckInsSet()
        self.known = False
        """Whether anybody has said how often."""
        self.made = 0
        self.since = 0
        """The event of the last one, or from which on they are wanted."""
        self._plan, self._costs = plan, costs
        self._from_us, self._usd = 0, 0.0
        self._counted_us, self._counted_usd = 0, 0.0
        self._done: set[str] = set()
        self._start_afresh()

    def handlers(self) -> dict[str, Handler]:
        return {
            "checkin.set": self._set,
            "checkin.made": self._told,
            "session.continued": self._heard,
            "tool.finished": self._called,
            "plan.changed": self._planned,
        }

    def due(self, now_us: int) -> str:
        """What there is to tell now; empty where it is not time to."""
        wanted, spent = self.wanted, self._spent()
        late = wanted.minutes is not None and now_us - self._counted_us >= wanted.minutes * MINUTE_US
        dear = wanted.usd is not None and spent - self._counted_usd >= wanted.usd
        return self._words(now_us, spent) if late or dear else ""

    def _words(self, now_us: int, spent: float) -> str:
        minutes = max(0, now_us - self._from_us) // MINUTE_US
        lasted = f"in {minutes} min" if minutes else "within a minute"
        failed = f", {self._failed} failed" if self._failed else ""
        files = f"{len(self._files)} file{'s' * (len(self._files) != 1)} changed" if self._files else "no file changed"
        steps = f"done: {', '.join(one_line(step, _LINE) for step in self._steps)}" if self._steps else ""
        plan = self._plan.at()
        at_work = next((step.intent for step in plan.steps if step.status == "active"), "") if plan else ""
        now = f"at work on: {one_line(at_work, _LINE)}" if at_work else ""
        told = (
            f"{lasted} {self._calls} call{'s' * (self._calls != 1)}{failed}",
            files,
            f"${spent - self._usd:.2f} spent, ${spent:.2f} in all",
            steps,
            now,
        )
        return "; ".join(filter(None, told))

    def _spent(self) -> float:
        return float(self._costs.total.last.usd)

    def _start_afresh(self) -> None:
        self._calls = self._failed = 0
        self._files: set[str] = set()
        self._steps: list[str] = []

    def _count_from(self, event: Event) -> None:
        self._counted_us, self._counted_usd = event.at_us, self._spent()

    def _set(self, event: Event) -> None:
        if isinstance(event.body, CheckInsSet):
            self.wanted, self.known = event.body, True
            self._told(event)

    def _told(self, event: Event) -> None:
        self.made += isinstance(event.body, CheckInMade)
        self.since, self._from_us, self._usd = event.seq, event.at_us, self._spent()
        self._count_from(event)
        self._start_afresh()

    def _heard(self, event: Event) -> None:
        """Whoever lets it go on has just looked."""
        self._count_from(event)

    def _called(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ToolFinished):
            self._calls += 1
            self._failed += not body.ok
            if len(self._files) < MOST_FILES:
                self._files.update(change.path for change in body.files)

    def _planned(self, event: Event) -> None:
        if not isinstance(event.body, PlanChanged):
            return
        new = [step for step in event.body.steps if step.status == "done" and step.id not in self._done]
        self._steps += [step.intent for step in new]
        self._done |= {step.id for step in new}


def read_check_ins(text: str) -> CheckInsSet:
    """What is meant by words as in `30m pause`. Raises ValueError with a sentence."""
    words = text.strip().lower().split()
    words = words[1:] if words[:1] == ["every"] else words
    pause = words[1:] == ["pause"]
    if words == ["never"]:
        return CheckInsSet()
    if len(words) != 1 + pause:
        raise ValueError(FORMS)
    (what, *_) = words
    unit = 1 if what.endswith("m") else 60 if what.endswith("h") else 0
    try:
        amount = float(what[:-1]) * unit if unit else float(what.removeprefix("$"))
    except ValueError:
        raise ValueError(FORMS) from None
    if not (unit or what.startswith("$")) or not 0.01 <= amount < 1e6:
        raise ValueError(FORMS)
    return CheckInsSet(minutes=amount, pause=pause) if unit else CheckInsSet(usd=amount, pause=pause)
