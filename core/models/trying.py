"""Trying an endpoint by one small request; and looking for servers of this machine, when asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import httpx2
import msgspec

from core.clock import Clock
from core.config import Config
from core.events import Usage
from core.models.keys import read_key
from core.models.prices import price, window_of
from core.models.profiles import PROFILES, Endpoint
from core.models.wire import Wire

ASKED = "Reply with the word ready."
REPLY_TOKENS = 200
LOOK_S = 1.0
"""How long a server of this machine may take to say which models it has."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a request came to. `usd` None: the price is unknown; `source`: whose it is. `window` None: unknown."""

    said: str
    usage: Usage | None
    usd: Decimal | None
    source: str
    window: int | None
    ms: int


async def try_out(endpoint: Endpoint, config: Config, clock: Clock, environ: Mapping[str, str]) -> Tried:
    """One small request. Raises ModelError where it fails, ConfigError where the key is missing."""
    wire = Wire(endpoint, lambda: read_key(endpoint, environ), clock)
    body = {
        "model": endpoint.model,
        "max_tokens": REPLY_TOKENS,
        "stream": True,
        "messages": [{"role": "user", "content": ASKED}],
    }
    try:
        reply = await wire.stream([msgspec.json.encode(body)], lambda delta: None)
    finally:
        await wire.close()
    cost = price(reply.usage, endpoint, endpoint.model, clock.now_us(), config.prices, reply.raw_usage)
    said = " ".join(str(block.get("text", "")) for block in reply.content if block.get("type") == "text")
    usd = Decimal(cost.cost) if cost.cost is not None else None
    return Tried(said, reply.usage, usd, cost.source, window_of(endpoint.model, endpoint), reply.ms)


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server of models on this machine, and which it says it has."""

    profile: str
    base_url: str
    models: tuple[str, ...]


async def look_around(ports: Mapping[str, str] | None = None) -> list[LocalServer]:
    """Servers at the usual addresses of this machine, and nowhere else; `ports` are addresses by profile."""
    places = ports or {name: it.base_url for name, it in PROFILES.items() if it.base_url and "127.0.0.1" in it.base_url}
    async with httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=LOOK_S) as http:
        found = await asyncio.gather(*(_look(http, name, url) for name, url in sorted(places.items())))
    return [server for server in found if server is not None]


async def _look(http: httpx2.AsyncClient, profile: str, base_url: str) -> LocalServer | None:
    try:
        answer = await http.get(f"{base_url}/v1/models")
        rows = answer.json().get("data") or []
        names = tuple(str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row)
    except (httpx2.HTTPError, ValueError, AttributeError, TypeError):
        return None
    return LocalServer(profile, base_url, names) if answer.status_code == 200 else None
