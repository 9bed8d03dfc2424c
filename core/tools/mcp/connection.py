"""One connection to one server, by the official SDK. What it says is taken in here, cleaned and capped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.client._transport import Transport
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from core.hidden import without_hidden
from core.tools.mcp.content import Part, Parts
from core.tools.mcp.listing import Listing, Named
from core.tools.mcp.naming import cleaned, shown_schema
from core.tools.mcp.specs import ServerSpec
from core.tools.mcp.walls import Walls
from core.version import app_version

MOST_TOOLS = 500
"""Of one server; what it lists beyond them is not used."""
MOST_PAGES = 50
LOG_BYTES = 1 << 20
"""Of what a server writes to its standard error the first so many bytes of each half are kept; see `_keep`."""
_LINE_BYTES = 1 << 16
_SHORT = 200


class Gone(Exception):
    """The connection is over; whether the request had an effect isn't known. The text says how it ended."""


class Refused(Exception):
    """The server answered with an error; the text is its own, cleaned."""


class Connection:
    """Ask from any task; opened and closed by `connect` in one. `ended` is set when the other side has gone."""

    def __init__(self, client: Client, ended: asyncio.Event, changed: asyncio.Event) -> None:
        self._client = client
        self.ended = ended
        self.changed = changed
        """Set when the server says that its lists are others now."""

    async def listing(self) -> Listing:
        """Everything that it has, page by page. Raises Gone."""
        can = self._client.server_capabilities
        tools = await self._pages(self._client.list_tools, "tools") if can.tools else []
        resources = await self._pages(self._client.list_resources, "resources") if can.resources else []
        lists = (self._client.list_resource_templates, "resource_templates")
        templates = await self._pages(*lists) if can.resources else []
        prompts = await self._pages(self._client.list_prompts, "prompts") if can.prompts else []
        return Listing(
            tuple(map(_tool, tools)),
            (*(_resource(it.uri, it) for it in resources), *(_resource(it.uri_template, it) for it in templates)),
            tuple(map(_prompt, prompts)),
            cleaned(self._client.instructions, 2_000),
        )

    async def _pages(self, ask: Callable[..., Awaitable[Any]], field: str) -> list[Any]:
        """All pages of a list, up to a limit; empty where the server refuses it."""
        found: list[Any] = []
        cursor = None
        for _ in range(MOST_PAGES):
            try:
                page = await self._asked(ask(cursor=cursor))
            except Refused:
                break
            found += getattr(page, field)
            cursor = page.next_cursor
            if cursor is None or len(found) >= MOST_TOOLS:
                break
        return found[:MOST_TOOLS]

    async def call(
        self, tool: str, arguments: dict[str, Any], quiet_s: float, on_progress: Callable[[str], None]
    ) -> Parts:
        """A tool's result. Raises Gone, Refused, or TimeoutError after `quiet_s` seconds without progress."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(quiet_s) as limit:

            async def progressed(progress: float, total: float | None, message: str | None) -> None:
                limit.reschedule(loop.time() + quiet_s)
                on_progress(_progress(progress, total, message))

            result = await self._asked(self._client.call_tool(tool, arguments, progress_callback=progressed))
        parts = tuple(_part(block) for block in result.content)
        if not parts and result.structured_content is not None:
            parts = (Part("text", text=_json(result.structured_content)),)
        return Parts(parts, ok=not result.is_error)

    async def resource(self, uri: str, within_s: float) -> Parts:
        """What a resource holds. Raises as `call` does."""
        async with asyncio.timeout(within_s):
            result = await self._asked(self._client.read_resource(uri))
        return Parts(tuple(_held(it) for it in result.contents))

    async def prompt(self, name: str, arguments: dict[str, str], within_s: float) -> Parts:
        """A prompt's messages, each headed by who is to say it. Raises as `call` does."""
        async with asyncio.timeout(within_s):
            result = await self._asked(self._client.get_prompt(name, arguments))
        said = ((Part("text", text=f"{it.role}:"), _part(it.content)) for it in result.messages)
        return Parts(tuple(part for pair in said for part in pair))

    async def _asked(self, answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except MCPError as error:
            if error.code in (types.CONNECTION_CLOSED, types.INTERNAL_ERROR) and self.ended.is_set():
                raise Gone("it ended") from error
            if error.code == types.CONNECTION_CLOSED:
                self.ended.set()
                raise Gone("it ended") from error
            if error.code == types.REQUEST_TIMEOUT:
                raise TimeoutError from error
            raise Refused(cleaned(error.message, 2_000) or "an error without a text") from error
        except (anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            self.ended.set()
            raise Gone("it ended") from error
        except (asyncio.CancelledError, TimeoutError):
            raise
        except Exception as error:  # what a server answers may break any part of the SDK
            raise Refused(f"its answer can't be read ({type(error).__name__})") from error

    async def listen(self, listening: asyncio.Event) -> None:
        """Note each change of its lists, for as long as it tells of them; `listening` is set once none is missed."""
        try:
            async with self._client.listen(
                tools_list_changed=True, resources_list_changed=True, prompts_list_changed=True
            ) as changes:
                listening.set()
                async for _ in changes:
                    self.changed.set()
        except Exception:  # a server of an older protocol tells in its own way, or not at all
            return
        finally:
            listening.set()


@asynccontextmanager
async def connect(
    spec: ServerSpec, folder: Path, walls: Walls, redact: Callable[[str], str]
) -> AsyncIterator[Connection]:
    """A connection to a server that is started, or reached, for it. `folder` keeps what it writes to standard error,
    after `redact`.

    Raises OSError, TimeoutError, and what the SDK raises; `explained` makes a sentence of it.
    """
    _keep_logs_away()
    ended, changed = asyncio.Event(), asyncio.Event()

    async def heard(message: Any) -> None:
        if isinstance(message, _CHANGES):
            changed.set()

    async with AsyncExitStack() as stack:
        transport = _watched(_transport(spec, folder, walls, redact, stack), ended)
        client = Client(
            transport,
            read_timeout_seconds=None,
            message_handler=heard,
            client_info=types.Implementation(name="longwatch", version=app_version()),
            cache=None,
        )
        async with asyncio.timeout(spec.start_s):
            await stack.enter_async_context(client)
        connection = Connection(client, ended, changed)
        listening = asyncio.Event()
        listener = asyncio.create_task(connection.listen(listening))
        try:
            async with asyncio.timeout(spec.start_s):
                await listening.wait()
            yield connection
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)


_CHANGES = (
    types.ToolListChangedNotification,
    types.ResourceListChangedNotification,
    types.PromptListChangedNotification,
)


def explained(error: BaseException) -> str:
    """Why a server could not be used, as a short sentence without its period."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    match error:
        case FileNotFoundError():
            return f"its program {error.filename or ''} was not found".replace("  ", " ")
        case TimeoutError():  # Which is an OSError, too.
            return "it did not answer in time"
        case OSError():
            return f"it can't be started ({error.strerror or error})"
        case MCPError() if error.code == types.CONNECTION_CLOSED:
            return "it ended while it started"
        case MCPError():
            return f"it refuses: {cleaned(error.message, _SHORT).rstrip('.')}; its url and headers may be wrong"
    if type(error).__name__ in ("ConnectError", "ConnectTimeout"):
        return "it can't be reached"
    return cleaned(f"{type(error).__name__}: {error}", _SHORT)


def _transport(
    spec: ServerSpec, folder: Path, walls: Walls, redact: Callable[[str], str], stack: AsyncExitStack
) -> Transport:
    if spec.url:
        http = create_mcp_http_client(headers=dict(spec.headers))
        stack.push_async_callback(http.aclose)
        return streamable_http_client(spec.url, http_client=http)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    start = walls.start(spec, folder)
    errors = stack.enter_context(_errors_kept(folder / f"{spec.name}.stderr", redact))
    parameters = StdioServerParameters(
        command=start.command[0],
        args=list(start.command[1:]),
        env=start.environment,
        cwd=start.cwd,
        encoding_error_handler="replace",
    )
    return stdio_client(parameters, errlog=errors)


@contextlib.contextmanager
def _errors_kept(file: Path, redact: Callable[[str], str]) -> Any:
    """A text stream whose other end a thread reads, for as long as any process holds it."""
    reading, writing = os.pipe()
    threading.Thread(target=_keep, args=(reading, file, redact), name=f"stderr {file.stem}", daemon=True).start()
    with os.fdopen(writing, "w") as stream:
        yield stream


def _keep(reading: int, file: Path, redact: Callable[[str], str]) -> None:
    """Write what comes to the file: past `LOG_BYTES` it begins again, with the half before it in `.old`."""
    try:
        for lines in _lines_from(reading):
            data = redact(lines.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
            with suppress(OSError):
                if file.exists() and file.stat().st_size + len(data) > LOG_BYTES:
                    file.replace(file.with_suffix(".stderr.old"))
                with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
                    out.write(data)
    finally:
        os.close(reading)


def _lines_from(reading: int) -> Iterator[bytes]:
    """What comes, in whole lines, for a secret may come in pieces; a line that does not end is cut."""
    held = b""
    while data := os.read(reading, _LINE_BYTES):
        whole, end, held = (held + data).rpartition(b"\n")
        if len(held) > _LINE_BYTES:
            whole, end, held = whole + end + held, b"", b""
        if end or whole:
            yield whole + end
    if held:
        yield held


@asynccontextmanager
async def _watched(transport: Transport, ended: asyncio.Event) -> AsyncIterator[Any]:
    """The transport; `ended` is set when nothing more comes from the other side."""
    async with transport as (reading, writing):
        yield _Watched(reading, ended), writing


class _Watched:
    """A stream of messages that says when it has ended."""

    def __init__(self, inner: Any, ended: asyncio.Event) -> None:
        self._inner = inner
        self._ended = ended

    @property
    def last_context(self) -> Any:
        return getattr(self._inner, "last_context", None)

    async def receive(self) -> Any:
        try:
            return await self._inner.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._ended.set()
            raise

    async def aclose(self) -> None:
        await self._inner.aclose()

    def __aiter__(self) -> _Watched:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> _Watched:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        return await self._inner.__aexit__(*error)


def _keep_logs_away() -> None:
    """What the SDK logs, texts of servers among it, goes to no terminal."""
    for name in ("mcp", "client"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
            logger.propagate = False


def _tool(tool: types.Tool) -> Named:
    hints = tool.annotations or types.ToolAnnotations()
    reads_only = hints.read_only_hint is True and hints.destructive_hint is not True
    return Named(
        tool.name,
        cleaned(tool.description or tool.title),
        shown_schema(tool.input_schema),
        reads_only=reads_only,
        repeatable=reads_only or hints.idempotent_hint is True,
    )


def _resource(uri: Any, listed: Any) -> Named:
    about = ", ".join(filter(None, (cleaned(listed.description or listed.name, 300), cleaned(listed.mime_type, 60))))
    return Named(str(uri), about, {})


def _prompt(prompt: types.Prompt) -> Named:
    arguments = {cleaned(it.name, 60): cleaned(it.description, _SHORT) for it in prompt.arguments or ()}
    return Named(prompt.name, cleaned(prompt.description), arguments)


def _part(block: Any) -> Part:
    match block:
        case types.TextContent():
            return Part("text", text=block.text)
        case types.ImageContent() | types.AudioContent():
            return Part(block.type, data=block.data, media_type=cleaned(block.mime_type, 60).lower())
        case types.EmbeddedResource():
            return _held(block.resource)
        case types.ResourceLink():
            about = cleaned(block.description or block.title or block.name, _SHORT)
            return Part("text", text=f"[resource {cleaned(block.uri, 500)}: {about}; mcp_resource reads it]")
    return Part("text", text=f"[a part of an unknown kind, {cleaned(getattr(block, 'type', ''), 40)}; not shown]")


def _held(resource: Any) -> Part:
    """What a resource holds: text, or data that is an image or a document where its type says so."""
    if isinstance(resource, types.TextResourceContents):
        return Part("text", text=resource.text)
    media_type = cleaned(resource.mime_type, 60).lower()
    kind = "image" if media_type.startswith("image/") else "document"
    return Part(kind, data=resource.blob, media_type=media_type)


def _progress(done: float, total: float | None, message: str | None) -> str:
    share = f"{done:g} of {total:g}" if total else f"{done:g}"
    return f"{share} {cleaned(message, _SHORT)}".rstrip().replace("\n", " ")


def _json(value: Any) -> str:
    import msgspec

    return without_hidden(msgspec.json.encode(value).decode())
