"""When something happened, in the time zone of who looks: clock times and days."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from core.clock import MICROSECONDS

QUARTER_US = 900 * MICROSECONDS
"""Every time zone's day begins at a quarter of an hour."""


def clock_time(at_us: int) -> str:
    """`14:03:22`."""
    return f"{datetime.fromtimestamp(at_us / MICROSECONDS):%H:%M:%S}"


def day_of(at_us: int) -> int:
    """The day as a number; asked for every entry of a long session."""
    return _day_of_quarter(at_us // QUARTER_US)


@lru_cache(maxsize=4_096)
def _day_of_quarter(quarter: int) -> int:
    return datetime.fromtimestamp(quarter * QUARTER_US / MICROSECONDS).toordinal()


def day_name(day: int) -> str:
    """`Tuesday 1 December`."""
    moment = date.fromordinal(day)
    return f"{moment:%A} {moment.day} {moment:%B}"
