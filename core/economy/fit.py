"""Which models fit a planned session, and when one that was made for long runs is more than it needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.economy.estimate import Estimate, estimate
from core.economy.tariff import Tariff
from core.economy.workload import SYSTEM_TOKENS

COMMON_WINDOW = 200_000
"""Tokens of a window that is not large any more."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model. `window` and `tariff` are None where they are not known."""

    name: str
    window: int | None
    tariff: Tariff | None


@dataclass(frozen=True, slots=True)
class Fit:
    """How it fits. `cost` None: its price is not known. `objection`: why it does not fit, empty where it does."""

    candidate: Candidate
    cost: Estimate | None
    objection: str = ""
    note: str = ""


def fits(candidates: Iterable[Candidate], hours: float, context: int, calls_per_hour: float) -> list[Fit]:
    """The models for a session of so many hours that needs prompts of `context` tokens: what fits first, by price.

    Raises ValueError where such a session can't be estimated.
    """
    costs: dict[Tariff, Estimate] = {}  # Many models have the same prices.
    found = []
    for candidate in candidates:
        if (tariff := candidate.tariff) is not None and tariff not in costs:
            costs[tariff] = estimate(hours, calls_per_hour, tariff)
        found.append(_fit(candidate, context, costs[tariff] if tariff else None))
    return sorted(found, key=_place)


def _place(fit: Fit) -> tuple[bool, float, str]:
    return bool(fit.objection), fit.cost.usd.high if fit.cost else float("inf"), fit.candidate.name


def _fit(candidate: Candidate, context: int, cost: Estimate | None) -> Fit:
    tariff = candidate.tariff
    if candidate.window is None:
        return Fit(candidate, cost, "its window is not known")
    if candidate.window < context:
        return Fit(candidate, cost, "its window is too small")
    return Fit(candidate, cost, "", "no cache" if tariff and tariff.ttl_s is None else "")


def overkill(hours: float, context: int, calls_per_hour: float) -> str:
    """A sentence where a model made for long runs is more than the session needs; empty where it is not.

    What fits into a common window as a whole needs neither a large window nor endurance that was shown over days.
    """
    said = estimate(hours, calls_per_hour).fresh.high + SYSTEM_TOKENS
    if max(context, said) > COMMON_WINDOW:
        return ""
    return (
        f"A model made for long runs is overkill: all that is ever said in {hours:g} h comes to {said:,.0f} tokens at "
        f"most, and a window of {COMMON_WINDOW:,} holds it whole."
    )
