"""What a session of so many hours comes to, beside the figures of the reference documents, and why those can't hold."""

from __future__ import annotations

from dataclasses import dataclass

from core.economy.billing import Bill
from core.economy.policies import Auto, simulate
from core.economy.tariff import REFERENCE, Tariff
from core.economy.workload import SYSTEM_TOKENS, Turn, Workload

CALLS_PER_HOUR = 33.0
LEAN, HEAVY = (240, 468), (414, 958)
"""Tokens of a call and of its result: an even session, and the mean of the longest real ones."""
MOST_HOURS = 1_000.0


@dataclass(frozen=True, slots=True)
class Range:
    """From a lean session to a heavy one."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A session under the automatic policy. Four different numbers are called tokens:

    `fresh`: everything that was ever said, once. `sent`: all prompts, the past with each. `read`: of these, from the
    cache. `written`: of these, into the cache. `usd` in dollars.
    """

    hours: float
    calls: int
    fresh: Range
    sent: Range
    read: Range
    written: Range
    usd: Range


@dataclass(frozen=True, slots=True)
class Claim:
    """A row of the reference documents: so many tokens in so many hours, for so many dollars."""

    hours: float
    tokens: Range
    usd: Range


CLAIMS = (
    Claim(1, Range(150_000, 300_000), Range(1, 3)),
    Claim(4, Range(500_000, 1_000_000), Range(4, 10)),
    Claim(12, Range(1_500_000, 3_000_000), Range(12, 25)),
    Claim(35, Range(4_000_000, 8_000_000), Range(35, 65)),
)
"""As documented, at 33 calls an hour and $2.50/$7.50 a million tokens."""


def estimate(hours: float, calls_per_hour: float = CALLS_PER_HOUR, tariff: Tariff = REFERENCE) -> Estimate:
    """Calls, tokens and dollars of a session. Raises ValueError where it would have no call, or beyond reason."""
    if not (0 < hours <= MOST_HOURS and 0 < calls_per_hour <= 3_600 and round(hours * calls_per_hour) >= 1):
        raise ValueError(f"a session of {hours:g} hours at {calls_per_hour:g} calls an hour can't be estimated")
    calls = round(hours * calls_per_hour)
    lean, heavy = (_bill(size, calls, 3_600 / calls_per_hour, tariff) for size in (LEAN, HEAVY))
    return Estimate(
        hours,
        calls,
        Range(lean.fresh, heavy.fresh),
        Range(round(lean.sent), round(heavy.sent)),
        Range(round(lean.read), round(heavy.read)),
        Range(lean.written, heavy.written),
        Range(lean.total, heavy.total),
    )


def _bill(size: tuple[int, int], calls: int, gap_s: float, tariff: Tariff) -> Bill:
    return simulate(Workload("estimate", (Turn(*size, gap_s),) * calls), Auto(), tariff)


def claim_for(hours: float) -> Claim | None:
    """The documented row of so many hours, if there is one."""
    return next((claim for claim in CLAIMS if claim.hours == hours), None)


def objections(claim: Claim, tariff: Tariff = REFERENCE, calls_per_hour: float = CALLS_PER_HOUR) -> tuple[str, ...]:
    """Why a documented row can't hold as tokens times price, one plain sentence each."""
    found = []
    for tokens, usd in ((claim.tokens.low, claim.usd.low), (claim.tokens.high, claim.usd.high)):
        most = tokens * max(tariff.output, tariff.input)
        if most < usd:
            found.append(
                f"{_short(tokens)} tokens cost at most ${most:,.2f}, if every one of them were output; ${usd:g} would "
                f"take {_short(usd / tariff.output)} output tokens."
            )
    calls = max(1, round(claim.hours * calls_per_hour))
    low, high = claim.tokens.low / calls, claim.tokens.high / calls
    if low < SYSTEM_TOKENS:
        found.append(
            f"As tokens sent, {_short(claim.tokens.low)}-{_short(claim.tokens.high)} over {calls:,} calls are "
            f"{low:,.0f}-{high:,.0f} a request, and the system prompt with its tools alone has {SYSTEM_TOKENS:,}."
        )
    return tuple(found)


def _short(tokens: float) -> str:
    return f"{tokens / 1e6:.3g}M" if tokens >= 1e6 else f"{tokens / 1e3:.0f}K"
