"""Putting a runner together: the journal under its lease, the model behind its endpoint, the tools in the workspace."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import sys
from collections import ChainMap
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from core.agent.approving import Gate, policy_of
from core.agent.asides import Asides
from core.agent.audience import Audience
from core.agent.bridging import bridged, secrets_of, tools_of_requests
from core.agent.calls import LARGEST_BLOB, CallRunner
from core.agent.carriage import carrying_of, check_floor, tariff_of
from core.agent.course import allowances_of, check_ins_of
from core.agent.delegation import Delegation, Errands, config_below
from core.agent.desk import Desk
from core.agent.drifting import drift_watch
from core.agent.endpoints import Told, check_endpoint, endpoint_of, simulated_policy
from core.agent.guarding import limits_of
from core.agent.handwork import Handwork, SeenFiles
from core.agent.hooks import Hooks
from core.agent.judges import Judges, Line
from core.agent.measuring import measured
from core.agent.oversight import Free, Oversight
from core.agent.plan_keeping import PlanKeeper
from core.agent.recollection import Recollection
from core.agent.routes import Fallbacks, OneWay
from core.agent.runner import Runner, Terms
from core.agent.thrift import Thrift
from core.agent.trust import Vouchers
from core.agent.turn import Turns
from core.agent.upkeep import Upkeep
from core.agent.warding import Warden
from core.approvals.policy import NOT_CONFINED
from core.approvals.policy import Confinement as Fact
from core.clock import Clock, SystemClock, pause_real
from core.config import Config
from core.economy.tariff import Tariff
from core.events import (
    IMPORTED,
    CheckInsSet,
    Draft,
    Price,
    RunnerAttached,
    RunnerDetached,
    SessionFinished,
    SessionOpened,
    Usage,
)
from core.journal.errors import JournalError
from core.journal.lease import BEAT_EVERY_S, Lease, acquire
from core.journal.live import clear_live
from core.journal.project_memory import ProjectMemory
from core.journal.reader import Reader
from core.journal.recall_index import RecallIndex
from core.journal.schema import CAME, JOBS
from core.journal.writer import Journal
from core.models.assembly import Reply
from core.models.illustrated import Illustrated
from core.models.keys import read_key
from core.models.prices import price, price_row, window_of
from core.models.profiles import Endpoint, key_variables
from core.models.wire import Wire
from core.notify.doorbell import doorbell
from core.request.entries import task_text
from core.request.pieces import BYTES_PER_TOKEN
from core.request.projection import Head
from core.request.prompt import system_prompt
from core.sandbox.access import NEVER_OPENED, PRIVATE_TEMPORARY
from core.sandbox.choice import confinement_of
from core.sandbox.sandbox import Confinement
from core.tools.ask import AskHuman
from core.tools.base import Tool, ToolContext
from core.tools.crowd import forget_empty
from core.tools.delegate import DELEGATES, Delegate
from core.tools.jobs import settle_all
from core.tools.mcp.specs import Specs, server_specs
from core.tools.mcp.walls import Walls
from core.tools.plan import KEEPER
from core.tools.registry import builtin_tools
from core.tools.secrets import Redactor
from core.version import app_version
from core.workspace.none import NoSnapshots
from core.workspace.snapshots import Snapshots, check_workspace, open_snapshots
from core.workspace.treewatch import tree_watch

EXIT_FINISHED, EXIT_FAILED, EXIT_USAGE, EXIT_LIMIT, EXIT_OPERATOR, EXIT_HELD = range(6)
READ_CHUNK = 2000


@dataclass(slots=True)
class Hosting:
    """How a session is run here. `speed` is the pace of a simulated model; `environ` where keys are looked up.

    `max_turns` None: as the session was opened; `approval_timeout_s` None: as it is configured. `vouchers` knows which
    commands come from this process, and how the agent's are confined. `jitter` gives numbers below 1 by which retries
    are spread.
    """

    folder: Path
    config: Config
    attended: bool = False
    wait: bool = False
    speed: float = 1.0
    max_turns: int | None = None
    clock: Clock = field(default_factory=SystemClock)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    on_events: Callable[[list[Any]], None] | None = None
    extra_tools: Sequence[Tool] = ()
    approval_timeout_s: float | None = None
    vouchers: Vouchers = field(default_factory=Vouchers)
    jitter: Callable[[], float] = field(default_factory=lambda: random.Random().random)
    oversight: Oversight | None = None
    """What it is held to by the session that it works for; None: it works for its user."""


@contextlib.asynccontextmanager
async def seated(folder: Path, clock: Clock, vouchers: Vouchers | None = None) -> AsyncIterator[tuple[Desk, Lease]]:
    """A desk with its facts read from the log, under the lease. Raises LeaseHeld or JournalError."""
    with acquire(folder, app_version()) as lease, contextlib.ExitStack() as holding:
        async with await Journal.open(folder, clock, lease=lease) as journal:
            with Reader(folder) as reader:
                first = await asyncio.to_thread(reader.event, 1)
                if first is None or not isinstance(first.body, SessionOpened):
                    raise JournalError(f"The session in {folder} was never opened: its journal has no first event.")
                snapshots: Snapshots = NoSnapshots()
                if first.body.profile != IMPORTED and not (folder / CAME).exists():
                    watch = holding.enter_context(contextlib.closing(tree_watch(Path(first.body.workspace))))
                    snapshots = open_snapshots(Path(first.body.workspace), folder, watch)
                desk = Desk(folder, journal, snapshots, clock, vouchers, reader.within)
                after = 0
                while batch := await asyncio.to_thread(reader.events, after, READ_CHUNK):
                    desk.facts.apply_all(batch)
                    after = batch[-1].seq
                    await asyncio.sleep(0)
                desk.vouchers.hidden = not desk.facts.state.exposed
                yield desk, lease


async def host(hosting: Hosting, on_runner: Callable[[Runner], None] = lambda runner: None) -> int:
    """Run the session until it ends; the exit code of the contract. Raises ConfigError, LeaseHeld, JournalError."""
    async with AsyncExitStack() as stack:
        desk, lease = await stack.enter_async_context(seated(hosting.folder, hosting.clock, hosting.vouchers))
        if hosting.on_events is not None:
            desk.journal.subscribe(hosting.on_events)
        clear_live(hosting.folder)
        unfinished = {call.key for call in desk.facts.state.pending.values()}
        await asyncio.to_thread(settle_all, hosting.folder / JOBS, unfinished, LARGEST_BLOB)
        await asyncio.to_thread(forget_empty, hosting.clock.now_us())
        opened = desk.facts.state.opened
        assert opened is not None
        check_workspace(Path(opened.workspace))
        confinement = await asyncio.to_thread(confinement_of, hosting.folder, hosting.config, opened)
        fact = hosting.vouchers.confinement = fact_of(confinement)
        hosting.vouchers.hidden = fact.hides_sessions and not desk.facts.state.exposed
        runners = _runners(hosting, desk, stack, confinement)
        runner = await anext(runners)
        beat = asyncio.create_task(_beat(lease))
        stack.callback(beat.cancel)
        attached = RunnerAttached(
            pid=os.getpid(),
            host=socket.gethostname(),
            epoch=lease.epoch,
            app_version=app_version(),
            sandbox=str(confinement.sandbox),
            network=confinement.network or not confinement.sandbox.confines,
            terms={"wait": hosting.wait or hosting.attended, "speed": hosting.speed, "max_turns": hosting.max_turns},
        )
        await desk.append(Draft(attached, actor="system"))
        on_runner(runner)
        bell = doorbell(hosting.config.notify, hosting.folder, opened, hosting.clock, hosting.environ, _complain)
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


def fact_of(confinement: Confinement) -> Fact:
    """How commands are confined, as approvals are judged by it."""
    if not confinement.sandbox.confines:
        return NOT_CONFINED
    settled = (*confinement.around.writable, *confinement.closed, *PRIVATE_TEMPORARY, *map(Path, NEVER_OPENED))
    return Fact(
        True,
        confinement.sandbox.backend,
        confinement.network,
        hides_sessions=True,
        settled=tuple(os.path.realpath(path) for path in settled),
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
        runner = await _runner(hosting, desk, opened, place, confinement)
        yield runner
        if moved := runner.moved:
            await place.aclose()


async def _runner(
    hosting: Hosting, desk: Desk, opened: SessionOpened, stack: AsyncExitStack, confinement: Confinement
) -> Runner:
    endpoint = endpoint_of(opened, hosting.config, hosting.environ)
    key = None if endpoint.simulated else read_key(endpoint, hosting.environ)
    Wire.preload()
    if endpoint.simulated:
        endpoint = await _simulated(hosting, endpoint, stack)
    wire = _wire(hosting, endpoint, stack)
    prompt, prompt_version = system_prompt()
    own = _own_tools(hosting)
    specs = await asyncio.to_thread(_specs, hosting, Path(opened.workspace))
    walls = Walls(confinement)
    if any(spec.command and not walls.confine(spec) for spec in specs.servers):
        hosting.vouchers.hidden = False
    bridging = await stack.enter_async_context(bridged(desk, specs, hosting.config.tools, walls))
    offered = tools_of_requests(own, bridging)
    settings, config = opened.settings, hosting.config
    most_output = min(settings.get("max_tokens") or config.model.max_tokens or endpoint.max_output, endpoint.max_output)

    def head(model: str, limit: int) -> Head:
        return Head(model, prompt, offered(), limit, endpoint.cache == "explicit", config.model.thinking_budget)

    def priced(model: str, usage: Usage | None, at_us: int, raw: dict[str, Any]) -> Price:
        return price(usage, endpoint, model, at_us, config.prices, raw)

    def tariff(model: str, sent: int) -> Tariff | None:
        return tariff_of(endpoint, price_row(endpoint, model, hosting.clock.now_us(), config.prices, sent=sent))

    window = window_of(opened.model, endpoint)
    carrying = carrying_of(config.context, settings, endpoint.cache, config.routing.summaries)
    check_floor(carrying, head(opened.model, 0), task_text(opened), window, config.context.hard_limit_fraction)
    desk.thrift = Thrift(desk.facts, carrying, tariff, hosting.clock)
    reader = stack.enter_context(Reader(hosting.folder))
    project = ProjectMemory(hosting.folder.parent.parent, Path(opened.workspace), opened.session)
    recall = Recollection(desk.facts, reader, stack.enter_context(RecallIndex(reader)), project)
    redact = _redactor(hosting, key, secrets_of(specs.servers))
    fact, place = hosting.vouchers.confinement, Path(opened.workspace)
    policy = policy_of(config.approvals, settings.get("approvals"), place, fact, hosting.environ)
    gate = Gate(policy, desk.facts.state, redact, silent=hosting.oversight is not None)
    await stack.enter_async_context(measured(config, desk, opened))
    hooks = Hooks(config.hooks, desk, place, hosting.environ)
    stack.callback(desk.journal.subscribe(hooks.observe))
    await stack.enter_async_context(hooks.kept())
    seen = SeenFiles(desk.facts.written.hashes)
    calls = CallRunner(
        desk,
        ChainMap(own, bridging.tools),  # type: ignore[arg-type]
        _contexts(hosting, opened, recall, redact, gate, confinement, endpoint, desk, seen),
        redact,
        longest_result=config.context.result_tokens * BYTES_PER_TOKEN,
        gate=gate,
        before=hooks.before if config.hooks else None,
        warden=Warden(desk, policy.places),
    )
    terms = _terms(hosting, desk, settings, window, most_output)
    turns = Turns(desk, wire, hosting.clock, priced, prompt_version)
    asides = Asides(desk, wire, hosting.clock, priced, lambda: turns.last)
    drift = drift_watch(desk, reader.events, config.guards, stack)
    audience = Audience(hosting.folder)
    upkeep = Upkeep(desk, recall, project, bridging, Handwork(desk, place, seen), drift, audience)
    return Runner(desk, turns, calls, asides, upkeep, head, terms, hosting.clock, hosting.jitter)


def _specs(hosting: Hosting, workspace: Path) -> Specs:
    """The servers of tools; one that works for another session has none."""
    return Specs() if hosting.oversight else server_specs(hosting.config, workspace, hosting.environ)


def _own_tools(hosting: Hosting) -> dict[str, Tool]:
    """Our tools: one that works for another session can ask nobody, and delegates nothing itself."""
    tools = {**builtin_tools(), **{tool.name: tool for tool in hosting.extra_tools}}
    if hosting.oversight is not None:
        return {name: tool for name, tool in tools.items() if name != AskHuman.name}
    models = hosting.config.routing.delegate
    return {**tools, Delegate.name: Delegate(models)} if models else tools


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


@contextlib.asynccontextmanager
async def _line(hosting: Hosting, desk: Desk, name: str) -> AsyncIterator[Line]:
    """The way to a model of the configuration, open for as long as the block runs. Raises ConfigError."""
    home, config = desk.facts.state.home, hosting.config
    assert home is not None
    endpoint = Told(name).endpoint(home, config, hosting.environ)
    check_endpoint(endpoint, hosting.environ)
    async with AsyncExitStack() as place:
        served = await _simulated(hosting, endpoint, place) if endpoint.simulated else endpoint

        def priced(reply: Reply) -> Price:
            return price(reply.usage, endpoint, endpoint.model, desk.clock.now_us(), config.prices, reply.raw_usage)

        def forecast(sent: int, output: int) -> Decimal | None:
            rates = price_row(endpoint, endpoint.model, desk.clock.now_us(), config.prices, sent=sent)
            return rates.cost(Usage(fresh=sent, output=output)) if rates else None

        yield Line(_wire(hosting, served, place), endpoint.model, priced, forecast)


def _wire(hosting: Hosting, endpoint: Endpoint, stack: AsyncExitStack) -> Illustrated:
    """The way to the model. A key is read anew for each request, so that a stored one is taken up."""
    source = (lambda: None) if endpoint.simulated else (lambda: read_key(endpoint, hosting.environ))
    bare = Wire(endpoint, source, hosting.clock)
    stack.push_async_callback(bare.close)
    return Illustrated(bare, stack.enter_context(Reader(hosting.folder)).blob)


def _terms(hosting: Hosting, desk: Desk, settings: Mapping[str, Any], window: int | None, most_output: int) -> Terms:
    """Under which limits the session runs: what its start said, else the configuration."""
    config = hosting.config
    return Terms(
        attended=hosting.attended,
        wait=hosting.wait,
        max_turns=hosting.max_turns or settings.get("max_turns"),
        window=window,
        full_at=config.context.hard_limit_fraction,
        retry=config.retry,
        guards=limits_of(config.guards),
        oversight=hosting.oversight or Free(),
        judges=Judges(desk, config.routing.judge, lambda name: _line(hosting, desk, name)),
        routes=Fallbacks(desk, config, hosting.environ) if config.routing.fallback else OneWay(),
        rounds=config.guards.rounds if config.guards.enabled else 0,
        constraints=tuple(config.constraints.declare),
        allowances=allowances_of(config.limits),
        check_ins=check_ins_of(config.attention) if hosting.oversight is None else CheckInsSet(),
        most_output=most_output,
        answer_within_s=hosting.approval_timeout_s or config.approvals.timeout_s,
    )


async def _simulated(hosting: Hosting, endpoint: Endpoint, stack: AsyncExitStack) -> Endpoint:
    """The endpoint with the address of its server, which runs in this loop."""
    from core.simulator.server import SimulatedServer

    server = SimulatedServer(simulated_policy(endpoint.model), clock=hosting.clock, speed=hosting.speed)
    await stack.enter_async_context(server)
    return msgspec.structs.replace(endpoint, base_url=server.base_url)


def _redactor(hosting: Hosting, key: str | None, secrets: Mapping[str, str]) -> Redactor:
    keys = {f"{name}_API_KEY": hosting.environ.get(name, "") for name in key_variables(hosting.config)}
    return Redactor({**keys, **hosting.environ, **secrets, "LONGWATCH_MODEL_KEY": key or ""})


def _contexts(
    hosting: Hosting,
    opened: SessionOpened,
    recall: Recollection,
    redact: Redactor,
    gate: Gate,
    confinement: Confinement,
    endpoint: Endpoint,
    desk: Desk,
    seen: dict[str, str],
) -> Callable[[str], ToolContext]:
    workspace = Path(opened.workspace)
    settings = {
        "redact": redact,
        "may_redirect": gate.may_redirect,
        "allow_private": hosting.config.network.allow_private,
        "command_timeout_s": hosting.config.commands.timeout_s,
        "command_env": hosting.config.commands.env,
        "most_processes": hosting.config.commands.processes,
        "keys": key_variables(hosting.config, opened.api_key_env),
        "confinement": confinement,
        "sees": endpoint.sees,
        "profile": endpoint.profile,
        "ignore": hosting.config.workspace.ignore,
        KEEPER: PlanKeeper(desk.facts),
        DELEGATES: _delegation(hosting, desk),
    }

    def context(call: str) -> ToolContext:
        return ToolContext(
            workspace=workspace,
            jobs=hosting.folder / JOBS,
            call=call,
            recall=recall,
            read_hashes=seen,
            settings=settings,
        )

    return context
