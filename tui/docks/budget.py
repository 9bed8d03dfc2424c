"""How much the session may cost in all, beside what it has cost, how fast, and how long that lasts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from core.clock import MICROSECONDS
from core.folds.allowances import Taken, read_allowance
from core.folds.view import SessionView
from tui.docks.dock import LineDock
from tui.panes import figures
from tui.panes.moments import clock_time

HOUR_US = 3_600 * MICROSECONDS
SHORTEST_US = 60 * MICROSECONDS
"""A session younger than that has no rate."""


@dataclass(frozen=True, slots=True)
class Burn:
    """What was spent, dollars an hour over the last hour (None: too early to say), and the budget."""

    spent: Decimal
    hourly: Decimal | None
    budget: Decimal | None
    unpriced: int = 0
    taken: tuple[Taken, ...] = ()
    """Limits beside the money."""

    def lasts_us(self) -> int | None:
        """How long the budget lasts at this rate; None where that can't be said."""
        if self.budget is None or not self.hourly:
            return None
        return int(max(Decimal(0), self.budget - self.spent) / self.hourly * HOUR_US)


def burn_of(view: SessionView, now_us: int) -> Burn:
    """As of now. A pause counts: the question is how long the money lasts by the clock."""
    began_us, bill = view.timeline.at_us(1), view.costs.total.last
    since_us = max(began_us, now_us - HOUR_US)
    before = view.costs.total.at(view.timeline.seq_at(since_us)) if since_us > began_us else None
    spent = bill.usd - (before.usd if before else 0)
    long_enough = now_us - since_us >= SHORTEST_US and bill.replies > 0
    hourly = spent * HOUR_US / (now_us - since_us) if long_enough else None
    return Burn(bill.usd, hourly, view.costs.budget.last, bill.unpriced, tuple(view.allowances.taken(now_us)))


def burn_line(burn: Burn, now_us: int) -> str:
    """`Spent $2.51 of $5.00 · $1.20 an hour lately · at this rate until 02:14:00`."""
    of = f" of {figures.usd(burn.budget)}" if burn.budget is not None else ", with no limit"
    parts = [f"Spent {figures.usd(burn.spent)}{of}"]
    if burn.unpriced:
        parts.append(f"{burn.unpriced:,} without a price")
    if burn.hourly is not None:
        parts.append(f"{figures.usd(burn.hourly)} an hour lately")
    if (lasts_us := burn.lasts_us()) is not None:
        parts.append(f"at this rate until {clock_time(now_us + lasts_us)}" if lasts_us < 24 * HOUR_US else "for days")
    return " · ".join([*parts, *(_limit_words(taken, now_us) for taken in burn.taken)])


def _limit_words(taken: Taken, now_us: int) -> str:
    """What was taken of a limit; of a time, until when it lasts if it goes on running."""
    if taken.name != "minutes":
        return taken.words()
    left_us = int(max(0.0, taken.limit - taken.used) * 60 * MICROSECONDS)
    return f"{taken.words()}, until {clock_time(now_us + left_us)}"


class BudgetDock(LineDock):
    """An amount in all, or `+5` on top of the present one."""

    TITLE = "Budget: dollars, time, turns"
    PLACEHOLDER = "e.g. 25 · +5 · 6h · 400 turns · day 5 · step 1.50 · time none"
    VERB = "budget"

    def __init__(self, burn: Burn, now_us: int) -> None:
        super().__init__("" if burn.budget is None else str(burn.budget))
        self._burn, self._now_us = burn, now_us

    def body(self) -> ComposeResult:
        yield Static(Content.styled(burn_line(self._burn, self._now_us), "$muted"), markup=False)
        yield from super().body()

    def accept(self, text: str) -> dict[str, Any]:
        if text.lower() in ("", "none", "off"):
            return {"usd": None}
        if not text.startswith("+"):
            name, value = read_allowance(text)
            if name != "usd":
                return {"limit": name, "value": value}
        more = text.startswith("+")
        try:
            usd = Decimal(text.removeprefix("+").removeprefix("$"))
        except InvalidOperation:
            usd = Decimal(-1)
        if not usd.is_finite() or usd <= 0:
            raise ValueError("Write an amount in dollars, like 25, 7.50 or +5, or nothing for no limit.")
        return {"usd": str(usd + (self._burn.budget or self._burn.spent) if more else usd)}
