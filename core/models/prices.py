"""What a reply costs, decided once: prices of the user, else the provider's own bill, else a dated price list.

Decimals all the way. An unknown price is None, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.clock import MICROSECONDS
from core.config import PriceSettings
from core.events import Price, Usage
from core.models.profiles import SIMULATED, Endpoint

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

MILLION = 1_000_000
MOST_DOLLARS = 1_000_000_000
"""What a provider says that it billed for one reply is none from here on."""


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars per token, by the way a token is counted; `source` says whose prices they are."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal
    cache_write_1h: Decimal
    source: str = field(kw_only=True)

    def cost(self, usage: Usage) -> Decimal:
        """Dollars for the tokens of one reply."""
        return (
            usage.fresh * self.input
            + usage.cache_read * self.cache_read
            + usage.cache_write_5m * self.cache_write
            + usage.cache_write_1h * self.cache_write_1h
            + usage.output * self.output
        )

    def row(self) -> dict[str, str]:
        """The prices per million tokens, as they are journalled."""
        names = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
        return {name: _text(getattr(self, name) * MILLION) for name in names}


def price(
    usage: Usage | None,
    endpoint: Endpoint,
    model: str,
    at_us: int,
    overrides: Mapping[str, PriceSettings] | None = None,
    raw_usage: Mapping[str, Any] | None = None,
) -> Price:
    """The price of one reply by `model` at journal time `at_us`; `raw_usage` may hold the provider's own bill."""
    rates = price_row(endpoint, model, at_us, overrides, sent=usage.sent if usage else 0)
    own = rates is not None and rates.source == USERS
    if not own and (billed := _billed(endpoint, raw_usage or {})) is not None:
        return Price(cost=_text(billed), source="provider", row=rates.row() if rates else {})
    if rates is None or usage is None:
        return Price(cost=None, source="unknown")
    return Price(cost=_text(rates.cost(usage)), source=rates.source, row=rates.row())


def price_row(
    endpoint: Endpoint,
    model: str,
    at_us: int,
    overrides: Mapping[str, PriceSettings] | None = None,
    *,
    sent: int = 0,
) -> Rates | None:
    """The rates for a prompt of `sent` tokens (some prices jump with its size), or None when they aren't known."""
    for name in (model, endpoint.model):
        if own := (overrides or {}).get(f"{endpoint.profile}/{name}"):
            return _users_rates(own)
    if endpoint.profile == SIMULATED:
        return _rates(_SIMULATED, sent)
    if (noted := _NOTED.get((endpoint.price_provider or "", model))) is not None:
        return _rates(noted, sent)
    listed = _listed(model, endpoint.price_provider, endpoint.base_url)
    return _listed_rates(listed, at_us, sent) if listed else None


def window_of(model: str, endpoint: Endpoint | None = None) -> int | None:
    """The context window of a model in tokens, where it is known; the endpoint's own setting wins."""
    if endpoint is not None and endpoint.window:
        return endpoint.window
    if model.startswith(f"{SIMULATED}/"):
        return 1_000_000
    if (noted := _NOTED.get(("model-studio", model))) is not None:
        return noted.window
    provider = endpoint.price_provider if endpoint else ("openrouter" if "/" in model else None)
    listed = _listed(model, provider, endpoint.base_url if endpoint else None)
    return listed.context_window if listed else None


def noted_models(provider: str) -> list[str]:
    """The models of a provider whose prices are noted by hand."""
    return [model for named, model in _NOTED if named == provider]


USERS = "your prices"


@dataclass(frozen=True, slots=True)
class _Row:
    """Prices per million tokens as noted by hand; `above`: beyond so many tokens, the factors for input and output."""

    input: str
    output: str
    cache_read: str
    cache_write: str
    cache_write_1h: str
    source: str
    window: int
    above: tuple[int, str, str] | None = None


_SIMULATED = _Row("2", "10", "0.1", "2.5", "4", "simulated list price", 1_000_000)
_NOTED: dict[tuple[str, str], _Row] = {
    ("model-studio", "qwen3.7-max"): _Row(
        "2.5", "7.5", "0.25", "3.125", "3.125", "Model Studio list price of July 2026", 991_808
    ),
    ("model-studio", "qwen3.7-plus"): _Row(
        "0.5", "3", "0.05", "0.625", "0.625", "Model Studio list price of July 2026", 991_808, (256_000, "4", "2")
    ),
}
"""What the price list doesn't have."""


def _rates(row: _Row, sent: int) -> Rates:
    big = row.above is not None and sent > row.above[0]
    input_factor, output_factor = (Decimal(row.above[1]), Decimal(row.above[2])) if big and row.above else (1, 1)
    return Rates(
        input=_per_token(row.input) * input_factor,
        output=_per_token(row.output) * output_factor,
        cache_read=_per_token(row.cache_read) * input_factor,
        cache_write=_per_token(row.cache_write) * input_factor,
        cache_write_1h=_per_token(row.cache_write_1h) * input_factor,
        source=row.source,
    )


def _users_rates(own: PriceSettings) -> Rates:
    write = own.input if own.cache_write is None else own.cache_write
    read = own.input if own.cache_read is None else own.cache_read
    return Rates(*(_per_token(value) for value in (own.input, own.output, read, write, write)), source=USERS)


@lru_cache(maxsize=64)
def _listed(model: str, provider: str | None, base_url: str | None) -> ModelInfo | None:
    """The model in the bundled price list; imported late, for it takes a while."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        return get_snapshot().find_provider_model(model, None, provider, None if provider else base_url)[1]
    except LookupError:
        return None


def _listed_rates(model: ModelInfo, at_us: int, sent: int) -> Rates | None:
    prices = model.get_prices(datetime.fromtimestamp(at_us / MICROSECONDS, UTC))
    plain, reply = _tier(prices.input_mtok, sent), _tier(prices.output_mtok, sent)
    if plain is None or reply is None:
        return None
    read, write, long_write = (
        _tier(getattr(prices, name), sent) for name in ("cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok")
    )
    write = plain if write is None else write
    values = (plain, reply, plain if read is None else read, write, write if long_write is None else long_write)
    return Rates(*(value / MILLION for value in values), source=f"list price of {model.id}")


def listed_dates(endpoint: Endpoint, model: str, day: date) -> tuple[date | None, date | None]:
    """From when, and until when, the list's prices of that day hold; None where it names no such day."""
    listed = _listed(model, endpoint.price_provider, endpoint.base_url)
    prices = listed.prices if listed and isinstance(listed.prices, list) else []
    starts = sorted(start for it in prices if (start := getattr(it.constraint, "start_date", None)) is not None)
    before, after = [start for start in starts if start <= day], [start for start in starts if start > day]
    return (before[-1] if before else None), (after[0] if after else None)


def _tier(value: Any, sent: int) -> Decimal | None:
    """The price that a prompt of `sent` tokens pays: the highest tier that it exceeds."""
    if value is None or isinstance(value, Decimal):
        return value
    reached = [tier.price for tier in value.tiers if sent > tier.start]
    return reached[-1] if reached else value.base


def _billed(endpoint: Endpoint, raw: Mapping[str, Any]) -> Decimal | None:
    """What the provider says it billed, with what it passed on to the user's own account elsewhere."""
    if not endpoint.reports_cost or (own := _dollars(raw.get("cost"))) is None:
        return None
    details = raw.get("cost_details")
    upstream = details.get("upstream_inference_cost") if raw.get("is_byok") and isinstance(details, Mapping) else None
    return own + (_dollars(upstream) or Decimal(0))


def _dollars(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    amount = Decimal(str(value))
    return amount if amount.is_finite() and 0 <= amount < MOST_DOLLARS else None


def _per_token(value: str | float) -> Decimal:
    return Decimal(str(value)) / MILLION


def _text(value: Decimal) -> str:
    """Plain digits without an exponent or trailing zeros."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
