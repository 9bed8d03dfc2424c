"""Being a server: our tools, and what is known of sessions, for agents of others, by the official SDK."""

from __future__ import annotations

import hmac
import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

import mcp_types as types
import uvicorn
from mcp import MCPError
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from core.version import app_version

Application = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Told:
    """A resource: its address (with a part in braces: a template of addresses), its name, what it is, its type."""

    uri: str
    name: str
    description: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A tool as it is listed; `reads`: it changes nothing."""

    name: str
    description: str
    schema: dict[str, Any]
    reads: bool


class Offering(Protocol):
    """What is served."""

    instructions: str

    def tools(self) -> list[Shown]: ...

    async def call(self, name: str, arguments: dict[str, Any]) -> tuple[str, bool]:
        """What a call came to, and whether it went well; never raises."""
        ...

    async def resources(self) -> list[Told]: ...

    async def read(self, uri: str) -> tuple[str, str]:
        """Text and media type of a resource. Raises LookupError with a sentence where there is none."""
        ...


def server_of(offering: Offering) -> Server[Any]:
    """A server of the SDK over an offering."""

    async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_tool(tool) for tool in offering.tools()])

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        text, ok = await offering.call(params.name, params.arguments or {})
        return types.CallToolResult(content=[types.TextContent(text=text)], is_error=not ok)

    async def list_resources(context: Any, params: Any) -> types.ListResourcesResult:
        told = [it for it in await offering.resources() if "{" not in it.uri]
        rows = [
            types.Resource(uri=it.uri, name=it.name, description=it.description, mime_type=it.media_type) for it in told
        ]
        return types.ListResourcesResult(resources=rows)

    async def list_templates(context: Any, params: Any) -> types.ListResourceTemplatesResult:
        told = [it for it in await offering.resources() if "{" in it.uri]
        rows = [
            types.ResourceTemplate(
                uri_template=it.uri, name=it.name, description=it.description, mime_type=it.media_type
            )
            for it in told
        ]
        return types.ListResourceTemplatesResult(resource_templates=rows)

    async def read_resource(context: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        try:
            text, media_type = await offering.read(str(params.uri))
        except LookupError as error:
            raise MCPError(types.INVALID_PARAMS, str(error.args[0])) from None
        contents = types.TextResourceContents(uri=params.uri, text=text, mime_type=media_type)
        return types.ReadResourceResult(contents=[contents])

    return Server(
        "longwatch",
        version=app_version(),
        instructions=offering.instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
    )


async def serve_stdio(offering: Offering) -> None:
    """Serve one client over standard input and output until it hangs up."""
    server = server_of(offering)
    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())


def http_application(offering: Offering, token: str) -> Any:
    """The same by streamable HTTP at /mcp, for who has the token: other users of this machine reach a port, too."""
    application = server_of(offering).streamable_http_app(host="127.0.0.1")
    wanted = f"Bearer {token}".encode()

    async def guarded(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        given = dict(scope.get("headers") or ()).get(b"authorization", b"")
        if scope["type"] == "http" and not hmac.compare_digest(given, wanted):
            await send({"type": "http.response.start", "status": 401, "headers": [(b"www-authenticate", b"Bearer")]})
            await send({"type": "http.response.body", "body": b"the token is missing or wrong\n"})
            return
        await application(scope, receive, send)

    return guarded


def _tool(tool: Shown) -> types.Tool:
    hints = types.ToolAnnotations(read_only_hint=tool.reads, destructive_hint=None if tool.reads else True)
    return types.Tool(name=tool.name, description=tool.description, input_schema=tool.schema, annotations=hints)


async def serve_http(offering: Offering, listening: socket.socket, token: str) -> None:
    """Serve any number of clients by HTTP on a bound socket, until the process is told to end."""
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())
    config = uvicorn.Config(
        http_application(offering, token), ws="none", log_config=None, log_level=logging.CRITICAL, access_log=False
    )
    await uvicorn.Server(config).serve(sockets=[listening])
