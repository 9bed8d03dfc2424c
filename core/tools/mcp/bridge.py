"""The tools of all servers as tools of the session."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from core.events import OfferedTool, ServerChanged, ToolsOffered
from core.private import make_private
from core.tools.base import RERUN, Effect, Outcome, Rerun, Tool, ToolContext, ToolError
from core.tools.common import Arguments
from core.tools.jobs import output_path
from core.tools.mcp.content import outcome
from core.tools.mcp.listing import Listing, Named
from core.tools.mcp.naming import fits, tool_name
from core.tools.mcp.specs import ServerSpec
from core.tools.mcp.supervisor import Server
from core.tools.mcp.walls import OPEN, Walls

CLOSING_S = 10.0


class ServerTool:
    """One tool of a server. Its arguments are judged by the server, against a schema of its own."""

    Arguments: type[msgspec.Struct] = Arguments

    def __init__(self, offered: OfferedTool, server: Server | None) -> None:
        self.offered = offered
        self.name = offered.name
        self.description = offered.description or "(no description)"
        self.schema = offered.schema
        self.effect = Effect(offered.effect)
        self.server = offered.server
        self._server = server

    def prepare(self, arguments: dict[str, Any], context: ToolContext) -> dict[str, Any]:
        """What is called, and a hash of how it was described: a call that was approved is not run as another one."""
        if self._server is None:
            raise ToolError(f"The server {self.server} is no longer configured, so {self.name} can't be called.")
        described = msgspec.json.encode(self.offered)
        digest = hashlib.sha256(described).hexdigest()[:16]
        return {"server": self.server, "tool": self.offered.tool, "described": digest}

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> Outcome:
        assert self._server is not None
        spec, tool, again = self._server.spec, self.offered.tool, self.offered.repeatable
        told = Progress(context)
        answer = await self._server.ask(lambda it: it.call(tool, arguments, spec.timeout_s, told), again)
        return await asyncio.to_thread(outcome, answer, context)

    async def recover(self, arguments: dict[str, Any], intent: dict[str, Any], context: ToolContext) -> Outcome | Rerun:
        if self.offered.repeatable and self._server is not None:
            return RERUN
        return Outcome(
            f"The call was cut off, and it isn't known whether the server {self.server} carried it out; look before "
            "you call it again.",
            ok=False,
        )


class Progress:
    """Lines about how far a call is, where the output of a running command would grow: for who watches."""

    def __init__(self, context: ToolContext) -> None:
        self._file = output_path(context.jobs / context.call)
        self._redact = context.settings.get("redact", _as_it_is)

    def __call__(self, line: str) -> None:
        make_private(self._file.parent)
        file = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(file, "a", encoding="utf-8") as out:
            out.write(f"{self._redact(line)}\n")


def _as_it_is(value: Any) -> Any:
    return value


class Bridge:
    """Starts the servers, keeps them up, and has their tools; `jitter` gives numbers from 0 to 1.

    `walls` keep programs inside; `redact` is applied to all that a server says beside its results. `tools` are all that
    can be called now, by name. `changes` collects what was told of the servers until it is taken.
    """

    def __init__(
        self,
        specs: Iterable[ServerSpec],
        folder: Path,
        jitter: Callable[[], float],
        walls: Walls = OPEN,
        redact: Callable[[Any], Any] = _as_it_is,
    ) -> None:
        self.servers = {spec.name: Server(spec, folder, self._changed, jitter, walls, redact) for spec in specs}
        self.tools: dict[str, Tool] = {}
        self._changes: dict[str, ServerChanged] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to start them all; returns at once."""
        self._tasks = [asyncio.create_task(server.run()) for server in self.servers.values()]

    async def close(self) -> None:
        """End them all. One that does not end is left to its own end."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSING_S)

    async def settled(self, within_s: float) -> None:
        """Wait until it is known of each whether it works, so long at most."""
        waiting = [asyncio.create_task(server.settled.wait()) for server in self.servers.values()]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=within_s)
            for task in late:
                task.cancel()

    def remember(self, offered: ToolsOffered) -> None:
        """The tools that the model was told of stay callable, also before their servers are up."""
        for tool in offered.tools:
            self.tools.setdefault(tool.name, ServerTool(tool, self.servers.get(tool.server)))

    def offering(self, most: int) -> ToolsOffered:
        """What to tell the model of: the tools that are fit for a request, of whole servers, at most so many.

        The smallest servers come first, so that as many as can be stand there whole.
        """
        known = sorted(self._known(), key=lambda tool: tool.name)
        fit: dict[str, list[OfferedTool]] = {}
        for tool in known:
            if fits(tool.schema):
                fit.setdefault(tool.server, []).append(tool)
        listed: list[OfferedTool] = []
        for tools in sorted(fit.values(), key=len):
            if len(listed) + len(tools) <= most:
                listed += tools
        listed.sort(key=lambda tool: tool.name)
        return ToolsOffered(tools=listed, others=len(known) - len(listed))

    def take_changes(self) -> list[ServerChanged]:
        """What was told of the servers since the last time, the latest of each."""
        changes, self._changes = list(self._changes.values()), {}
        return changes

    def of(self, name: str) -> Server:
        """The server of that name. Raises ToolError."""
        if name not in self.servers:
            raise ToolError(f"There is no server {name!r}. There are: {', '.join(sorted(self.servers)) or 'none'}.")
        return self.servers[name]

    def _known(self) -> list[OfferedTool]:
        return [tool.offered for tool in self.tools.values() if isinstance(tool, ServerTool)]

    def _changed(self, server: Server, change: ServerChanged) -> None:
        """Take in what a server offers now; what it no longer offers goes, and a call of it says so."""
        self._changes[change.server] = change
        if server.problem or server.listing is None:
            return
        now = {tool.name: tool for tool in offered_tools(server.spec, server.listing)}
        for name in [name for name, tool in self.tools.items() if _of(tool) == change.server and name not in now]:
            del self.tools[name]
        self.tools.update({name: ServerTool(tool, server) for name, tool in now.items()})


def _of(tool: Tool) -> str:
    return tool.server if isinstance(tool, ServerTool) else ""


def offered_tools(spec: ServerSpec, listing: Listing) -> list[OfferedTool]:
    """A server's tools as the session calls them; of two by one name the first."""
    tools = {tool_name(spec.name, tool.name): tool for tool in reversed(listing.tools) if spec.offers(tool.name)}
    return [_offered(spec, name, tool) for name, tool in sorted(tools.items())]


def _offered(spec: ServerSpec, name: str, tool: Named) -> OfferedTool:
    reads = spec.believe_hints and tool.reads_only
    return OfferedTool(
        name=name,
        server=spec.name,
        tool=tool.name,
        description=tool.description,
        schema=tool.schema,
        effect=str(Effect.READ if reads else Effect.COMMAND),
        repeatable=spec.believe_hints and tool.repeatable,
    )
