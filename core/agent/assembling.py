"""Putting a runner together: the model behind its endpoint, what it is sent, the tools in the workspace, the limits."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from core.agent.approving import Gate, policy_of
from core.agent.asides import Asides
from core.agent.audience import Audience
from core.agent.bridging import Bridging, bridged, tools_of_requests
from core.agent.calls import CallRunner
from core.agent.carriage import carrying_of, check_floor
from core.agent.circumstances import Terms
from core.agent.course import allowances_of, check_ins_of
from core.agent.delegation import Delegation
from core.agent.desk import Desk
from core.agent.drifting import drift_watch
from core.agent.endpoints import endpoint_of
from core.agent.guarding import limits_of
from core.agent.handwork import Handwork, SeenFiles
from core.agent.hooks import Hooks
from core.agent.hosting import Hosting
from core.agent.judges import Judges
from core.agent.lines import Pricing, line, served, wire_to
from core.agent.measuring import measured
from core.agent.oversight import Free
from core.agent.plan_keeping import PlanKeeper
from core.agent.recollection import Recollection
from core.agent.routes import Fallbacks, OneWay
from core.agent.runner import Runner
from core.agent.thrift import Thrift
from core.agent.turn import Turns
from core.agent.upkeep import Upkeep
from core.agent.warding import Warden
from core.events import CheckInsSet, SessionOpened
from core.journal.project_memory import ProjectMemory
from core.journal.reader import Reader
from core.journal.recall_index import RecallIndex
from core.journal.schema import JOBS
from core.models.keys import known_secrets, read_key
from core.models.prices import window_of
from core.models.profiles import Endpoint, key_variables
from core.models.wire import Wire
from core.request.entries import task_text
from core.request.pieces import BYTES_PER_TOKEN
from core.request.projection import Head
from core.request.prompt import system_prompt
from core.sandbox.sandbox import Confinement
from core.tools.ask import AskHuman
from core.tools.base import Tool, ToolContext
from core.tools.delegate import DELEGATES, Delegate
from core.tools.mcp.specs import Specs, secrets_of, server_specs
from core.tools.mcp.walls import Walls
from core.tools.plan import KEEPER
from core.tools.registry import builtin_tools
from core.tools.secrets import Redactor


class Assembly:
    """The parts of one session's runner at one endpoint; what they open closes with `stack`."""

    def __init__(
        self,
        hosting: Hosting,
        desk: Desk,
        opened: SessionOpened,
        stack: AsyncExitStack,
        confinement: Confinement,
        delegation: Delegation,
    ) -> None:
        self._hosting = hosting
        self._config = hosting.config
        self._desk = desk
        self._opened = opened
        self._stack = stack
        self._confinement = confinement
        self._delegation = delegation
        self._workspace = Path(opened.workspace)
        self._seen = SeenFiles(desk.facts.written.hashes)
        self._prompt, self._prompt_version = system_prompt()

    async def runner(self) -> Runner:
        """All of it, put together. Raises ConfigError."""
        hosting, desk, stack = self._hosting, self._desk, self._stack
        endpoint = endpoint_of(self._opened, self._config, hosting.environ)
        key = None if endpoint.simulated else read_key(endpoint, hosting.environ)
        Wire.preload()
        endpoint = await served(hosting, endpoint, stack)
        pricing, wire = Pricing(endpoint, hosting), wire_to(hosting, endpoint, stack)
        own, specs = self._own_tools(), await asyncio.to_thread(self._specs)
        redact = self._redactor(key, secrets_of(specs.servers))
        bridging = await self._bridging(specs, redact)
        head = self._heads(endpoint, tools_of_requests(own, bridging))
        desk.thrift = self._thrift(endpoint, pricing, head)
        reader = stack.enter_context(Reader(hosting.folder))
        project = ProjectMemory(hosting.folder.parent.parent, self._workspace, self._opened.session)
        recall = Recollection(desk.facts, reader, stack.enter_context(RecallIndex(reader)), project)
        calls = await self._calls(ChainMap(own, bridging.tools), endpoint, recall, redact)  # type: ignore[arg-type]
        turns = Turns(desk, wire, hosting.clock, pricing.priced, self._prompt_version)
        asides = Asides(desk, wire, hosting.clock, pricing.priced, lambda: turns.last)
        drift = drift_watch(desk, reader.events, self._config.guards, stack)
        handwork, audience = Handwork(desk, self._workspace, self._seen), Audience(hosting.folder)
        upkeep = Upkeep(desk, recall, project, bridging, handwork, drift, audience)
        return Runner(desk, turns, calls, asides, upkeep, head, self._terms(endpoint), hosting.clock, hosting.jitter)

    # What is sent

    def _heads(self, endpoint: Endpoint, offered: Callable[[], Any]) -> Callable[[str, int], Head]:
        def head(model: str, limit: int) -> Head:
            thinking = self._config.model.thinking_budget
            return Head(model, self._prompt, offered(), limit, endpoint.cache == "explicit", thinking)

        return head

    def _thrift(self, endpoint: Endpoint, pricing: Pricing, head: Callable[[str, int], Head]) -> Thrift:
        """How its context is carried; what could never work is refused here."""
        context, opened = self._config.context, self._opened
        carrying = carrying_of(context, opened.settings, endpoint.cache, self._config.routing.summaries)
        window = window_of(opened.model, endpoint)
        check_floor(carrying, head(opened.model, 0), task_text(opened), window, context.hard_limit_fraction)
        return Thrift(self._desk.facts, carrying, pricing.tariff, self._hosting.clock)

    # The tools

    def _own_tools(self) -> dict[str, Tool]:
        """Our tools: one that works for another session can ask nobody, and delegates nothing itself."""
        tools = {**builtin_tools(), **{tool.name: tool for tool in self._hosting.extra_tools}}
        if self._hosting.oversight is not None:
            return {name: tool for name, tool in tools.items() if name != AskHuman.name}
        models = self._config.routing.delegate
        return {**tools, Delegate.name: Delegate(models)} if models else tools

    def _specs(self) -> Specs:
        """The servers of tools; one that works for another session has none."""
        hosting = self._hosting
        return Specs() if hosting.oversight else server_specs(self._config, self._workspace, hosting.environ)

    async def _bridging(self, specs: Specs, redact: Redactor) -> Bridging:
        walls = Walls(self._confinement)
        if any(spec.command and not walls.confine(spec) for spec in specs.servers):
            self._hosting.vouchers.hidden = False
        around = bridged(self._desk, specs, self._config.tools, walls, redact.inside)
        return await self._stack.enter_async_context(around)

    async def _calls(
        self, tools: Mapping[str, Tool], endpoint: Endpoint, recall: Recollection, redact: Redactor
    ) -> CallRunner:
        """What runs calls, behind what judges them and who is told of them."""
        hosting, desk, config = self._hosting, self._desk, self._config
        fact, mode = hosting.vouchers.confinement, self._opened.settings.get("approvals")
        policy = policy_of(config, mode, self._workspace, fact, hosting.environ)
        gate = Gate(policy, desk.facts.state, redact, silent=hosting.oversight is not None)
        await self._stack.enter_async_context(measured(config, desk, self._opened))
        hooks = Hooks(config.hooks, desk, self._workspace, hosting.environ, redact)
        self._stack.callback(desk.journal.subscribe(hooks.observe))
        await self._stack.enter_async_context(hooks.kept())
        return CallRunner(
            desk,
            tools,
            self._contexts(recall, self._known_to_tools(endpoint, gate, redact)),
            redact,
            longest_result=config.context.result_tokens * BYTES_PER_TOKEN,
            gate=gate,
            before=hooks.before if config.hooks else None,
            warden=Warden(desk, policy.places),
            in_order=self._hosting.in_order,
        )

    def _known_to_tools(self, endpoint: Endpoint, gate: Gate, redact: Redactor) -> dict[str, Any]:
        config = self._config
        return {
            "redact": redact,
            "may_redirect": gate.may_redirect,
            "allow_private": config.network.allow_private,
            "command_timeout_s": config.commands.timeout_s,
            "command_env": config.commands.env,
            "most_processes": config.commands.processes,
            "keys": key_variables(config, self._opened.api_key_env),
            "confinement": self._confinement,
            "sees": endpoint.sees,
            "profile": endpoint.profile,
            "ignore": config.workspace.ignore,
            KEEPER: PlanKeeper(self._desk.facts),
            DELEGATES: self._delegation,
        }

    def _contexts(self, recall: Recollection, settings: dict[str, Any]) -> Callable[[str], ToolContext]:
        def context(call: str) -> ToolContext:
            return ToolContext(
                workspace=self._workspace,
                jobs=self._hosting.folder / JOBS,
                call=call,
                recall=recall,
                read_hashes=self._seen,
                settings=settings,
            )

        return context

    def _redactor(self, key: str | None, secrets: Mapping[str, str]) -> Redactor:
        variables = key_variables(self._config, self._opened.api_key_env)
        known = known_secrets(self._hosting.environ, *variables)
        return Redactor({**known, **secrets, "LONGWATCH_MODEL_KEY": key or ""})

    # The limits

    def _terms(self, endpoint: Endpoint) -> Terms:
        """Under which limits the session runs: what its start said, else the configuration."""
        hosting, config, desk, settings = self._hosting, self._config, self._desk, self._opened.settings
        most_output = settings.get("max_tokens") or config.model.max_tokens or endpoint.max_output
        return Terms(
            attended=hosting.attended,
            wait=hosting.wait,
            max_turns=hosting.max_turns or settings.get("max_turns"),
            window=window_of(self._opened.model, endpoint),
            full_at=config.context.hard_limit_fraction,
            retry=config.retry,
            guards=limits_of(config.guards),
            oversight=hosting.oversight or Free(),
            judges=Judges(desk, config.routing.judge, lambda name: line(hosting, desk, name)),
            routes=Fallbacks(desk, config, hosting.environ) if config.routing.fallback else OneWay(),
            rounds=config.guards.rounds if config.guards.enabled else 0,
            constraints=tuple(config.constraints.declare),
            allowances=allowances_of(config.limits),
            check_ins=check_ins_of(config.attention) if hosting.oversight is None else CheckInsSet(),
            most_output=min(most_output, endpoint.max_output),
            answer_within_s=hosting.approval_timeout_s or config.approvals.timeout_s,
        )
