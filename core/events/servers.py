"""Bodies of what servers bring to a session: the tools that the model is told of, and how each server is."""

from __future__ import annotations

from typing import Any, Literal

from core.events.envelope import Body, kind


class OfferedTool(Body, frozen=True):
    """One tool of a server: `name` as the model calls it, `tool` as the server does.

    `effect` as `core.tools.base.Effect`; `repeatable`: calling it twice does no more than once.
    """

    name: str
    server: str
    tool: str
    description: str
    schema: dict[str, Any]
    effect: str
    repeatable: bool = False


@kind("tools.offered")
class ToolsOffered(Body, frozen=True):
    """The tools of servers that stand in every request from here on, whatever becomes of the servers.

    A request begins with its tools, so a list that followed the servers would have the whole context written to the
    cache anew each time. What is not in it, `others` tools at first, is found and called by tools of our own.
    """

    tools: list[OfferedTool] = []
    others: int = 0


@kind("server.changed")
class ServerChanged(Body, frozen=True):
    """How a server is now. `tools`: how many it has; `detail`: why it is down, or what changed.

    `local`: it is a program of this machine, which no sandbox confines.
    """

    server: str
    state: Literal["up", "down"]
    tools: int = 0
    detail: str = ""
    local: bool = False
