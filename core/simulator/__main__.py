"""`python -P -m core.simulator`: the simulated server as a process of its own."""

from __future__ import annotations

import asyncio
import signal

import click

from core.clock import SystemClock
from core.simulator.faults import Faults
from core.simulator.invoice import PriceList
from core.simulator.policies import POLICY_NAMES, load_policy
from core.simulator.server import SimulatedServer


@click.command()
@click.option("--policy", default="auditor", show_default=True, help=f"One of {', '.join(POLICY_NAMES)}.")
@click.option("--port", default=0, help="Port on 127.0.0.1; a free one by default.")
@click.option("--speed", default=1.0, show_default=True, help="Pace of the replies; 0 means no delay.")
@click.option("--fault", "faults", multiple=True, help="WHERE:KIND[=VALUE][xTIMES], e.g. 3:529x2.")
@click.option("--api-key", default=None, help="Refuse requests that do not carry this key.")
@click.option("--model", "models", multiple=True, help="Serve only this model; may be repeated.")
@click.option("--prices", default=None, help="INPUT,OUTPUT,READ,WRITE in dollars a million: replies say their cost.")
@click.option("--context-limit", default=1_000_000, show_default=True, help="Window in tokens.")
def main(
    policy: str,
    port: int,
    speed: float,
    faults: tuple[str, ...],
    api_key: str | None,
    models: tuple[str, ...],
    prices: str | None,
    context_limit: int,
) -> None:
    """Serve a simulated model until interrupted; prints `READY <base_url>` when it listens."""
    try:
        server = SimulatedServer(
            load_policy(policy),
            clock=SystemClock(),
            speed=speed,
            faults=Faults(faults),
            api_key=api_key,
            models=models,
            context_limit=context_limit,
            prices=PriceList.parse(prices) if prices else None,
            port=port,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    try:
        asyncio.run(_serve(server))
    except OSError as error:
        raise click.ClickException(f"Port {port} can't be used: {error.strerror}.") from error


async def _serve(server: SimulatedServer) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with server:
        print(f"READY {server.base_url}", flush=True)
        await stopped.wait()


if __name__ == "__main__":
    main()
