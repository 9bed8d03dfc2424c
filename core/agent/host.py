"""Hosting a session: its runner from attaching to detaching, and the exit code that its end comes to."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from core.agent.assembling import Assembly
from core.agent.calls import LARGEST_BLOB
from core.agent.delegation import Delegation, Errands, config_below
from core.agent.desk import Desk
from core.agent.hosting import Hosting
from core.agent.runner import Runner
from core.agent.seating import seated
from core.agent.trust import Vouchers, fact_of
from core.clock import pause_real
from core.events import Draft, RunnerAttached, RunnerDetached, SessionFinished
from core.journal.lease import BEAT_EVERY_S, Lease
from core.journal.live import clear_live
from core.journal.schema import JOBS
from core.notify.doorbell import doorbell
from core.sandbox.choice import confinement_of
from core.sandbox.sandbox import Confinement
from core.tools.crowd import forget_empty
from core.tools.jobs import settle_all
from core.version import app_version
from core.workspace.snapshots import check_workspace

EXIT_FINISHED, EXIT_FAILED, EXIT_USAGE, EXIT_LIMIT, EXIT_OPERATOR, EXIT_HELD = range(6)


async def host(hosting: Hosting, on_runner: Callable[[Runner], None] = lambda runner: None) -> int:
    """Run the session until it ends; the exit code of the contract. Raises ConfigError, LeaseHeld, JournalError."""
    async with AsyncExitStack() as stack:
        desk, lease = await stack.enter_async_context(seated(hosting.folder, hosting.clock, hosting.vouchers))
        if hosting.on_events is not None:
            desk.journal.subscribe(hosting.on_events)
        await _settle(hosting, desk)
        confinement = await _confined(hosting, desk)
        runners = _runners(hosting, desk, stack, confinement)
        runner = await anext(runners)
        beat = asyncio.create_task(_beat(lease))
        stack.callback(beat.cancel)
        await desk.append(Draft(_attached(hosting, lease, confinement), actor="system"))
        on_runner(runner)
        assert desk.facts.state.opened is not None
        opened, notify = desk.facts.state.opened, hosting.config.notify
        bell = doorbell(notify, hosting.folder, opened, hosting.clock, hosting.environ, _complain)
        stack.callback(desk.journal.subscribe(bell.observe))
        try:
            async with bell.kept():
                ended = await runner.run()
                async for runner in runners:
                    on_runner(runner)
                    ended = await runner.run()
        finally:
            with contextlib.suppress(Exception):
                reason = "handed over" if desk.released else "ended"
                await desk.append(Draft(RunnerDetached(reason=reason), actor="system"))
                await desk.journal.checkpoint(force=True)
        return EXIT_FINISHED if desk.released else exit_code(ended)


async def _settle(hosting: Hosting, desk: Desk) -> None:
    """Clear away what an earlier runner of the session left: a reply in flight, commands that still run."""
    clear_live(hosting.folder)
    unfinished = {call.key for call in desk.facts.state.pending.values()}
    await asyncio.to_thread(settle_all, hosting.folder / JOBS, unfinished, LARGEST_BLOB)
    await asyncio.to_thread(forget_empty, hosting.clock.now_us())


async def _confined(hosting: Hosting, desk: Desk) -> Confinement:
    """How the agent's commands are confined here, which decides whose commands are trusted."""
    opened = desk.facts.state.opened
    assert opened is not None
    check_workspace(Path(opened.workspace))
    confinement = await asyncio.to_thread(confinement_of, hosting.folder, hosting.config, opened)
    fact = hosting.vouchers.confinement = fact_of(confinement)
    hosting.vouchers.hidden = fact.hides_sessions and not desk.facts.state.exposed
    return confinement


def _attached(hosting: Hosting, lease: Lease, confinement: Confinement) -> RunnerAttached:
    return RunnerAttached(
        pid=os.getpid(),
        host=socket.gethostname(),
        epoch=lease.epoch,
        app_version=app_version(),
        sandbox=str(confinement.sandbox),
        network=confinement.network or not confinement.sandbox.confines,
        terms={"wait": hosting.wait or hosting.attended, "speed": hosting.speed, "max_turns": hosting.max_turns},
    )


def _complain(sentence: str) -> None:
    """Where nobody is at a screen, what went wrong with a call to the user is told on stderr."""
    print(f"longwatch: {''.join(mark if mark.isprintable() else ' ' for mark in sentence)}", file=sys.stderr)


def exit_code(ended: SessionFinished | None) -> int:
    """The contract's exit code for how a session ended."""
    if ended is None:
        return EXIT_OPERATOR
    if ended.state == "finished":
        return EXIT_FINISHED
    if ended.state == "stopped":
        return EXIT_LIMIT if ended.reason in ("budget", "turn_limit", "guard") else EXIT_OPERATOR
    return EXIT_USAGE if ended.reason in ("auth", "billing", "config") else EXIT_FAILED


async def _beat(lease: Lease) -> None:
    while True:
        lease.beat()
        await pause_real(BEAT_EVERY_S)


async def _runners(
    hosting: Hosting, desk: Desk, stack: AsyncExitStack, confinement: Confinement
) -> AsyncIterator[Runner]:
    """The runner of the session, and another one each time that it is served elsewhere from then on."""
    moved = True
    while moved and not desk.released:
        opened = desk.facts.state.opened
        assert opened is not None
        place = await stack.enter_async_context(AsyncExitStack())
        runner = await Assembly(hosting, desk, opened, place, confinement, _delegation(hosting, desk)).runner()
        yield runner
        if moved := runner.moved:
            await place.aclose()


def _delegation(hosting: Hosting, desk: Desk) -> Delegation:
    """How sessions are run that work for this one: beside it, in this process."""

    async def run(errand: Errands) -> None:
        below = replace(
            hosting,
            folder=errand.folder,
            config=config_below(hosting.config, desk.facts.state.allowed),
            attended=False,
            wait=False,
            max_turns=None,
            on_events=errand.on_events,
            extra_tools=(),
            vouchers=Vouchers(),
            oversight=errand.oversight,
        )
        await host(below, errand.on_runner)

    return Delegation(desk, hosting.config, run, lambda folder: seated(folder, hosting.clock))
