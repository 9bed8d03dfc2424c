"""Amounts are integers of cents; this is the only place that knows how people write them."""

from __future__ import annotations

import re

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF"}
_AMOUNT = re.compile(r"^\s*([+-]?)\s*(\d[\d.,' ]*)\s*$")


class BadAmount(ValueError):
    """Text that is no amount."""


def parse_cents(text: str, decimal: str = ",") -> int:
    """Read `1.234,56` (or `1,234.56` with a decimal point) as cents."""
    assert decimal in (",", "."), "decimal sign"
    match = _AMOUNT.match(text.replace("\u2212", "-"))
    if match is None:
        raise BadAmount(f"{text!r} is not an amount")
    sign, digits = match.groups()
    whole, _, fraction = digits.replace(" ", "").replace("'", "").rpartition(decimal)
    if not whole:
        whole, fraction = fraction, ""
    if len(fraction) > 2:
        raise BadAmount(f"{text!r} has more than two decimals")
    thousands = "." if decimal == "," else ","
    whole = whole.replace(thousands, "")
    if not whole.isdigit():
        raise BadAmount(f"{text!r} is not an amount")
    cents = int(whole) * 100 + int(fraction.ljust(2, "0") or 0)
    return -cents if sign == "-" else cents


def format_cents(cents: int, currency: str = "EUR", decimal: str = ",") -> str:
    """`-1234567` as `-12.345,67 €`."""
    thousands = "." if decimal == "," else ","
    whole, fraction = divmod(abs(cents), 100)
    grouped = f"{whole:,}".replace(",", thousands)
    symbol = SYMBOLS.get(currency, currency)
    return f"{'-' if cents < 0 else ''}{grouped}{decimal}{fraction:02d} {symbol}"


def split_evenly(cents: int, parts: int) -> list[int]:
    """Shares that differ by at most one cent and add up to the whole."""
    assert parts > 0
    share, rest = divmod(abs(cents), parts)
    sign = -1 if cents < 0 else 1
    return [sign * (share + (1 if index < rest else 0)) for index in range(parts)]


def percent(part: int, whole: int) -> str:
    if whole == 0:
        return "–"
    return f"{100 * part / whole:.0f} %"
