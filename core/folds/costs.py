"""What was spent: a ledger over every event, abandoned branches included, for money spent is spent."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from msgspec import Struct, field

from core.events import (
    BudgetChanged,
    Event,
    ModelConsulted,
    ModelFailed,
    ModelRequested,
    ModelResponded,
    Price,
    SessionForked,
    SessionOpened,
    Usage,
)
from core.folds.branches import FOREVER, Column, Span
from core.folds.fold import Handler, Series, series_of

MILLION = 1_000_000
RATES: Mapping[str, str] = {
    "fresh": "input",
    "cache_read": "cache_read",
    "cache_write_5m": "cache_write",
    "cache_write_1h": "cache_write_1h",
    "output": "output",
}
"""Each way in which a token is counted (a field of `Usage`), and the name of its price in a `Price.row`."""

CLASSES = tuple(RATES)
MAIN = "main"
_SMALLEST = Decimal("1e-12")


class Split(Struct, frozen=True):
    """One cost by class of token. `rest` could not be told apart; `scaled`: list prices brought to the bill."""

    by_class: Mapping[str, Decimal]
    rest: Decimal = Decimal(0)
    scaled: bool = False


def split(usage: Usage, price: Price) -> Split:
    """A reply's dollars by class of token; they and the rest add up to `price.cost` exactly."""
    cost, listed = Decimal(price.cost or 0), _listed(usage, price.row)
    total = sum(listed.values(), Decimal(0))
    if total == cost:
        return Split(listed)
    if not total:
        return Split(dict.fromkeys(CLASSES, Decimal(0)), cost)
    shares = {name: (usd * cost / total).quantize(_SMALLEST) for name, usd in listed.items()}
    largest = max(shares, key=lambda name: shares[name])
    shares[largest] += cost - sum(shares.values(), Decimal(0))
    return Split(shares, scaled=True)


def _listed(usage: Usage, row: Mapping[str, str]) -> dict[str, Decimal]:
    """What the tokens cost by the prices of the row; nothing at all where one that is needed is missing."""
    listed = dict.fromkeys(CLASSES, Decimal(0))
    for name, price in RATES.items():
        if count := int(getattr(usage, name)):
            if price not in row:
                return dict.fromkeys(CLASSES, Decimal(0))
            listed[name] = count * _price(row[price]) / MILLION
    return listed


@lru_cache(maxsize=256)
def _price(text: str) -> Decimal:
    """There are a few prices, and each reply names them anew."""
    return Decimal(text)


def _nothing() -> Mapping[str, Decimal]:
    return dict.fromkeys(CLASSES, Decimal(0))


class Bill(Struct, frozen=True):
    """Sums up to an event. `usd` leaves out `unpriced` replies, whose price is unknown (never taken as zero).

    `dollars` by class of token, with `unsplit` (billed by the provider at prices that we don't know) adds up to `usd`.
    `scaled` replies are split by list prices brought to what the provider billed.
    """

    usd: Decimal = Decimal(0)
    replies: int = 0
    unpriced: int = 0
    fresh: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    dollars: Mapping[str, Decimal] = field(default_factory=_nothing)
    unsplit: Decimal = Decimal(0)
    scaled: int = 0

    @property
    def cache_write(self) -> int:
        return self.cache_write_5m + self.cache_write_1h

    @property
    def sent(self) -> int:
        return self.fresh + self.cache_read + self.cache_write

    @property
    def hit_rate(self) -> float | None:
        """Share of the sent tokens that the provider read from its cache; None before the first reply."""
        return self.cache_read / self.sent if self.sent else None

    def plus(self, usage: Usage, price: Price) -> Bill:
        parts = split(usage, price)
        return Bill(
            usd=self.usd + Decimal(price.cost or 0),
            replies=self.replies + 1,
            unpriced=self.unpriced + (price.cost is None),
            fresh=self.fresh + usage.fresh,
            cache_read=self.cache_read + usage.cache_read,
            cache_write_5m=self.cache_write_5m + usage.cache_write_5m,
            cache_write_1h=self.cache_write_1h + usage.cache_write_1h,
            output=self.output + usage.output,
            dollars={name: usd + parts.by_class[name] for name, usd in self.dollars.items()},
            unsplit=self.unsplit + parts.rest,
            scaled=self.scaled + parts.scaled,
        )


NO_BILL = Bill()


class LastReply(Struct, frozen=True):
    """The latest reply's own figures."""

    usage: Usage = field(default_factory=Usage)
    cost: str | None = None
    at_us: int = 0
    source: str = ""


class Charge(Struct, frozen=True):
    """A line of the ledger: what one attempt cost. `key` is the attempt's; `purpose` says what the request was for."""

    seq: int
    at_us: int
    key: str
    model: str
    purpose: str
    usage: Usage
    price: Price


def charge_of(event: Event, purpose: str, model: str) -> Charge | None:
    """What an outcome of a request cost, None when it is not known to have cost anything.

    `purpose` and `model` are the request's. A broken reply in the conversation counts as `retry`.
    """
    body = event.body
    if isinstance(body, ModelResponded | ModelConsulted):
        return Charge(event.seq, event.at_us, event.key or "", body.model, purpose, body.usage, body.price)
    if not isinstance(body, ModelFailed) or (body.usage is None and body.price is None):
        return None
    purpose = "retry" if purpose == MAIN else purpose
    return Charge(event.seq, event.at_us, event.key or "", model, purpose, body.usage or Usage(), body.price or Price())


class Costs:
    """The bill as of any event: in all, by model, by purpose; the ledger behind it; and the budget.

    Without `history` the bill of now alone, and no ledger.
    """

    def __init__(self, history: bool = True) -> None:
        self._history = history
        self.total: Series[Bill] = series_of(NO_BILL, history)
        self.spent: Series[float] = Series(0.0, array("d"))
        """Dollars in all, for curves: what one has hundreds of must not read as many pages. Empty without history."""
        self.by_model: dict[str, Series[Bill]] = {}
        self.by_purpose: dict[str, Series[Bill]] = {}
        self.last: Series[LastReply] = series_of(LastReply(), history)
        self.budget: Series[Decimal | None] = Series(None)
        self.elsewhere: Series[SessionForked | None] = Series(None)
        """The fork that this session began with: what was spent before it counts where it was spent."""
        self.charges: Column[Charge] = Column()
        self._main: Column[Charge] = Column()
        self._asked: dict[str, tuple[str, str]] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._opened,
            "session.forked": self._forked,
            "budget.changed": self._budget,
            "model.requested": self._requested,
            **dict.fromkeys(("model.responded", "model.consulted", "model.failed"), self._settled),
        }

    def turns(self, at: int | None = None) -> list[int]:
        """The seqs of the main replies as of event `at`, oldest first."""
        return [charge.seq for charge in self._main.within([Span(0, FOREVER if at is None else at)])]

    def latest(self, count: int, at: int | None = None) -> list[Charge]:
        """The last `count` main replies as of event `at`, oldest first."""
        return [charge for _, charge in self._main.tail([Span(0, FOREVER if at is None else at)], count)]

    def _opened(self, event: Event) -> None:
        if isinstance(event.body, SessionOpened) and (usd := event.body.settings.get("budget_usd")) is not None:
            self.budget.append(event.seq, _amount(usd))

    def _forked(self, event: Event) -> None:
        """What the other session cost is its own; the replies still tell what the next ones will cost."""
        if isinstance(event.body, SessionForked):
            self.elsewhere.append(event.seq, event.body)
            for bill in (self.total, *self.by_model.values(), *self.by_purpose.values()):
                bill.append(event.seq, NO_BILL)
            self.spent.append(event.seq, 0.0)

    def _budget(self, event: Event) -> None:
        if isinstance(event.body, BudgetChanged):
            self.budget.append(event.seq, _amount(event.body.usd))

    def _requested(self, event: Event) -> None:
        if isinstance(event.body, ModelRequested) and event.key:
            self._asked[event.key] = (event.body.purpose, event.body.model)

    def _bill(self, charge: Charge) -> None:
        """Bills that were one and the same stay so: a session of one model keeps one of three."""
        model = self.by_model.setdefault(charge.model, series_of(NO_BILL, self._history))
        purpose = self.by_purpose.setdefault(charge.purpose, series_of(NO_BILL, self._history))
        grown: dict[int, Bill] = {}
        for series in (self.total, model, purpose):
            before = series.last
            if id(before) not in grown:
                grown[id(before)] = before.plus(charge.usage, charge.price)
            series.append(charge.seq, grown[id(before)])

    def _settled(self, event: Event) -> None:
        purpose, model = self._asked.pop(event.key or "", (MAIN, ""))
        charge = charge_of(event, purpose, model)
        if charge is None:
            return
        self._bill(charge)
        if self._history:
            self.spent.append(event.seq, float(self.total.last.usd))
            self.charges.append(event.seq, charge)
        if charge.purpose == MAIN:
            if self._history:
                self._main.append(event.seq, charge)
            self.last.append(event.seq, LastReply(charge.usage, charge.price.cost, event.at_us, charge.price.source))


def _amount(usd: object) -> Decimal | None:
    """Dollars from a session's file, which may be anybody's: what is no number is no budget."""
    try:
        amount = Decimal(str(usd))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
