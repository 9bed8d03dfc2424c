"""Figures and texts as a document says them."""

from __future__ import annotations

from datetime import UTC, datetime

from core.clock import MICROSECONDS
from core.hidden import EMOJI_SPELLING, HIDDEN


def plain(text: str) -> str:
    """The text without what steers a terminal or what nobody sees; such characters are shown as a box."""
    return HIDDEN.sub("\u25a1", EMOJI_SPELLING.sub("", text.replace("\r\n", "\n")))


def moment(at_us: int) -> str:
    """A time in UTC; empty where it is not known."""
    return datetime.fromtimestamp(at_us / MICROSECONDS, UTC).strftime("%Y-%m-%d %H:%M:%S") if at_us else ""


def elapsed(seconds: float) -> str:
    """`1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def dollars(value: float) -> str:
    """Small sums with four places."""
    return f"${value:,.4f}" if 0 < value < 1 else f"${value:,.2f}"


def tokens(value: float) -> str:
    """`812`, `12K`, `1.3M`."""
    if value >= 1_000_000:
        return f"{value / 1_000_000:,.1f}M"
    return f"{value / 1_000:,.0f}K" if value >= 1_000 else f"{value:,.0f}"
