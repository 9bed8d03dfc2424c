"""What a vendor charges: the tokens of one answered request, and dollars for them by a price list."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.simulator.cache import Billed

MILLION = 1_000_000
COMPACTION_OUT = 3_500
"""Tokens of the summary that a server-side compaction writes."""


@dataclass(frozen=True, slots=True)
class PriceList:
    """US dollars per million tokens."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    cache_write_1h: Decimal

    @classmethod
    def parse(cls, text: str) -> PriceList:
        """`INPUT,OUTPUT,READ,WRITE`, an hour's write at twice the input. Raises ValueError, one plain sentence."""
        try:
            prices = [Decimal(part) for part in text.split(",")]
            input, output, read, write = prices
        except (ArithmeticError, ValueError):
            raise ValueError(
                f"{text!r} is no price list; write INPUT,OUTPUT,READ,WRITE in dollars a million."
            ) from None
        if not all(price.is_finite() and price >= 0 for price in prices):
            raise ValueError(f"The prices {text!r} have to be numbers from 0 on.")
        return cls(input, output, read, write, 2 * input)

    def prompt_usd(self, prompt: Billed) -> Decimal:
        millions = (
            prompt.fresh * self.input
            + prompt.cache_read * self.cache_read
            + prompt.write_5m * self.cache_write
            + prompt.write_1h * self.cache_write_1h
        )
        return millions / MILLION


@dataclass(frozen=True, slots=True)
class Invoice:
    """One request. `compacted`: tokens of a prompt that the server compacted first, in the bill but not in its totals.

    `purpose` is what the request was for, `at_us` when it came in, in microseconds of the clock.
    """

    prompt: Billed
    purpose: str
    at_us: int
    output_tokens: int = 1
    compacted: int = 0

    def usd(self, prices: PriceList) -> Decimal:
        """Dollars for all of it."""
        hidden = self.compacted * prices.input + (COMPACTION_OUT * prices.output if self.compacted else 0)
        return prices.prompt_usd(self.prompt) + (self.output_tokens * prices.output + hidden) / MILLION

    def usage(self, prices: PriceList | None = None) -> dict[str, Any]:
        """The `usage` object of the wire; with prices it says what was charged."""
        counts = self.prompt.counts() | {"output_tokens": self.output_tokens, "service_tier": "standard"}
        if self.compacted:
            hidden = {"type": "compaction", "input_tokens": self.compacted, "output_tokens": COMPACTION_OUT}
            shown = {"type": "message", "input_tokens": self.prompt.fresh, "output_tokens": self.output_tokens}
            counts["iterations"] = [hidden, shown]
        return counts | ({"cost": float(self.usd(prices))} if prices else {})
