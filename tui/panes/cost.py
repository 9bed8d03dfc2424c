"""What the session costs: so far, with the next call and to its end; by model, purpose and class; and what was lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from textual.content import Content

from core.events import SessionForked
from core.folds.cache import COMPRESSED, NOT_JUDGED, Loss
from core.folds.costs import Bill, Costs, LastReply
from core.folds.fold import Series
from core.folds.rent import Meter, NextCall, ToGo
from core.folds.view import Changes, SessionView
from tui.panes import figures
from tui.panes.bars import curve, curve_columns, filled, gauge
from tui.panes.sheet import Sheet
from tui.panes.sheet_lines import MUTED, fit, heading, paragraph, sentence, spread
from tui.safe import one_line, safe_text
from tui.widgets.chart import Ahead

CURVE_ROWS = 4
MOST_AHEAD = 40
"""Per cent of the curve that may show what is to come."""
ROW_TITLE = 7
TOKEN_CLASSES = (
    ("fresh", "fresh", ("fresh",)),
    ("cached", "cache", ("cache_read",)),
    ("written", "write", ("cache_write_5m", "cache_write_1h")),
    ("output", "out", ("output",)),
)
"""What a token was paid as: in a word, in a shorter one, and the classes of the ledger that it stands for."""
_LEVELS = ((95, "cost-over"), (80, "cost-warn"), (0, "cost-ok"))
_POLICIES = {
    "auto": "by itself when it is paid",
    "summarize": "every so many turns in any case",
    "window": "drops old turns in any case",
    "mask": "masks old results in any case",
    "off": "only when asked",
}
"""What a policy makes of the rent."""
NOTHING_SPENT = "No reply yet, so nothing is spent. b sets a budget."
UNTOLD = (
    "No reply tells its tokens, so what they cost is unknown, and nothing is made up. 1 shows what was said, 2 what "
    "was done."
)
UNPRICED = "[prices] in the configuration gives it one, from its next reply on."
SWITCHED_OFF = (
    "Automatic compression is off: the last ones freed too little. It comes back when the context has doubled, or with "
    "P, policy."
)


class CostPane(Sheet):
    """The bill as of the moment that is shown; an unknown price is said, never counted as zero."""

    CONCERNS = Changes.COST | Changes.BRANCH
    LABEL = "Cost"

    def __init__(self, *, id: str, key: str = "", now_us: Callable[[], int] | None = None) -> None:
        super().__init__(id=id, key=key)
        self._now_us = now_us
        self._told_left_s: int | None = None

    def summary(self, view: SessionView, at: int | None) -> str:
        return figures.spent(view.costs.total.at(at))

    def tick(self) -> None:
        """A second went by: the cache has that much less to live, or has just expired."""
        if self.view is not None and self.at is None and self._left_s(self.view, None) != self._told_left_s:
            self.redraw()

    def lines(self, view: SessionView, at: int | None, width: int) -> list[Content]:
        bill, left_s = view.costs.total.at(at), self._left_s(view, at)
        self._told_left_s = left_s
        if bill.replies and bill.unpriced == bill.replies and not (bill.sent or bill.output):
            return [*_spent_lines(bill, view.costs.budget.at(at), width)[:1], *sentence(UNTOLD, width)]
        return [
            *_spent_lines(bill, view.costs.budget.at(at), width),
            *_elsewhere_lines(view.costs.elsewhere.at(at), width),
            *_next_lines(view.rent.next_call.at(at), view.rent.error.at(at), left_s, width),
            *_to_go_lines(view.rent.to_go(at), width),
            *_reply_lines(bill, view.costs.last.at(at), width),
            *_cache_lines(bill, view.cache.recent_rate.at(at), left_s, width),
            *rent_lines(view.rent.meter.at(at), width, view.rent.policy.at(at)),
            *guard_lines(view, at, width),
            Content(""),
            *_token_lines(bill, width),
            Content(""),
            *_split_lines("model", view.costs.by_model, at, width),
            *_split_lines("purpose", view.costs.by_purpose, at, width),
            *_miss_lines(view.cache.losses.at(at), width),
            *(_unjudged_lines(width) if bill.cache_read and view.cache.lifetime.at(at).ttl_s is None else ()),
            *_curve_lines(view, at, width),
        ]

    def _left_s(self, view: SessionView, at: int | None) -> int | None:
        return cache_left_s(view, at, self._now_us() if self._now_us else view.timeline.at_us(view.last_seq))


def _spent_lines(bill: Bill, budget: Decimal | None, width: int) -> list[Content]:
    spent = Content.styled(figures.spent(bill), "bold")
    if not budget:
        return [
            spread(Content("spent  ") + spent, Content.styled("no budget", MUTED), width),
            *_unpriced_lines(bill, width),
        ]
    share = float(bill.usd / budget)
    style = next(style for percent, style in _LEVELS if share * 100 >= percent)
    left = Content("spent  ") + spent + Content.styled(f" of {figures.usd(budget)}", MUTED)
    lines = [spread(left, Content.styled(figures.percent(share), f"bold ${style}"), width), filled(share, width, style)]
    return lines + _unpriced_lines(bill, width)


def _elsewhere_lines(fork: SessionForked | None, width: int) -> list[Content]:
    """What the session cost that this one was forked from, until there: no part of this bill."""
    if fork is None:
        return []
    spent = f"{'≥ ' if fork.unpriced else ''}{figures.usd(fork.usd)}"
    return paragraph(f"before the fork {spent}, in {one_line(fork.name)} up to #{fork.at:,}", width, style=MUTED)


def _unpriced_lines(bill: Bill, width: int) -> list[Content]:
    if not bill.unpriced:
        return []
    count = figures.plural(bill.unpriced, "reply") if bill.unpriced == 1 else f"{bill.unpriced:,} replies"
    told = paragraph(f"{count} of a model whose price is unknown", width, style="$warning")
    return [*told, *paragraph(UNPRICED, width, style=MUTED)]


def cache_left_s(view: SessionView, at: int | None, now_us: int) -> int | None:
    """Seconds that the cached prefix lives as of event `at`, else as of `now_us`; None where no cache is known."""
    return view.cache.lifetime.at(at).left_s(now_us if at is None else view.timeline.at_us(at))


def _next_lines(call: NextCall, error: float | None, left_s: int | None, width: int) -> list[Content]:
    if call.warm is None or call.cold is None:
        return []
    left = Content("next call  ") + Content.styled(figures.usd(call.usd(expired=left_s == 0)), "bold")
    other = f"warm {figures.usd(call.warm)}" if left_s == 0 else f"cold {figures.usd(call.cold)}"
    ways = [other] if error is None else [f"{other} · forecasts err by {error:.1%}", other]
    return [spread(left, Content.styled(first_that_fits(ways, width - left.cell_length - 2), MUTED), width)]


def _to_go_lines(to_go: ToGo | None, width: int) -> list[Content]:
    if to_go is None:
        return []
    left = Content("to go  ") + Content.styled(f"{figures.usd(to_go.low)}–{figures.usd(to_go.high)}", "bold")
    turns = figures.plural(to_go.turns, "turn")
    basis = {"plan": f"{turns} by the plan", "turn limit": f"{turns} to the limit"}.get(to_go.basis, f"next {turns}")
    middle = figures.usd(to_go.middle)
    ways = (f"likely {middle} for {basis}", f"for {basis}", turns)
    return [spread(left, Content.styled(first_that_fits(ways, width - left.cell_length - 2), MUTED), width)]


def _reply_lines(bill: Bill, last: LastReply, width: int) -> list[Content]:
    if not bill.replies:
        return sentence(NOTHING_SPENT, width)
    sent, out = figures.tokens(last.usage.sent), figures.tokens(last.usage.output)
    left = Content("last reply  ") + Content.styled(figures.usd(last.cost), "bold")
    detail = first_that_fits((f"{sent} sent · {out} out", f"{sent} → {out}"), width - left.cell_length - 2)
    return [spread(left, Content.styled(detail, MUTED), width)]


def _cache_lines(bill: Bill, recent: float | None, left_s: int | None, width: int) -> list[Content]:
    if not bill.replies:
        return []
    rate = Content("cache hit  ") + Content.styled(figures.percent(bill.hit_rate), "bold")
    lately = figures.percent(recent)
    detail = first_that_fits(
        (f"{bill.replies:,} replies · last 20 {lately}", f"last 20 {lately}"), width - rate.cell_length - 2
    )
    lines = [spread(rate, Content.styled(detail, MUTED), width)]
    if left_s is not None:
        state = Content.styled("warm", "bold $cost-ok") if left_s else Content.styled("cold", "bold $cost-warn")
        left = Content.styled(f"expires in {figures.countdown(left_s)}" if left_s else "the next call writes it", MUTED)
        lines.append(spread(Content("cache  ") + state, left, width))
    return lines


def first_that_fits(ways: Sequence[str], room: int) -> str:
    """The first way to say it that has room; nothing where none has."""
    return next((way for way in ways if len(way) <= room), "")


def rent_lines(meter: Meter, width: int, policy: str = "") -> list[Content]:
    """The rent meter, and what the policy makes of it: why the context will or will not be compressed now."""
    share = meter.share
    if share is None or meter.price is None:
        return []
    style = "cost-ok" if share < 0.8 else "cost-warn"
    paid = f"{figures.usd(meter.usd)} of {figures.usd(meter.price)}, the price of a compression"
    why = _POLICIES.get(policy, "")
    together = f"{paid} · {why}"
    told = [together] if why and len(together) <= width else filter(None, (paid, why))
    return [
        Content("rent  ") + gauge(share, width - len("rent  "), style),
        *(line for words in told for line in paragraph(words, width, style=MUTED)),
    ]


def switched_off(view: SessionView, at: int | None) -> bool:
    """Whether the guard against futile compressions, and nobody else, has switched the automatic ones off."""
    return bool(view.state.gave_up_at) and (at is None or at >= view.rent.policy.since())


def guard_lines(view: SessionView, at: int | None, width: int) -> list[Content]:
    """What the guard did, where it did something."""
    return paragraph(SWITCHED_OFF, width, style="$warning") if switched_off(view, at) else []


def _token_lines(bill: Bill, width: int) -> list[Content]:
    column = (width - ROW_TITLE) // len(TOKEN_CLASSES)
    words = [whole if column > len("written") else short for whole, short, _names in TOKEN_CLASSES]
    counts = [figures.tokens(sum(getattr(bill, name) for name in names)) for _, _, names in TOKEN_CLASSES]
    lines = [heading(_row("tokens", words, column)), Content(_row("", counts, column))]
    if not any(bill.dollars.values()):
        return lines
    costs = [sum((bill.dollars[name] for name in names), Decimal(0)) for _, _, names in TOKEN_CLASSES]
    exact = [figures.usd(usd) for usd in costs]
    cells = exact if max(map(len, exact)) < column else [figures.cents(usd) for usd in costs]
    lines.append(Content(_row("cost", cells, column)))
    if bill.cache_write_1h:
        hour = f"{figures.tokens(bill.cache_write_1h)} written for 1 h  {figures.usd(bill.dollars['cache_write_1h'])}"
        lines.append(spread(Content(""), Content.styled(hour, MUTED), width))
    notes = [
        f"{bill.scaled:,} billed by the provider, split by list prices" if bill.scaled else "",
        f"{figures.usd(bill.unsplit)} not split: no list price" if bill.unsplit else "",
    ]
    return lines + [line for note in notes if note for line in paragraph(note, width, style=MUTED)]


def _row(title: str, cells: Sequence[str], column: int) -> str:
    return fit(title, ROW_TITLE) + "".join(fit(cell, column, right=True) for cell in cells)


def _split_lines(title: str, split: dict[str, Series[Bill]], at: int | None, width: int) -> list[Content]:
    bills = [(name, series.at(at)) for name, series in split.items()]
    rows = sorted(((name, bill) for name, bill in bills if bill.replies), key=lambda row: -row[1].usd)
    lines = [spread(heading(f"by {title}"), heading("replies      cost"), width)] if rows else []
    for name, bill in rows:
        right = Content(f"{bill.replies:>7,}{figures.spent(bill):>10}")
        lines.append(spread(Content(safe_text(name)), right, width))
    return lines


def _miss_lines(losses: Mapping[str, Loss], width: int) -> list[Content]:
    rows = sorted(losses.items(), key=lambda row: (row[0] == COMPRESSED, -row[1].usd))
    if not rows:
        return []
    return [
        Content(""),
        spread(heading("cache misses"), heading("tokens      lost"), width),
        *(_miss_line(cause, loss, width) for cause, loss in rows),
    ]


def _unjudged_lines(width: int) -> list[Content]:
    return [Content(""), heading("cache misses"), *paragraph(NOT_JUDGED, width, style=MUTED)]


def _miss_line(cause: str, loss: Loss, width: int) -> Content:
    usd = "unknown" if loss.unpriced == loss.count else figures.usd(loss.usd)
    right = Content(f"{figures.tokens(loss.tokens):>7}{usd:>10}")
    ways = (f"{cause} ×{loss.count:,}" + (", planned" if cause == COMPRESSED else ""), f"{cause} ×{loss.count:,}")
    line = spread(Content(first_that_fits(ways, width - len(right.plain) - 1) or cause), right, width)
    return line.stylize(MUTED) if cause == COMPRESSED else line


def _curve_lines(view: SessionView, at: int | None, width: int) -> list[Content]:
    """What is left of the budget, or without one what was spent; and where that goes with the turns to come."""
    costs, budget = view.costs, view.costs.budget.at(at)
    bill, to_go = costs.total.at(at), view.rent.to_go(at)
    if not bill.usd or bill.replies < 2:
        return []
    high = to_go.high if to_go else Decimal(0)
    labels = (figures.usd(budget if budget else bill.usd + high), "0")
    columns = curve_columns(width, labels)
    coming = _columns_ahead(columns, bill, to_go)
    points = costs.spent.sampled(columns - coming, at)
    values = [_left(costs, seq, spent) if budget else spent for seq, spent in points]
    fan = None
    if to_go is not None and coming:
        low, high = (-to_go.high, -to_go.low) if budget else (to_go.low, to_go.high)
        fan = Ahead.fan(values[-1], values[-1] + float(low), values[-1] + float(high), coming)
    title = "left of the budget" if budget else "spent, reply by reply"
    ways = (f"{title} · ░ the next {figures.plural(to_go.turns, 'turn')}", title) if to_go else (title,)
    return [Content(""), heading(first_that_fits(ways, width)), *curve(values, CURVE_ROWS, labels, ahead=fan)]


def _columns_ahead(columns: int, bill: Bill, to_go: ToGo | None) -> int:
    """How much of a curve's width shows the turns to come: their share of all turns, within limits."""
    if to_go is None:
        return 0
    return min(max(4, columns * to_go.turns // (to_go.turns + bill.replies)), columns * MOST_AHEAD // 100)


def _left(costs: Costs, seq: int, spent: float) -> float:
    """What was left of the budget at an event; nothing where it was overdrawn or there was none yet."""
    return max(0.0, float(costs.budget.at(seq) or 0) - spent)
