"""What a session may take beside its budget, and what it has taken: time, replies, dollars a day and a step."""

from __future__ import annotations

from typing import NamedTuple, get_args

from core.clock import MICROSECONDS
from core.events import Allowance, AllowanceChanged, Event, GuidanceDelivered, MachineSlept
from core.folds.costs import Costs
from core.folds.fold import Handler, Series
from core.folds.plan import Plan

NAMES: tuple[Allowance, ...] = get_args(Allowance)
WIND_DOWN = "wind-down:"
"""How the keys of notices begin that tell the agent to come to an end."""
_DAY_US = 86_400 * MICROSECONDS


class Taken(NamedTuple):
    """So much of a limit was taken. `name` is an `Allowance`."""

    name: str
    used: float
    limit: float

    @property
    def percent(self) -> int:
        return int(100 * self.used / self.limit) if self.limit else 100

    @property
    def key(self) -> str:
        """Which limit, in which height: a new one is warned of anew."""
        return f"{self.name}:{self.limit:g}"

    def words(self) -> str:
        """`5 h 42 min of 6 h`, `$4.10 of $5.00 today`."""
        match self.name:
            case "minutes":
                return f"{spell_minutes(self.used)} of {spell_minutes(self.limit)}"
            case "usd":
                return f"${self.used:,.2f} of ${self.limit:,.2f}"
            case "turns":
                return f"{self.used:,.0f} of {self.limit:,.0f} turns"
            case _:
                where = "today" if self.name == "day_usd" else "for this step"
                return f"${self.used:,.2f} of ${self.limit:,.2f} {where}"


class Allowances:
    """Limits as of any event; what was taken as of now. Standing still takes no time."""

    def __init__(self, costs: Costs, plan: Plan) -> None:
        self.limits: dict[str, Series[float | None]] = {name: Series(None) for name in NAMES}
        self.told: set[str] = set()
        """The limits of whose end the agent was told."""
        self._costs, self._plan = costs, plan
        self._ran_us, self._last_us = 0, 0
        self._turns = 0
        self._day, self._day_base = 0, 0.0
        self._step, self._step_base = "", 0.0

    def handlers(self) -> dict[str, Handler]:
        return {
            "allowance.changed": self._changed,
            "guidance.delivered": self._guided,
            "model.requested": self._requested,
            "model.responded": self._responded,
            "tool.finished": self._ran,
            "machine.slept": self._slept,
            "plan.changed": self._planned,
            "head.moved": self._planned,
            **dict.fromkeys(("session.paused", "session.finished"), self._stopped),
            **dict.fromkeys(("session.continued", "runner.attached"), self._started),
        }

    def taken(self, now_us: int | None = None) -> list[Taken]:
        """Every limit with what was taken of it; with `now_us`, the time since the last event counts, too, and
        a day that has ended since does not."""
        another_day = now_us is not None and now_us // _DAY_US > self._day
        used = {
            "minutes": self._minutes(now_us),
            "turns": float(self._turns),
            "day_usd": 0.0 if another_day else self._spent - self._day_base,
            "step_usd": self._spent - self._step_base if self._step else 0.0,
        }
        limits = ((name, series.last) for name, series in self.limits.items())
        return [Taken(name, used[name], limit) for name, limit in limits if limit is not None]

    def set(self, name: str) -> bool:
        """Whether somebody ever said something about this limit."""
        return len(self.limits[name]) > 1

    @property
    def _spent(self) -> float:
        return float(self._costs.total.last.usd)

    def _minutes(self, now_us: int | None) -> float:
        since_us = max(0, now_us - self._last_us) if now_us is not None and self._last_us else 0
        return (self._ran_us + since_us) / (60 * MICROSECONDS)

    def _changed(self, event: Event) -> None:
        if isinstance(event.body, AllowanceChanged):
            self.limits[event.body.name].append(event.seq, event.body.value)

    def _guided(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered) and (event.key or "").startswith(WIND_DOWN):
            self.told.add((event.key or "").removeprefix(WIND_DOWN))

    def _requested(self, event: Event) -> None:
        """A request goes before what it costs, so a day begins with what was spent before it."""
        self._ran(event)
        if (day := event.at_us // _DAY_US) != self._day:
            self._day, self._day_base = day, self._spent

    def _responded(self, event: Event) -> None:
        self._turns += 1
        self._ran(event)

    def _planned(self, event: Event) -> None:
        plan = self._plan.at()
        step = next((step.id for step in plan.steps if step.status == "active"), "") if plan else ""
        if step != self._step:
            self._step, self._step_base = step, self._spent

    def _ran(self, event: Event) -> None:
        if self._last_us:
            self._ran_us += max(0, event.at_us - self._last_us)
        self._last_us = event.at_us

    def _stopped(self, event: Event) -> None:
        if self._last_us:
            self._ran(event)
        self._last_us = 0

    def _slept(self, event: Event) -> None:
        if isinstance(event.body, MachineSlept) and self._last_us:
            self._last_us = min(event.at_us, self._last_us + event.body.us)

    def _started(self, event: Event) -> None:
        self._last_us = event.at_us


def read_allowance(text: str) -> tuple[str, float | None]:
    """What a budget in words means: (`usd` or an allowance, its height). Raises ValueError with a sentence.

    `20`, `6h`, `90m`, `400 turns`, `day 5`, `step 1.50`; `none` alone lifts the money, behind `time`, `turns`, `day` or
    `step` that one.
    """
    words = text.lower().replace("$", "").split()
    names = {"time": "minutes", "turns": "turns", "day": "day_usd", "step": "step_usd"}
    if not words:
        raise ValueError(FORMS)
    if len(words) == 2 and words[1] in ("turns", "turn"):
        words = ["turns", words[0]]
    elif len(words) == 1 and words[0][-1:] in "hm" and words[0] != "m":
        words = ["time", words[0]]
    name, value = (names[words[0]], words[1]) if len(words) == 2 and words[0] in names else ("usd", " ".join(words))
    if value in ("none", "off"):
        return name, None
    try:
        amount = _minutes_of(value) if name == "minutes" else float(value)
    except ValueError:
        raise ValueError(FORMS) from None
    if not 0 < amount < 1e9 or (name == "turns" and amount != int(amount)):
        raise ValueError(FORMS)
    return name, amount


FORMS = (
    "Say a budget as an amount in dollars, or as 6h, 90m, 400 turns, day 5 (dollars), step 1.50 (dollars); "
    "none lifts it, as in: none, time none, day none."
)


def _minutes_of(value: str) -> float:
    hours, h, rest = value.partition("h")
    if h:
        return float(hours) * 60 + (float(rest.removesuffix("m")) if rest else 0)
    return float(value.removesuffix("m"))


def spell_minutes(minutes: float) -> str:
    """`6 h`, `5 h 42 min`, `30 min`."""
    hours, rest = divmod(int(minutes), 60)
    return (f"{hours} h {rest} min" if rest else f"{hours} h") if hours else f"{rest} min"
