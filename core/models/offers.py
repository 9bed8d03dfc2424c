"""The models that an endpoint may answer with, as far as price lists and the configuration know them.

No server is asked: what is listed may be refused to an account, and what is not listed may still be answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from core.config import PriceSettings
from core.models.prices import Rates, noted_models, price_row, window_of
from core.models.profiles import SIMULATED, Endpoint
from core.protocols import ModelOffer

NOT_ANSWERED_AT_ONCE = (":batch",)
"""Ends of names by which the same model is sold for jobs that wait for hours."""


def offers(
    endpoint: Endpoint,
    present: str,
    at_us: int,
    overrides: Mapping[str, PriceSettings] | None = None,
    *,
    sent: int = 0,
) -> list[ModelOffer]:
    """The present model first, then the others by name, each at its rates for a prompt of `sent` tokens.

    Importing the price list takes a moment: not for an event loop.
    """
    others = sorted({*_named(endpoint, overrides or {})} - {present})
    return [_offer(endpoint, model, at_us, overrides, sent) for model in (present, *others)]


def _offer(
    endpoint: Endpoint, model: str, at_us: int, overrides: Mapping[str, PriceSettings] | None, sent: int
) -> ModelOffer:
    rates = price_row(endpoint, model, at_us, overrides, sent=sent)
    cached = endpoint.cache != "none"
    return ModelOffer(model, window_of(model, endpoint), _charged(rates, endpoint) if rates else (), cached)


def _charged(rates: Rates, endpoint: Endpoint) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Dollars a token as this endpoint counts them: fresh, output, cache read, cache write."""
    match endpoint.cache:
        case "explicit":
            return rates.input, rates.output, rates.cache_read, rates.cache_write
        case "automatic":
            return rates.input, rates.output, rates.cache_read, rates.input
        case _:
            return rates.input, rates.output, rates.input, rates.input


def _named(endpoint: Endpoint, overrides: Mapping[str, PriceSettings]) -> Iterator[str]:
    prefix = f"{endpoint.profile}/"
    yield from (name.removeprefix(prefix) for name in overrides if name.startswith(prefix))
    if endpoint.profile == SIMULATED or not endpoint.price_provider:
        return
    yield from noted_models(endpoint.price_provider)
    from genai_prices.data_snapshot import get_snapshot

    listed = (provider.models for provider in get_snapshot().providers if provider.id == endpoint.price_provider)
    for model in next(listed, ()):
        if not model.deprecated and not model.id.endswith(NOT_ANSWERED_AT_ONCE):
            yield model.id
