"""The ways to models: open for as long as something speaks over them, with what replies cost there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from core.agent.carriage import tariff_of
from core.agent.desk import Desk
from core.agent.endpoints import Told, check_endpoint, simulated_policy
from core.agent.hosting import Hosting
from core.agent.judges import Line
from core.economy.tariff import Tariff
from core.events import Price, Usage
from core.journal.reader import Reader
from core.models.assembly import Reply
from core.models.illustrated import Illustrated
from core.models.keys import read_key
from core.models.prices import price, price_row
from core.models.profiles import Endpoint
from core.models.wire import Wire


@dataclass(frozen=True, slots=True)
class Pricing:
    """What an endpoint's replies cost: by its own prices, or those of the configuration, on the day."""

    endpoint: Endpoint
    hosting: Hosting

    def priced(self, model: str, usage: Usage | None, at_us: int, raw: dict[str, Any]) -> Price:
        """The price of a reply; `raw` is what the provider said of it."""
        return price(usage, self.endpoint, model, at_us, self.hosting.config.prices, raw)

    def tariff(self, model: str, sent: int) -> Tariff | None:
        """What the next request would be paid by; None where prices are unknown."""
        now_us = self.hosting.clock.now_us()
        return tariff_of(self.endpoint, price_row(self.endpoint, model, now_us, self.hosting.config.prices, sent=sent))


async def served(hosting: Hosting, endpoint: Endpoint, stack: AsyncExitStack) -> Endpoint:
    """The endpoint with the address of its server: a simulated one runs in this loop."""
    if not endpoint.simulated:
        return endpoint
    from core.simulator.server import SimulatedServer

    server = SimulatedServer(simulated_policy(endpoint.model), clock=hosting.clock, speed=hosting.speed)
    await stack.enter_async_context(server)
    return msgspec.structs.replace(endpoint, base_url=server.base_url)


def wire_to(hosting: Hosting, endpoint: Endpoint, stack: AsyncExitStack) -> Illustrated:
    """The way to the model. A key is read anew for each request, so that a stored one is taken up."""
    source = (lambda: None) if endpoint.simulated else (lambda: read_key(endpoint, hosting.environ))
    bare = Wire(endpoint, source, hosting.clock)
    stack.push_async_callback(bare.close)
    return Illustrated(bare, stack.enter_context(Reader(hosting.folder)).blob)


@asynccontextmanager
async def line(hosting: Hosting, desk: Desk, name: str) -> AsyncIterator[Line]:
    """The way to a model of the configuration, open for as long as the block runs. Raises ConfigError."""
    home, config = desk.facts.state.home, hosting.config
    assert home is not None
    endpoint = Told(name).endpoint(home, config, hosting.environ)
    check_endpoint(endpoint, hosting.environ)
    async with AsyncExitStack() as place:
        there = await served(hosting, endpoint, place)

        def priced(reply: Reply) -> Price:
            return price(reply.usage, endpoint, endpoint.model, desk.clock.now_us(), config.prices, reply.raw_usage)

        def forecast(sent: int, output: int) -> Decimal | None:
            rates = price_row(endpoint, endpoint.model, desk.clock.now_us(), config.prices, sent=sent)
            return rates.cost(Usage(fresh=sent, output=output)) if rates else None

        yield Line(wire_to(hosting, there, place), endpoint.model, priced, forecast)
