"""The tools of a session without a session, for the agents of others: confined to a workspace, with nobody to ask."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from core.agent.approving import Allow, Ask, policy_of
from core.agent.telling import Sessions
from core.agent.trust import fact_of
from core.approvals.policy import Call, Policy, decide
from core.approvals.rules import Mode
from core.clock import SystemClock
from core.config import Config
from core.events import SessionOpened
from core.ids import ulid
from core.models.keys import known_secrets
from core.models.profiles import key_variables
from core.private import make_private
from core.sandbox.choice import confinement_of
from core.tools.base import Effect, Outcome, Tool, ToolContext, ToolError
from core.tools.jobs import settle
from core.tools.mcp.serving import Shown, Told
from core.tools.recalled import Passage
from core.tools.registry import builtin_tools, input_schema, parse_arguments
from core.tools.secrets import Redactor
from core.workspace.snapshots import check_workspace

SERVED = "served"
"""In the folder of sessions: what commands of clients write while they run."""
OFFERED = frozenset(
    ("edit_file", "fetch_url", "list_files", "read_file", "recall", "run_command", "search_codebase", "write_file")
)
"""Tools that need no session and nobody to ask."""
KEPT_OUTPUTS = 50
LARGEST_OUTPUT = 4_000_000
"""Characters of an output that `recall` can still give."""


@dataclass(slots=True)
class Outputs:
    """The latest whole outputs, for `recall`: nothing else is remembered here."""

    texts: dict[str, str] = field(default_factory=dict)

    def keep(self, handle: str, text: str) -> None:
        self.texts[handle] = text[:LARGEST_OUTPUT]
        while len(self.texts) > KEPT_OUTPUTS:
            del self.texts[next(iter(self.texts))]

    async def memories(self, query: str, category: str | None, limit: int) -> list[Passage]:
        return []

    async def search(self, query: str, limit: int) -> list[Passage]:
        return []

    async def near(self, query: str) -> list[str]:
        return []

    async def output(self, handle: str) -> str | None:
        return self.texts.get(handle)

    def remembers(self, entry: str) -> bool:
        return False

    def next_memory_id(self) -> str:
        return "m0"

    def plan(self) -> list[Any]:
        return []


class WorkspaceOffering:
    """Our tools in one workspace, and the sessions. What a session would ask its user about is refused here."""

    def __init__(
        self, place: Path, policy: Policy, context: ToolContext, redact: Redactor, sessions: Sessions, read_only: bool
    ) -> None:
        self.instructions = (
            f"Tools that work in {place} and nowhere else{'; they only read' if read_only else ''}. "
            "longwatch://sessions lists the agent sessions that Longwatch keeps here, and how each is going."
        )
        self._policy = policy
        self._context = context
        self._outputs = Outputs()
        self._redact = redact
        self._sessions = sessions
        self._numbers = count(1)
        self._writing = asyncio.Lock()
        own = {name: tool for name, tool in builtin_tools().items() if name in OFFERED}
        reading = (Effect.READ, Effect.STATE)
        self._tools = {name: tool for name, tool in own.items() if not read_only or tool.effect in reading}

    def tools(self) -> list[Shown]:
        return [
            Shown(name, tool.description, input_schema(tool), tool.effect.concurrent)
            for name, tool in sorted(self._tools.items())
        ]

    async def resources(self) -> list[Told]:
        return await asyncio.to_thread(self._sessions.resources)

    async def read(self, uri: str) -> tuple[str, str]:
        return await asyncio.to_thread(self._sessions.read, uri)

    async def call(self, name: str, arguments: dict[str, Any]) -> tuple[str, bool]:
        tool = self._tools.get(name)
        if tool is None:
            return f"There is no tool named {name!r}. There are: {', '.join(sorted(self._tools))}.", False
        try:
            if tool.effect.concurrent:
                outcome = await self._run(tool, arguments)
            else:
                async with self._writing:
                    outcome = await self._run(tool, arguments)
        except ToolError as error:
            return self._redact(str(error)), False
        except Exception as error:  # a tool's bug is told, and ends nothing
            return self._redact(f"The tool {name} broke: {type(error).__name__}: {error}"), False
        return self._redact(outcome.content) or "(no output)", outcome.ok

    async def _run(self, tool: Tool, raw: Mapping[str, Any]) -> Outcome:
        key = f"s{next(self._numbers)}"
        base = self._context
        context = ToolContext(base.workspace, base.jobs, key, self._outputs, base.read_hashes, base.settings)
        arguments = parse_arguments(tool, raw)
        intent = await asyncio.to_thread(tool.prepare, arguments, context)
        context.grant = await asyncio.to_thread(self._judged, tool, raw, intent)
        try:
            outcome = await tool.run(arguments, context)
            await asyncio.to_thread(self._keep, key, outcome)
            return outcome
        except asyncio.CancelledError:
            await asyncio.shield(tool.recover(arguments, intent, context))  # ends a command whose client has left
            raise
        finally:
            await asyncio.to_thread(settle, context.jobs / key, 0)

    def _judged(self, tool: Tool, arguments: Mapping[str, Any], intent: Mapping[str, Any]) -> Any:
        """What the call is given beyond the sandbox. Raises ToolError where it may not run."""
        cwd = self._policy.places.resolve(str(intent.get("cwd", ".")))
        verdict = decide(Call(tool.name, str(tool.effect), arguments, cwd), self._policy)
        if isinstance(verdict, Allow):
            return verdict.grant
        if isinstance(verdict, Ask):
            rules = f" A rule would allow it: {'; '.join(verdict.rules)}." if verdict.rules else ""
            raise ToolError(f"{verdict.reason} Nobody can be asked here, so it was not run.{rules}")
        raise ToolError(verdict.sentence)

    def _keep(self, key: str, outcome: Outcome) -> None:
        full = outcome.full
        if isinstance(full, Path):
            with full.open("rb") as file:
                full = file.read(LARGEST_OUTPUT).decode("utf-8", "replace")
        if full:
            self._outputs.keep(f"out:{key}", self._redact(full))


@asynccontextmanager
async def workspace_offering(
    home: Path, config: Config, workspace: Path, environ: Mapping[str, str], read_only: bool, all_sessions: bool
) -> AsyncIterator[WorkspaceOffering]:
    """An offering for as long as it is needed. Raises WorkspaceError or ConfigError."""
    place = check_workspace(workspace)
    folder = home / SERVED / ulid(SystemClock().now_us())
    make_private(folder.parent)
    folder.mkdir(mode=0o700)
    try:
        opened = SessionOpened(
            session="", name="", task="", workspace=str(place), model="", endpoint="", profile="", app_version=""
        )
        confinement = await asyncio.to_thread(confinement_of, folder, config, opened)
        mode: Mode | None = "read-only" if read_only else None
        policy = policy_of(config, mode, place, fact_of(confinement), environ)
        variables = key_variables(config)
        redact = Redactor(known_secrets(environ, *variables))
        settings = {
            "redact": redact,
            "may_redirect": lambda origin, url: _fetches(url, policy),
            "allow_private": config.network.allow_private,
            "command_timeout_s": config.commands.timeout_s,
            "command_env": config.commands.env,
            "most_processes": config.commands.processes,
            "keys": variables,
            "confinement": confinement,
            "ignore": config.workspace.ignore,
        }
        context = ToolContext(place, folder / "jobs", "", Outputs(), settings=settings)
        sessions = Sessions(home, None if all_sessions else place)
        yield WorkspaceOffering(place, policy, context, redact, sessions, read_only)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, True)


def _fetches(url: str, policy: Policy) -> bool:
    """Whether this address could be fetched without a question."""
    return isinstance(decide(Call("fetch_url", "network", {"url": url}), policy), Allow)
