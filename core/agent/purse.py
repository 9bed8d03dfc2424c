"""What a session may still spend, asked before anything goes out that costs something and is no turn of the agent."""

from __future__ import annotations

from decimal import Decimal

from core.agent.facts import Facts
from core.folds.allowances import Taken

NO_TURNS = frozenset({"turns"})
"""Limits that a side request takes nothing of."""


def limits_of(facts: Facts, now_us: int) -> tuple[Taken, ...]:
    """Every limit that is set, money included, with what was taken of it."""
    budget = facts.budget
    money = (Taken("usd", float(facts.spent), float(budget)),) if budget else ()
    return (*money, *facts.allowances.taken(now_us))


def shortfall(facts: Facts, now_us: int, usd: Decimal | float | None) -> str:
    """Why a side request of about that price (None: unknown) is not to be sent, in words; empty where it is."""
    for taken in limits_of(facts, now_us):
        if taken.name in NO_TURNS:
            continue
        if taken.used >= taken.limit:
            return f"{taken.words()} are used up"
        if usd is not None and taken.name != "minutes" and taken.used + float(usd) > taken.limit:
            return f"it costs about ${float(usd):.4f}, and {taken.words()} are spent"
    return ""
