"""What tokens cost: one price row as plain numbers, for arithmetic. The bill itself is kept in decimals elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

PER_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Tariff:
    """US dollars per token by the way it is counted; the cache's lifetime in seconds (None: no cache).

    `minimum`: prompts below it are not cached. Without a cache `read` and `write` equal `input`.
    """

    input: float
    output: float
    read: float
    write: float
    ttl_s: float | None
    minimum: int = 1_024

    @classmethod
    def per_million(
        cls, input: float, output: float, read: float, write: float, ttl_s: float | None, minimum: int = 1_024
    ) -> Tariff:
        """From dollars per million tokens, as price lists print them."""
        return cls(input / PER_MILLION, output / PER_MILLION, read / PER_MILLION, write / PER_MILLION, ttl_s, minimum)

    @property
    def rewrite(self) -> float:
        """What a token costs more when it is written to the cache than when it is read from it."""
        return self.write - self.read

    def prompt_usd(self, tokens: int, cached: int) -> float:
        """A prompt of which `cached` tokens are read from the cache and the rest is written to it."""
        return cached * self.read + (tokens - cached) * self.write


REFERENCE = Tariff.per_million(2.50, 7.50, 0.25, 3.125, 300.0)
"""Qwen3.7-Max on Model Studio in July 2026 with explicit caching: read 10 %, write 125 %, five minutes."""
