"""What a session does about its servers: waits for them once, tells the model what there is, and logs how they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

from core.agent.desk import Desk
from core.config import ToolSettings
from core.events import Draft, GuidanceDelivered, ServerChanged, ToolsOffered
from core.tools.base import Tool
from core.tools.common import count
from core.tools.mcp.bridge import Bridge, ServerTool
from core.tools.mcp.helpers import helper_tools
from core.tools.mcp.specs import Specs
from core.tools.mcp.walls import Walls
from core.tools.registry import schemas

FOLDER = "mcp"
"""In the session's folder: what servers write to standard error, and the empty folder that they start in."""
TO_FIND = "find_tools says what they have, call_tool calls it."


class Bridging:
    """The servers of one session, between its steps. Nothing here ever stops it.

    `tools` are all that they bring, ours included, as they change.
    """

    def __init__(self, desk: Desk, bridge: Bridge, settings: ToolSettings, problems: Mapping[str, str]) -> None:
        self._desk = desk
        self._bridge = bridge
        self._settings = settings
        self._problems = problems
        self._untold: list[str] = []
        self._helpers = helper_tools(bridge) if bridge.servers or desk.facts.servers.offered else {}
        if (offered := desk.facts.servers.offered) is not None:
            bridge.remember(offered)
        bridge.tools.update(self._helpers)

    @property
    def tools(self) -> Mapping[str, Tool]:
        return self._bridge.tools

    @property
    def told(self) -> bool:
        """Whether it is written down which tools stand in every request; once it is, it stays so."""
        return self._desk.facts.servers.offered is not None

    def offered(self) -> dict[str, Tool]:
        """The tools that stand in every request: what was written down before the first one, and our own."""
        offered = self._desk.facts.servers.offered
        return {**self._helpers, **{it.name: ServerTool(it, None) for it in (offered.tools if offered else ())}}

    async def begin(self) -> None:
        """Before the first request: give the servers a moment, and write down which tools stand in all of them."""
        facts = self._desk.facts
        bad = [ServerChanged(server=name, state="down", detail=why) for name, why in self._problems.items()]
        drafts = [Draft(change, actor="system") for change in bad if change not in facts.servers.down()]
        if self._bridge.servers and facts.servers.offered is None and facts.state.turns == 0:
            await self._bridge.settled(self._settings.mcp_wait_s)
            drafts += [Draft(change, actor="system") for change in self._bridge.take_changes()]
            offering = self._bridge.offering(self._settings.mcp_listed)
            drafts.append(Draft(offering, actor="system"))
            if told := self._introduction(offering):
                drafts.append(Draft(GuidanceDelivered(text=told, source="notice"), actor="system"))
        if drafts:
            await self._desk.append(*drafts)

    async def look(self) -> None:
        """Log how the servers are, where that has changed; also while a session waits."""
        if changes := self._bridge.take_changes():
            before = {it.server for it in self._desk.facts.servers.down()}
            self._untold += [line for change in changes if (line := self._news(change, change.server in before))]
            await self._desk.append(*(Draft(change, actor="system") for change in changes))

    async def after_step(self) -> None:
        """The same, and tell the model when it is its turn."""
        await self.look()
        facts = self._desk.facts
        if self._untold and facts.projection.complete and facts.state.turns:
            told, self._untold = "\n".join(dict.fromkeys(self._untold)), []
            await self._desk.append(Draft(GuidanceDelivered(text=told, source="notice"), actor="system"))

    def _introduction(self, offering: ToolsOffered) -> str:
        """What the model must know of servers with more than stands in its list; nothing in it is words of theirs."""
        listed = Counter(tool.server for tool in offering.tools)
        counts = {
            name: len(listing.tools)
            for name, it in sorted(self._bridge.servers.items())
            if (listing := it.listing) and (len(listing.tools) > listed[name] or listing.resources or listing.prompts)
        }
        told = ", ".join(f"{name} ({count(number, 'tool')})" for name, number in counts.items())
        return f"These servers have more than stands in your list of tools: {told}. {TO_FIND}" if told else ""

    def _news(self, change: ServerChanged, was_down: bool) -> str:
        """What the model is told of a server that came, went, or has other tools than before; empty: nothing."""
        if change.state == "down":
            return f"The server {change.server} is not there any more; work without it."
        if was_down:
            return f"The server {change.server} is there again."
        if change.detail or not self._in_list(change.server):
            return f"The server {change.server} has {count(change.tools, 'tool')} now; {TO_FIND}"
        return ""

    def _in_list(self, server: str) -> bool:
        offered = self._desk.facts.servers.offered
        return offered is not None and any(it.server == server for it in offered.tools)


@asynccontextmanager
async def bridged(
    desk: Desk, specs: Specs, settings: ToolSettings, walls: Walls, redact: Callable[[Any], Any]
) -> AsyncIterator[Bridging]:
    """The servers of a session, started in the background, and ended with it."""
    bridge = Bridge(specs.servers, Path(desk.folder) / FOLDER, Random().random, walls, redact)
    bridge.start()
    try:
        yield Bridging(desk, bridge, settings, redact(dict(specs.problems)))
    finally:
        await bridge.close()


def tools_of_requests(own: Mapping[str, Tool], bridging: Bridging) -> Callable[[], tuple[dict[str, Any], ...]]:
    """The tools of the next request; made anew only where what stands in all of them has been written down since."""
    made: dict[bool, tuple[dict[str, Any], ...]] = {}

    def offered() -> tuple[dict[str, Any], ...]:
        if bridging.told not in made:
            made[bridging.told] = tuple(schemas({**own, **bridging.offered()}))
        return made[bridging.told]

    return offered
