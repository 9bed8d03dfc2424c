"""Which models there are at the profiles, and at what dated prices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from core.clock import MICROSECONDS
from core.config import Config
from core.models.offers import offers
from core.models.prices import Rates, listed_dates, price_row, window_of
from core.models.profiles import PROFILES, SIMULATED, Endpoint, resolve_endpoint
from core.protocols import ModelOffer

AGENTS = (
    *("qwen3.7", "qwen3.6", "qwen3.5", "claude-opus", "claude-sonnet", "claude-fable", "claude-haiku"),
    *("gpt-6", "gpt-5.5", "gemini-3", "deepseek-v4", "deepseek-flash", "kimi-k2"),
)
"""Names that belong to models which people run as agents; the others of a long list are shown on request."""
NOT_FOR_AGENTS = ("image", "vision-exp", "-fast", "free", "~", "audio", "tts", "embedding", "-pro:")


@dataclass(frozen=True, slots=True)
class Listed:
    """A model of a profile. `rates` None: its price is not known. `since`, `until`: from when to when they hold, None
    where the list does not say. `endpoint` is how it would be reached."""

    endpoint: Endpoint
    window: int | None
    rates: Rates | None
    since: date | None = None
    until: date | None = None

    @property
    def name(self) -> str:
        return f"{self.endpoint.profile}:{self.endpoint.model}"


def listed(
    config: Config, profiles: Sequence[str], words: Sequence[str], at_us: int, everything: bool = False, sent: int = 0
) -> list[Listed]:
    """Models whose names hold every word, by profile and name, at their prices for a prompt of `sent` tokens.

    Nobody is asked over the network. Imports the price list, which takes a moment. Raises ConfigError where a profile
    can't be used.
    """
    found = [row for profile in profiles for row in _of_profile(config, profile, words, at_us, everything, sent)]
    return sorted(found, key=lambda row: row.name)


def known_profiles(config: Config) -> list[str]:
    """Profiles whose models are known without asking: those with a price list, and those of the user's own."""
    return sorted(name for name in {*PROFILES, *config.profiles} if name != SIMULATED and _provider(config, name))


def _provider(config: Config, profile: str) -> bool:
    own = config.profiles.get(profile)
    base = PROFILES.get(profile) or PROFILES.get((own and own.like) or "generic")
    priced = any(name.startswith(f"{profile}/") for name in config.prices)
    return bool((own and own.price_provider) or (base and base.price_provider) or priced)


def _of_profile(
    config: Config, profile: str, words: Sequence[str], at_us: int, everything: bool, sent: int
) -> Iterator[Listed]:
    configured = config.model.name if config.model.profile == profile else None
    base = resolve_endpoint(config, f"{profile}:{configured or 'x'}")
    every: Iterable[ModelOffer] = offers(base, base.model, at_us, config.prices)
    for model in sorted({offer.model for offer in every} - {"x"}):
        usual = any(mark in model for mark in AGENTS) and not any(mark in model for mark in NOT_FOR_AGENTS)
        shown = everything or usual or f"{profile}/{model}" in config.prices
        if all(word.lower() in model.lower() for word in words) and (shown or words):
            yield _row(config, f"{profile}:{model}", at_us, sent)


def _row(config: Config, name: str, at_us: int, sent: int) -> Listed:
    endpoint = resolve_endpoint(config, name)
    rates = price_row(endpoint, endpoint.model, at_us, config.prices, sent=sent)
    day = datetime.fromtimestamp(at_us / MICROSECONDS, UTC).date()
    since, until = (
        listed_dates(endpoint, endpoint.model, day) if rates and rates.source.startswith("list price") else (None, None)
    )
    return Listed(endpoint, window_of(endpoint.model, endpoint), rates, since, until)
