"""What was spent: a ledger over every event, abandoned branches included, for money spent is spent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from core.events import BudgetChanged, Event, ModelRequested, ModelResponded, SessionOpened, Usage
from core.folds.fold import Handler, Series


@dataclass(frozen=True, slots=True)
class Bill:
    """Sums up to an event. `usd` leaves out `unpriced` replies, whose price is unknown (never taken as zero)."""

    usd: Decimal = Decimal(0)
    replies: int = 0
    unpriced: int = 0
    fresh: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0

    @property
    def sent(self) -> int:
        return self.fresh + self.cache_read + self.cache_write

    @property
    def hit_rate(self) -> float | None:
        """Share of the sent tokens that the provider read from its cache; None before the first reply."""
        return self.cache_read / self.sent if self.sent else None

    def plus(self, usage: Usage, cost: str | None) -> Bill:
        return replace(
            self,
            usd=self.usd + Decimal(cost or 0),
            replies=self.replies + 1,
            unpriced=self.unpriced + (cost is None),
            fresh=self.fresh + usage.fresh,
            cache_read=self.cache_read + usage.cache_read,
            cache_write=self.cache_write + usage.cache_write,
            output=self.output + usage.output,
        )


@dataclass(frozen=True, slots=True)
class LastReply:
    """The latest reply's own figures."""

    usage: Usage = field(default_factory=Usage)
    cost: str | None = None
    at_us: int = 0
    source: str = ""


class Costs:
    """The bill as of any event: in all, by model, by purpose; and the budget."""

    def __init__(self) -> None:
        self.total: Series[Bill] = Series(Bill())
        self.by_model: dict[str, Series[Bill]] = {}
        self.by_purpose: dict[str, Series[Bill]] = {}
        self.last: Series[LastReply] = Series(LastReply())
        self.budget: Series[Decimal | None] = Series(None)
        self._purposes: dict[str, str] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._opened,
            "budget.changed": self._budget,
            "model.requested": self._requested,
            "model.responded": self._responded,
        }

    def _opened(self, event: Event) -> None:
        if isinstance(event.body, SessionOpened) and (usd := event.body.settings.get("budget_usd")) is not None:
            self.budget.append(event.seq, Decimal(str(usd)))

    def _budget(self, event: Event) -> None:
        if isinstance(event.body, BudgetChanged):
            self.budget.append(event.seq, None if event.body.usd is None else Decimal(event.body.usd))

    def _requested(self, event: Event) -> None:
        if isinstance(event.body, ModelRequested) and event.key:
            self._purposes[event.key] = event.body.purpose

    def _responded(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ModelResponded):
            return
        purpose = self._purposes.pop(event.key or "", "main")
        cost = body.price.cost
        for series in (
            self.total,
            self.by_model.setdefault(body.model, Series(Bill())),
            self.by_purpose.setdefault(purpose, Series(Bill())),
        ):
            series.append(event.seq, series.last.plus(body.usage, cost))
        self.last.append(event.seq, LastReply(body.usage, cost, event.at_us, body.price.source))
