"""What the session costs: in all, by model and purpose, by class of token, against the budget, over time."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from textual.content import Content

from core.folds.costs import Bill, Costs, LastReply
from core.folds.fold import Series
from core.folds.view import Changes, SessionView
from tui.panes import figures
from tui.panes.bars import curve, filled
from tui.panes.sheet import Sheet
from tui.panes.sheet_lines import MUTED, fit, heading, spread
from tui.safe import safe_text

CURVE_ROWS = 3
ROW_TITLE = 7
TOKEN_CLASSES = (("fresh", "fresh"), ("cached", "cache"), ("written", "write"), ("output", "out"))
"""What a token was paid as, in a word and in a shorter one."""
_LEVELS = ((95, "cost-over"), (80, "cost-warn"), (0, "cost-ok"))


class CostPane(Sheet):
    """The bill as of the moment that is shown; an unknown price is said, never counted as zero."""

    CONCERNS = Changes.COST
    LABEL = "Cost"

    def summary(self, view: SessionView, at: int | None) -> str:
        return figures.spent(view.costs.total.at(at))

    def lines(self, view: SessionView, at: int | None, width: int) -> list[Content]:
        bill = view.costs.total.at(at)
        return [
            *_spent_lines(bill, view.costs.budget.at(at), width),
            *_reply_lines(bill, view.costs.last.at(at), width),
            Content(""),
            *_token_lines(bill, width),
            Content(""),
            *_split_lines("model", view.costs.by_model, at, width),
            *_split_lines("purpose", view.costs.by_purpose, at, width),
            *_curve_lines(view.costs, at, width),
        ]


def _spent_lines(bill: Bill, budget: Decimal | None, width: int) -> list[Content]:
    spent = Content.styled(figures.spent(bill), "bold")
    if not budget:
        return [spread(Content("spent  ") + spent, Content.styled("no budget", MUTED), width)]
    share = float(bill.usd / budget)
    style = next(style for percent, style in _LEVELS if share * 100 >= percent)
    left = Content("spent  ") + spent + Content.styled(f" of {figures.usd(budget)}", MUTED)
    lines = [spread(left, Content.styled(figures.percent(share), f"bold ${style}"), width), filled(share, width, style)]
    return lines + _unpriced_lines(bill)


def _unpriced_lines(bill: Bill) -> list[Content]:
    if not bill.unpriced:
        return []
    count = figures.plural(bill.unpriced, "reply") if bill.unpriced == 1 else f"{bill.unpriced:,} replies"
    return [Content.styled(f"{count} of a model whose price is unknown", "$warning")]


def _reply_lines(bill: Bill, last: LastReply, width: int) -> list[Content]:
    if not bill.replies:
        return [heading("No reply yet.")]
    sent, out = figures.tokens(last.usage.sent), figures.tokens(last.usage.output)
    left = Content("last reply  ") + Content.styled(figures.usd(last.cost), "bold")
    detail = first_that_fits((f"{sent} sent · {out} out", f"{sent} → {out}"), width - left.cell_length - 2)
    rate = Content("cache hit  ") + Content.styled(figures.percent(bill.hit_rate), "bold")
    replies = Content.styled(f"{bill.replies:,} replies", MUTED)
    return [spread(left, Content.styled(detail, MUTED), width), spread(rate, replies, width)]


def first_that_fits(ways: Sequence[str], room: int) -> str:
    """The first way to say it that has room; nothing where none has."""
    return next((way for way in ways if len(way) <= room), "")


def _token_lines(bill: Bill, width: int) -> list[Content]:
    counts = (bill.fresh, bill.cache_read, bill.cache_write, bill.output)
    column = (width - ROW_TITLE) // len(counts)
    words = [whole if column > len("written") else short for whole, short in TOKEN_CLASSES]
    title = fit("tokens", ROW_TITLE) + "".join(fit(word, column, right=True) for word in words)
    row = " " * ROW_TITLE + "".join(fit(figures.tokens(count), column, right=True) for count in counts)
    return [heading(title), Content(row)]


def _split_lines(title: str, split: dict[str, Series[Bill]], at: int | None, width: int) -> list[Content]:
    bills = [(name, series.at(at)) for name, series in split.items()]
    rows = sorted(((name, bill) for name, bill in bills if bill.replies), key=lambda row: -row[1].usd)
    lines = [spread(heading(f"by {title}"), heading("replies      cost"), width)] if rows else []
    for name, bill in rows:
        right = Content(f"{bill.replies:>7,}{figures.spent(bill):>10}")
        lines.append(spread(Content(safe_text(name)), right, width))
    return lines


def _curve_lines(costs: Costs, at: int | None, width: int) -> list[Content]:
    values = [float(bill.usd) for _seq, bill in costs.total.points(at)]
    if len(values) < 2 or not values[-1]:
        return []
    labels = (figures.usd(costs.total.at(at).usd), "0")
    return [Content(""), heading("spent, reply by reply"), *curve(values, width, CURVE_ROWS, labels)]
