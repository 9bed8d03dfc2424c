"""What replies of other tools cost, by the price list or the user's own prices; the model says whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from core.config import PriceSettings
from core.events import Price, Usage
from core.models.prices import price, window_of
from core.models.profiles import Endpoint

_BY_NAME: Final = (
    ("claude", "anthropic"),
    ("gpt", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("codex", "openai"),
    ("gemini", "google"),
    ("deepseek", "deepseek"),
    ("grok", "x-ai"),
    ("mistral", "mistral"),
    ("devstral", "mistral"),
    ("kimi", "moonshotai"),
)
_SAME: Final = {"vertex_ai": "google", "gemini": "google", "xai": "x-ai", "moonshot": "moonshotai"}


@lru_cache(maxsize=128)
def place_of(provider: str | None, model: str) -> tuple[str | None, str]:
    """The price list's provider and name of a model; None: nobody's prices are known to apply."""
    prefix, _, rest = model.partition("/")
    if rest and prefix == "openrouter":
        return "openrouter", rest
    if rest:
        return _SAME.get(prefix, prefix), rest.rpartition("/")[2] if prefix in ("bedrock", "vertex_ai") else rest
    if provider:
        return _SAME.get(provider, provider), model
    return next((known for start, known in _BY_NAME if model.lower().startswith(start)), None), model


class PriceBook:
    """Prices of any model of any provider; `own` are the user's, by `provider/model`."""

    def __init__(self, own: Mapping[str, PriceSettings] | None = None) -> None:
        self._own = own
        self._windows: dict[tuple[str | None, str], int | None] = {}

    def price(self, provider: str | None, model: str, usage: Usage | None, at_us: int) -> Price:
        """What such a reply cost then (`at_us` 0: at the latest prices); unknown without usage or prices."""
        endpoint = _endpoint(provider, model)
        if endpoint is None:
            return Price(cost=None, source="unknown")
        return price(usage, endpoint, endpoint.model, at_us or _UNDATED_US, self._own)

    def window(self, provider: str | None, model: str) -> int | None:
        """The model's context window in tokens, where it is known."""
        if (provider, model) not in self._windows:
            endpoint = _endpoint(provider, model)
            self._windows[provider, model] = window_of(endpoint.model, endpoint) if endpoint else None
        return self._windows[provider, model]

    def explicit_cache(self, provider: str | None, model: str) -> bool:
        """Whether its cache is kept for a time that is known."""
        return place_of(provider, model)[0] == "anthropic"


_UNDATED_US: Final = 4_000_000_000_000_000
"""A time after every dated price: what has no time is priced as of the end of the list."""


@lru_cache(maxsize=128)
def _endpoint(provider: str | None, model: str) -> Endpoint | None:
    place, name = place_of(provider, model)
    if place is None or not name:
        return None
    return Endpoint(profile=place, base_url="", model=name, price_provider=place)
