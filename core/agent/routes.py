"""Which model steps in while the session's own does not answer, and when that one answers again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import msgspec

from core.agent.carriage import tariff_of
from core.agent.desk import Desk
from core.agent.endpoints import Told, address_of, endpoint_of
from core.agent.purse import shortfall
from core.clock import MICROSECONDS
from core.config import Config, ConfigError
from core.events import Draft, ModelConsulted, ModelFailed, ModelRequested, ModelSwitched, Usage
from core.folds.timeline import PROBE
from core.models.errors import ModelError
from core.models.keys import read_key
from core.models.prices import price, price_row
from core.models.profiles import Endpoint
from core.models.wire import Wire

MINUTE_US = 60 * MICROSECONDS


class Routes(Protocol):
    """As a runner uses it. A route is a name of the configuration; the empty one is the model that the user chose."""

    home_up: bool
    """Whether the user's model answers again, and is to be gone back to."""
    after_s: float
    """How long a model is tried again before another one steps in."""

    def untried(self) -> tuple[str, ...]: ...

    async def take(self, route: str, why: str) -> None: ...

    def look(self) -> None: ...

    async def close(self) -> None: ...


class OneWay:
    """No other model steps in."""

    home_up = False
    after_s = 0.0

    def untried(self) -> tuple[str, ...]:
        return ()

    async def take(self, route: str, why: str) -> None:
        raise ConfigError("No other model is configured.")

    def look(self) -> None:
        return

    async def close(self) -> None:
        return


class Fallbacks:
    """The routes of a configuration, for the session at a desk."""

    def __init__(self, desk: Desk, config: Config, environ: Mapping[str, str]) -> None:
        self._desk = desk
        self._config = config
        self._environ = environ
        self._probe: asyncio.Task[None] | None = None
        self._looked_us = 0
        self.home_up = False
        self.after_s = config.routing.fallback_after_minutes * 60

    def untried(self) -> tuple[str, ...]:
        """Those that may answer, by what is known; each is tried once for a reply."""
        state = self._desk.facts.state
        names = dict.fromkeys(("", *self._config.routing.fallback))
        return tuple(name for name in names if name != state.route and name not in state.tried and self._has_key(name))

    async def take(self, route: str, why: str) -> None:
        """Go on by that route from the next request on. Raises ConfigError where it can't be had."""
        endpoint = self._endpoint(route)
        row = price_row(endpoint, endpoint.model, self._desk.clock.now_us(), self._config.prices)
        tariff = tariff_of(endpoint, row)
        body = ModelSwitched(
            model=endpoint.model,
            endpoint=address_of(endpoint),
            profile=endpoint.profile,
            api_key_env=endpoint.api_key_env,
            reason="down" if route else "back",
            route=route,
            detail=why,
            usd=self._desk.thrift.cold_usd(tariff) if tariff else None,
        )
        await self._desk.append(Draft(body, actor="system"))

    def look(self) -> None:
        """Now and then, while another model steps in, ask the user's own whether it answers."""
        state, routing, now_us = self._desk.facts.state, self._config.routing, self._desk.clock.now_us()
        away = state.route and not (self.home_up or state.paused or state.finished)
        if not away or not routing.fallback_return or (self._probe and not self._probe.done()):
            return
        if shortfall(self._desk.facts, now_us, None):
            return
        if now_us - max(self._looked_us, state.routed_us) >= routing.fallback_look_minutes * MINUTE_US:
            self._looked_us = now_us
            self._probe = asyncio.create_task(self._ask())

    async def close(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)

    async def _ask(self) -> None:
        try:
            endpoint = self._endpoint("")
            self.home_up = endpoint.simulated or await self._answers(endpoint)
        except ConfigError:
            return
        if self.home_up:
            self._desk.stirred.set()

    async def _answers(self, endpoint: Endpoint) -> bool:
        """One token of a reply, written down like any request, for it costs something."""
        key = f"{PROBE}{self._desk.facts.state.sides + 1}.1"
        messages = [{"role": "user", "content": "Say ok."}]
        body = msgspec.json.encode({"model": endpoint.model, "max_tokens": 1, "stream": True, "messages": messages})
        asked = ModelRequested(
            model=endpoint.model,
            body="",
            body_bytes=len(body),
            messages=1,
            marks=[],
            max_tokens=1,
            prompt_version="",
            parts={},
            purpose=PROBE,
        )
        await self._desk.append(Draft(asked, key=key))
        wire = Wire(endpoint, lambda: read_key(endpoint, self._environ), self._desk.clock)
        try:
            reply = await wire.stream([body], lambda delta: None)
        except (ModelError, asyncio.CancelledError) as error:
            sort = str(error.error_class) if isinstance(error, ModelError) else "interrupted"
            await self._desk.append(Draft(ModelFailed(error=sort, message=str(error) or "no longer needed"), key=key))
            if isinstance(error, asyncio.CancelledError):
                raise
            return False
        finally:
            await wire.close()
        now_us, usage = self._desk.clock.now_us(), reply.usage or Usage()
        cost = price(reply.usage, endpoint, endpoint.model, now_us, self._config.prices, reply.raw_usage)
        told = ModelConsulted(model=endpoint.model, text="", stop_reason=reply.stop_reason, usage=usage, price=cost)
        await self._desk.append(Draft(told, key=key))
        return True

    def _endpoint(self, route: str) -> Endpoint:
        home = self._desk.facts.state.home
        assert home is not None
        return Told(route).endpoint(home, self._config, self._environ) if route else endpoint_of(
            home, self._config, self._environ
        )  # fmt: skip

    def _has_key(self, route: str) -> bool:
        try:
            endpoint = self._endpoint(route)
            if not endpoint.simulated:
                read_key(endpoint, self._environ)
        except ConfigError:
            return False
        return True
