"""Figures and texts as a document says them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from core.clock import MICROSECONDS

_CONTROLS: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def plain(text: str) -> str:
    """The text without what steers a terminal or turns the direction of reading; such characters are shown as a box."""
    return _CONTROLS.sub("\u25a1", text.replace("\r\n", "\n"))


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
