"""From settings and prices to how a session's context is carried; what can't work is refused before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from msgspec.structs import replace as replaced

from core.agent.thrift import RATIOS, Carrying
from core.config import Config, ConfigError, ContextSettings
from core.economy.rule import Rule
from core.economy.tariff import Tariff
from core.models.prices import Rates, window_of
from core.models.profiles import Caching, Endpoint
from core.request.compression import Keeping
from core.request.pieces import tokens_of
from core.request.projection import Head
from core.request.prompt import system_prompt
from core.tools.registry import builtin_tools, schemas

CACHE_LIFE_S = 300.0
"""How long explicit caches live where nothing else was agreed; reads start it anew."""
TURN_TOKENS = 700
"""About what a turn adds: the median of real sessions is 606 tokens, the uniform workload's 708."""


_USUAL: dict[Caching, Tariff] = {
    "explicit": RATIOS,
    "automatic": replace(RATIOS, write=1.0, ttl_s=None),
    "none": replace(RATIOS, read=1.0, write=1.0, ttl_s=None),
}
"""How prices usually relate, by how a provider caches."""


def carrying_of(
    settings: ContextSettings, session: dict[str, Any], caching: Caching = "explicit", summaries: str | None = None
) -> Carrying:
    """The configured settings, but for what the session was opened with (`policy`, `context`, `anchor_every`).

    `summaries`: the model of paragraphs where the settings name none.
    """
    known = ContextSettings.__struct_fields__
    settings = replaced(
        settings, **{name: value for name, value in session.get("context", {}).items() if name in known}
    )
    return Carrying(
        policy=session.get("policy") or settings.policy,
        keeping=Keeping(
            keep_turns=settings.keep_turns,
            digest_tokens=settings.digest_tokens,
            window_turns=settings.window_turns,
            window_anchors=settings.window_anchors,
            mask_turns=settings.mask_turns,
            mask_batch=settings.mask_batch,
        ),
        rule=Rule(alpha=settings.alpha, keep_alive=settings.keep_alive),
        usual=_USUAL[caching],
        paragraph=settings.paragraph,
        paragraph_model=settings.paragraph_model or summaries,
        anchor_every=session.get("anchor_every") or settings.anchor_every,
    )


def tariff_of(endpoint: Endpoint, rates: Rates | None) -> Tariff | None:
    """The prices for arithmetic; None where they are unknown."""
    if rates is None:
        return None
    input, output = float(rates.input), float(rates.output)
    match endpoint.cache:
        case "explicit":
            return Tariff(input, output, float(rates.cache_read), float(rates.cache_write), CACHE_LIFE_S)
        case "automatic":  # Nobody says how long such a cache lives, nor promises a hit.
            return Tariff(input, output, float(rates.cache_read), input, None)
        case _:
            return Tariff(input, output, input, input, None)


def check_floor(carrying: Carrying, head: Head, task: str, window: int | None, full_at: float) -> None:
    """Refuse a context that could not be compressed into its window. Raises ConfigError with the parts."""
    if window is None:
        return
    parts = {
        **head.part_tokens(),
        "task": tokens_of(task),
        "digest": carrying.keeping.digest_tokens,
        f"{carrying.keeping.keep_turns} turns": carrying.keeping.keep_turns * TURN_TOKENS,
    }
    room = int(window * full_at)
    if sum(parts.values()) > room:
        told = ", ".join(f"{name} {tokens:,}" for name, tokens in parts.items())
        raise ConfigError(
            f"What always stays in the context ({told}: {sum(parts.values()):,} tokens) exceeds the {room:,} that the "
            f"window of {window:,} leaves; lower keep_turns or digest_tokens in [context], or shorten the task."
        )


def check_room(task: str, endpoint: Endpoint, settings: Mapping[str, Any], config: Config) -> None:
    """Raises ConfigError when what would always stay in the context of a new session exceeds the model's window.

    Looking up a window takes a moment, so with the usual settings that is left to the runner.
    """
    carrying = carrying_of(config.context, dict(settings), endpoint.cache)
    if endpoint.window is None and carrying.keeping == carrying_of(Config().context, {}, endpoint.cache).keeping:
        return
    head = Head(endpoint.model, system_prompt()[0], tuple(schemas(builtin_tools())), 0, endpoint.cache == "explicit")
    check_floor(carrying, head, task, window_of(endpoint.model, endpoint), config.context.hard_limit_fraction)
