"""Numbers as people read them, in as few cells as possible and never wider than they say."""

from __future__ import annotations

from decimal import Decimal

from core.clock import MICROSECONDS
from core.folds.costs import Bill
from core.folds.step_costs import Spend


def tokens(count: int | None) -> str:
    """At most five cells: `860`, `9.4k`, `128k`, `1.05M`; an unknown count is `?`."""
    if count is None:
        return "?"
    if count < 1_000:
        return str(count)
    if count < 9_950:
        return f"{count / 1_000:.1f}k"
    return f"{count / 1_000:.0f}k" if count < 999_500 else f"{count / 1_000_000:.2f}M"


def window(count: int) -> str:
    """The size of a window, without zeros that say nothing: `200k`, `1M`, `1.05M`."""
    return tokens(count) if count < 999_500 else f"{count / 1_000_000:.2f}".rstrip("0").rstrip(".") + "M"


def size(count: int) -> str:
    """Bytes: `812 B`, `3.1 KB`, `4.0 MB`."""
    if count < 1_000:
        return f"{count} B"
    return f"{count / 1_000:.1f} KB" if count < 999_500 else f"{count / 1_000_000:.1f} MB"


def usd(amount: Decimal | str | None) -> str:
    """Dollars with the cents that matter: `$0.0184`, `$2.51`, `$214`; None is `unknown`, never zero."""
    if amount is None:
        return "unknown"
    value = Decimal(amount)
    if value == 0 or value >= 1:
        return f"${value:,.2f}"
    return f"${value:.4f}" if value < Decimal("0.1") else f"${value:.3f}"


def cents(amount: Decimal) -> str:
    """Dollars where there is little room, in whole cents: `$0.02`, `$214.07`; from a thousand on without them."""
    return f"${amount:,.2f}" if amount < 1_000 else f"${amount:,.0f}"


def limit(amount: Decimal) -> str:
    """A budget, without cents where it has none: `$5`, `$7.50`."""
    return f"${amount:,.0f}" if amount == int(amount) else f"${amount:,.2f}"


def spent(bill: Bill) -> str:
    """The sum of a bill: `unknown` where no price was known, `≥ $1.20` where some were not."""
    if not bill.unpriced:
        return usd(bill.usd)
    return "unknown" if bill.unpriced == bill.replies else f"≥ {usd(bill.usd)}"


def spend(amount: Spend) -> str:
    """What a stretch of work took: `12 calls  $0.41  9m 20s`; empty where there was none."""
    if not (amount.turns or amount.calls):
        return ""
    known = "" if amount.unpriced and not amount.usd else f"{'≥ ' if amount.unpriced else ''}{usd(amount.usd)}"
    return "  ".join(part for part in (plural(amount.calls, "call"), known, duration(amount.us // 1000)) if part)


def percent(share: float | None) -> str:
    """A share of one as whole percent, `–` while there is none."""
    return "–" if share is None else f"{share * 100:.0f}%"


def elapsed(microseconds: int) -> str:
    """Since the start: `00:00:41`, `35:12:09`."""
    seconds = max(0, microseconds) // MICROSECONDS
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def duration(milliseconds: int) -> str:
    """How long a call took, at most six cells: `38 ms`, `2.3 s`, `4m 12s`, `3h 05m`."""
    if milliseconds < 1_000:
        return f"{milliseconds} ms"
    seconds = milliseconds / 1_000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes = int(seconds) // 60
    return f"{minutes}m {int(seconds) % 60:02}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02}m"


def took(milliseconds: int, *, known: bool) -> str:
    """How long a call took; a dash where nobody says."""
    return duration(milliseconds) if known else "–"


def countdown(seconds: int) -> str:
    """Time that is left, always five cells up to an hour and seven from there: ` 4:07`, `1:02:09`."""
    hours, rest = divmod(max(0, seconds), 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:>2}:{rest:02}"


def ago(microseconds: int) -> str:
    """The age of something, one unit: `now`, `41s`, `12m`, `3h`, `2d`."""
    seconds = max(0, microseconds) // MICROSECONDS
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s" if seconds else "now"


def plural(count: int, noun: str) -> str:
    """`1 call`, `12 calls`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
