"""Limits a month. People write them the way they think of them: `4 * 85.50` for the weekly shop, `1200 / 12`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch


class BadBudget(ValueError):
    """A budget file that can't be used."""


@dataclass(frozen=True)
class Limit:
    """At most so many cents a month on the accounts that match the pattern."""

    pattern: str
    cents: int
    note: str = ""

    def covers(self, account: str) -> bool:
        return fnmatch(account, self.pattern)


@dataclass(frozen=True)
class Usage:
    limit: Limit
    spent: int

    @property
    def left(self) -> int:
        return self.limit.cents - self.spent

    @property
    def is_over(self) -> bool:
        return self.left < 0


def amount(expression: str | int | float) -> int:
    """Cents of a limit, which is a number or arithmetic over numbers."""
    value = expression
    if isinstance(expression, str):
        try:
            value = eval(expression)
        except Exception as error:
            raise BadBudget(f"{expression!r} is not an amount") from error
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise BadBudget(f"{expression!r} is not an amount")
    return round(value * 100)


def parse(content: str) -> list[Limit]:
    """Limits from TOML: `[limits]` with `"expense:food*" = "4 * 85.50"`, or a table with `amount` and `note`."""
    try:
        table = tomllib.loads(content).get("limits", {})
    except tomllib.TOMLDecodeError as error:
        raise BadBudget(f"the budget is not valid TOML: {error}") from error
    limits = []
    for pattern, value in table.items():
        if isinstance(value, dict):
            limits.append(Limit(pattern, amount(value.get("amount", "")), str(value.get("note", ""))))
        else:
            limits.append(Limit(pattern, amount(value)))
    return limits


def usage(limits: list[Limit], spent: dict[str, int]) -> list[Usage]:
    """What each limit has been used for, from cents by account."""
    return [
        Usage(limit, sum(cents for account, cents in spent.items() if limit.covers(account))) for limit in limits
    ]
