"""When the session is to pause for its user: at a time, at a cost, after a step, or when nobody was heard of."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from core.clock import MICROSECONDS
from core.events import CommandAccepted, Event, PauseScheduled, SessionPaused
from core.folds.fold import Handler
from core.folds.plan import Plan

FORMS = "Say when: 02:00, $12 (in all), +$5 (more), step, unless 02:00, unless +$5, or never."


class Attention:
    """The pauses that are still to come, by the id of the command that asked for each."""

    def __init__(self, plan: Plan) -> None:
        self.coming: dict[str, PauseScheduled] = {}
        self._plan = plan

    def handlers(self) -> dict[str, Handler]:
        return {
            "pause.scheduled": self._scheduled,
            "pause.unscheduled": self._unscheduled,
            "command.accepted": self._heard,
            "session.paused": self._paused,
        }

    def due(self, now_us: int, spent: float) -> str:
        """Why the session is to pause now; empty where it is not."""
        return next((_come(one) for one in self.coming.values() if self._reached(one, now_us, spent)), "")

    def active_step(self) -> str | None:
        """The step of the plan that is under way."""
        plan = self._plan.at()
        return next((step.id for step in plan.steps if step.status == "active"), None) if plan else None

    def _reached(self, one: PauseScheduled, now_us: int, spent: float) -> bool:
        by_time = one.at_us is not None and now_us >= one.at_us
        by_cost = one.usd is not None and spent >= one.usd
        by_step = one.step is not None and self.active_step() != one.step
        return by_time or by_cost or by_step

    def _scheduled(self, event: Event) -> None:
        if isinstance(event.body, PauseScheduled) and event.key:
            self.coming[event.key] = event.body

    def _unscheduled(self, event: Event) -> None:
        self.coming.clear()

    def _heard(self, event: Event) -> None:
        if isinstance(event.body, CommandAccepted):
            self.coming = {id: one for id, one in self.coming.items() if not one.unless_heard or id == event.key}

    def _paused(self, event: Event) -> None:
        """A pause that has come is over; those of the same words, too."""
        body = event.body
        if isinstance(body, SessionPaused) and body.reason == "scheduled":
            self.coming = {id: one for id, one in self.coming.items() if _come(one) != body.detail}


UNHEARD = " unless something is heard of you before"


def _come(one: PauseScheduled) -> str:
    """What it waited for, now that it has come."""
    return one.words.replace(UNHEARD, ", and nothing was heard of you")


def read_schedule(
    text: str, now_us: int, spent: float, step: str | None, zone: tzinfo | None = None
) -> PauseScheduled | None:
    """What a time, a cost or a step in words means; None for `never`. Raises ValueError with a sentence.

    A time of the day is the next one in `zone` (None: the local one).
    """
    words = text.strip().lower().split()
    unless = words[:1] == ["unless"]
    rest = words[unless:]
    if words == ["never"]:
        return None
    if len(rest) != 1:
        raise ValueError(FORMS)
    (what,) = rest
    heard = UNHEARD if unless else ""
    if what == "step" and not unless:
        if step is None:
            raise ValueError("No step of the plan is under way, so there is none to wait for.")
        return PauseScheduled(words=f"step {step} is over", step=step)
    if ":" in what:
        at_us = _next_time(what, now_us, zone)
        return PauseScheduled(words=f"it is {what}{heard}", at_us=at_us, unless_heard=unless)
    more = what.startswith("+")
    try:
        amount = float(what.removeprefix("+").removeprefix("$"))
    except ValueError:
        raise ValueError(FORMS) from None
    usd = amount + spent if more or unless else amount
    if not 0 < amount < 1e9 or usd <= spent:
        raise ValueError(f"${spent:,.2f} are spent already; say a higher amount, or +$5 for five more.")
    return PauseScheduled(words=f"${usd:,.2f} are spent{heard}", usd=usd, unless_heard=unless)


def _next_time(text: str, now_us: int, zone: tzinfo | None) -> int:
    try:
        wanted = datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise ValueError(FORMS) from None
    now = datetime.fromtimestamp(now_us / MICROSECONDS, zone)
    at = now.replace(hour=wanted.hour, minute=wanted.minute, second=0, microsecond=0)
    at = at if at > now else at + timedelta(days=1)
    return int(at.timestamp() * MICROSECONDS)
