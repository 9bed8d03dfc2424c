"""What carrying the context costs: the rent meter, the price of the next call, and the cost to go with its range."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from decimal import Decimal
from statistics import fmean, pvariance

import msgspec

from core.events import (
    ContextCompressed,
    ContextPolicy,
    ContextRestored,
    Event,
    GuidanceDelivered,
    HeadMoved,
    ModelRequested,
    ModelResponded,
    Outlook,
    PlanChanged,
    SessionOpened,
    ToolFinished,
)
from core.folds.context_items import BYTES_PER_TOKEN, HEAD, ContextItems
from core.folds.context_usage import ContextWindow
from core.folds.costs import MILLION, Costs
from core.folds.fold import Handler, Series, series_of
from core.folds.plan import Plan
from core.folds.replies import LATEST, likely_reply

RECENT = 50
"""Replies whose prices say what the next ones will cost."""

EXPECTED = 20
"""The turns to go where nothing says how many they are."""

TENTH = 1.2816
"""Standard deviations from the mean to the tenth and the ninetieth per cent."""

_FINENESS = 1000


class Errors(msgspec.Struct):
    """Relative errors as a histogram in thousandths, so that their median is bounded in size and serialisable."""

    counts: dict[int, int] = {}

    def add(self, forecast: Decimal, billed: Decimal) -> None:
        """Note a forecast; an error of all and more counts as all."""
        error = min(_FINENESS, round(abs(forecast / billed - 1) * _FINENESS))
        self.counts[error] = self.counts.get(error, 0) + 1

    @property
    def median(self) -> float | None:
        """Half of the forecasts erred by no more than this share; None before the first."""
        left = (sum(self.counts.values()) + 1) // 2
        for error in sorted(self.counts):
            left -= self.counts[error]
            if left <= 0:
                return error / _FINENESS
        return None


def judge(errors: Errors, outlook: Outlook | None, body: ModelResponded) -> None:
    """Compare the billed price with the forecast made for a cache as warm as it turned out to be."""
    if outlook is None or not body.price.cost or not (billed := Decimal(body.price.cost)):
        return
    cold = body.usage.cache_read * 2 < outlook.readable
    if (forecast := outlook.cold_usd if cold else outlook.warm_usd) is not None:
        errors.add(Decimal(forecast), billed)


class Meter(msgspec.Struct, frozen=True):
    """Rent since event `since`: what all replies paid to read the tokens above `floor`. `price`: of a compression now.

    `price` is None where it is unknown.
    """

    usd: Decimal = Decimal(0)
    price: Decimal | None = None
    floor: int = 0
    turns: int = 0
    since: int = 0

    @property
    def share(self) -> float | None:
        """How much of a compression the rent has paid for: 1.0 is all of it."""
        return float(self.usd / self.price) if self.price else None


class NextCall(msgspec.Struct, frozen=True):
    """Forecast of the next request in dollars, its prefix cached or not; None: prices unknown."""

    warm: Decimal | None = None
    cold: Decimal | None = None

    @property
    def premium(self) -> Decimal | None:
        """What it costs more without its cache."""
        return None if self.cold is None or self.warm is None else self.cold - self.warm

    def usd(self, *, expired: bool) -> Decimal | None:
        """What it will cost with the cache as it is. A cache whose lifetime nobody knows is not taken as expired."""
        return self.cold if expired else self.warm


class _Prospect(msgspec.Struct, frozen=True):
    """What the next call's price hangs on: tokens of its prompt and those of them that are cached, dollars a token
    (fresh, output, cache read, cache write), whether new ones are written to a cache, and the replies so far."""

    size: int
    cached: int
    rates: tuple[Decimal, ...]
    writes: bool
    replies: int


class NextCalls:
    """The forecast as of any event. It is computed when it is asked for: few of the many are ever looked at."""

    def __init__(self, history: bool = True) -> None:
        self.outputs = array("I")
        """Tokens of every reply."""
        self._said: Series[NextCall | _Prospect] = series_of(NextCall(), history)

    @property
    def last(self) -> NextCall:
        return self._priced(self._said.last)

    def at(self, seq: int | None) -> NextCall:
        """As of event `seq` (None: now)."""
        return self._priced(self._said.at(seq))

    def of(self, size: int, cached: int, rates: tuple[Decimal, ...], *, writes: bool) -> NextCall:
        """What such a prompt would cost now; unknown without rates."""
        replies = len(self.outputs)
        return self._priced(_Prospect(size, cached, rates, writes, replies)) if rates else NextCall()

    def append(self, seq: int, said: NextCall | _Prospect) -> None:
        """From event `seq` on."""
        self._said.append(seq, said)

    def _priced(self, said: NextCall | _Prospect) -> NextCall:
        if isinstance(said, NextCall):
            return said
        fresh, output, read, write = said.rates
        lengths = self.outputs[max(0, said.replies - LATEST) : said.replies]
        new = write if said.writes else fresh
        prompts = (said.cached * read + (said.size - said.cached) * new, said.size * new)
        return NextCall(*(usd + round(likely_reply(lengths, float(usd), float(output))) * output for usd in prompts))


class ToGo(msgspec.Struct, frozen=True):
    """What `turns` more turns will cost: `low` and `high` are the tenth and the ninetieth per cent.

    `basis` says where the number of turns comes from: plan, turn limit, next calls.
    """

    low: Decimal
    middle: Decimal
    high: Decimal
    turns: int
    basis: str


class _Pace(msgspec.Struct, frozen=True):
    """The plan's progress: steps done and left, and the turns that there had been at the last change."""

    done: int = 0
    left: int = 0
    turns: int = 0


class RentMeter:
    """Meter, next call and forecast error as of any event; the cost to go for whoever asks.

    Without `history` those of now alone.
    """

    def __init__(
        self, window: ContextWindow, items: ContextItems, costs: Costs, plan: Plan, history: bool = True
    ) -> None:
        self.meter: Series[Meter] = series_of(Meter(), history)
        self.next_call = NextCalls(history)
        self.error: Series[float | None] = series_of(None, history)
        self.policy: Series[str] = Series("auto")
        self._window, self._items, self._costs, self._plan = window, items, costs, plan
        self._asked: dict[str, Outlook | None] = {}
        self._errors = Errors()
        self._rates: tuple[Decimal, ...] = ()
        self._writes = True
        self._size = self._cached = 0
        self._turns: Series[int] = series_of(0, history)
        self._pace: Series[_Pace] = Series(_Pace())
        self._max_turns: int | None = None

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._opened,
            "context.policy": self._policy,
            "model.requested": self._request,
            "model.responded": self._reply,
            "model.failed": self._failed,
            "model.switched": self._switched,
            "tool.finished": self._grown,
            "guidance.delivered": self._grown,
            "context.compressed": self._rewritten,
            "context.restored": self._rewritten,
            "head.moved": self._rewritten,
            "plan.changed": self._planned,
        }

    def reply_tokens(self, prompt_usd: float, output_usd: float) -> float:
        """Tokens of the reply to a prompt that costs so many dollars, a token of the reply `output_usd`."""
        return likely_reply(self.next_call.outputs[-LATEST:], prompt_usd, output_usd)

    def turns_to_go(self, at: int | None = None) -> tuple[int, str]:
        """How many turns are still to come as of event `at`, and what says so."""
        pace, turns = self._pace.at(at), self._turns.at(at)
        if self._plan.at(at) is not None and pace.left and pace.done:
            per_step = pace.turns / pace.done
            return max(1, round(pace.left * per_step - (turns - pace.turns))), "plan"
        if self._max_turns is not None and self._max_turns > turns:
            return self._max_turns - turns, "turn limit"
        return EXPECTED, "next calls"

    def to_go(self, at: int | None = None) -> ToGo | None:
        """The cost of the turns to come, from what the last ones cost; None without prices."""
        prices = [float(charge.price.cost) for charge in self._costs.latest(RECENT, at) if charge.price.cost]
        if not prices:
            return None
        turns, basis = self.turns_to_go(at)
        mean, spread = fmean(prices), pvariance(prices)
        pace = self._pace.at(at)
        # The mean itself is known from so many replies only, and the turns of a step from so many steps.
        variance = spread * (turns + turns * turns / len(prices))
        if basis == "plan":
            variance += (mean * turns) ** 2 / pace.done
        reach = TENTH * variance**0.5
        middle = mean * turns
        return ToGo(_usd(max(0.0, middle - reach)), _usd(middle), _usd(middle + reach), turns, basis)

    def back_at(self, node: int) -> tuple[int, NextCall]:
        """The tokens of the prompt as it was at a node, and what a request that goes on from there would cost.

        It holds nothing that was not sent before: its cache gives back all of it, or has expired.
        """
        size = self._window.usage.at(node).total
        return size, self.next_call.of(size, size, self._rates, writes=self._writes)

    def _opened(self, event: Event) -> None:
        if isinstance(event.body, SessionOpened):
            settings = event.body.settings
            limit, policy = settings.get("max_turns"), settings.get("policy")
            self._max_turns = limit if isinstance(limit, int) else None
            if isinstance(policy, str):
                self.policy.append(event.seq, policy)

    def _policy(self, event: Event) -> None:
        if isinstance(event.body, ContextPolicy):
            self.policy.append(event.seq, event.body.policy)

    def _request(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ModelRequested) or body.purpose != "main" or not event.key:
            return
        outlook = self._asked[event.key] = body.outlook
        if outlook is None:
            return
        price = None if outlook.compression_usd is None else Decimal(outlook.compression_usd)
        meter = self.meter.last
        self.meter.append(event.seq, Meter(meter.usd, price, outlook.floor, meter.turns, meter.since))
        if outlook.warm_usd is not None and outlook.cold_usd is not None:
            self.next_call.append(event.seq, NextCall(Decimal(outlook.warm_usd), Decimal(outlook.cold_usd)))

    def _failed(self, event: Event) -> None:
        self._asked.pop(event.key or "", None)

    def _switched(self, event: Event) -> None:
        """Another model has prices of its own, which the next request will say."""
        self._rates = ()
        self.next_call.append(event.seq, NextCall())

    def _reply(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ModelResponded):
            return
        outlook, usage = self._asked.pop(event.key or "", None), body.usage
        judge(self._errors, outlook, body)
        self.error.append(event.seq, self._errors.median)
        meter, read = self.meter.last, body.price.row.get("cache_read")
        rent = Decimal(read) * max(0, usage.sent - outlook.floor) / MILLION if read and outlook else Decimal(0)
        turns, since = meter.turns + 1, meter.since
        self.meter.append(event.seq, Meter(meter.usd + rent, meter.price, meter.floor, turns, since))
        self._turns.append(event.seq, self._turns.last + 1)
        self.next_call.outputs.append(usage.output)
        self._rates, self._writes = _rates(body.price.row), bool(usage.cache_write) or not usage.cache_read
        self._forecast(event.seq, usage.sent + usage.output, usage.sent)

    def _grown(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ToolFinished | GuidanceDelivered):
            text = body.content if isinstance(body, ToolFinished) else body.text
            tokens = len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN * self._window.growth_ratio
            self._forecast(event.seq, self._size + round(tokens), self._cached)

    def _rewritten(self, event: Event) -> None:
        """The history is another: the meter starts anew, and only what stands unchanged in front is still cached."""
        self.meter.append(event.seq, Meter(price=self.meter.last.price, floor=self.meter.last.floor, since=event.seq))
        usage, blocks = self._window.usage.last, self._items.blocks()
        fixed = usage.parts.get("system", 0) + usage.parts.get("tools", 0)
        size = fixed + self._items.tokens(blocks)
        match event.body:
            case HeadMoved(to=node) | ContextRestored(seq=node):
                cached = round(self._window.sizes.at(node))
            case ContextCompressed():
                old = (block for block in blocks if block.kind in HEAD and block.since < event.seq)
                cached = fixed + self._items.tokens(old)
            case _:
                cached = 0
        self._forecast(event.seq, size, min(size, cached))

    def _planned(self, event: Event) -> None:
        if isinstance(event.body, PlanChanged):
            status = [step.status for step in event.body.steps]
            done, left = status.count("done"), status.count("todo") + status.count("active")
            turns = self._turns.last if done != self._pace.last.done else self._pace.last.turns
            if (pace := _Pace(done, left, turns)) != self._pace.last:
                self._pace.append(event.seq, pace)

    def _forecast(self, seq: int, size: int, cached: int) -> None:
        self._size, self._cached = size, cached
        replies = len(self.next_call.outputs)
        prospect = _Prospect(size, cached, self._rates, self._writes, replies) if self._rates else NextCall()
        self.next_call.append(seq, prospect)


def _rates(row: Mapping[str, str]) -> tuple[Decimal, ...]:
    """Dollars a token: fresh, output, cache read, cache write; empty where one of them is unknown."""
    names = ("input", "output", "cache_read", "cache_write")
    return tuple(Decimal(row[name]) / MILLION for name in names) if all(name in row for name in names) else ()


def _usd(value: float) -> Decimal:
    return Decimal(f"{value:.6f}")
