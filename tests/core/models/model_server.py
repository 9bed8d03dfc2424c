"""A model server of a few lines for these tests: real sockets, scripted answers, requests kept as they came."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

OK = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nrequest-id: req_1\r\nconnection: close\r\n\r\n"


@dataclass
class Connection:
    """One request and the means to answer it."""

    line: str
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter

    async def send(self, text: str | bytes) -> None:
        self.writer.write(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        await self.writer.drain()

    async def events(self, *events: dict[str, Any]) -> None:
        for event in events:
            await self.send(sse(event))

    def abort(self) -> None:
        """Reset the connection."""
        self.writer.transport.abort()


Answer = Callable[[Connection], Awaitable[None]]


@dataclass
class ModelServer:
    """Answers each request by `answer`, or by the next of `answers`."""

    answer: Answer | None = None
    answers: list[Answer] = field(default_factory=list)
    requests: list[Connection] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in rest)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            connection = Connection(line, headers, body, writer)
            self.requests.append(connection)
            answer = self.answers.pop(0) if self.answers else self.answer
            assert answer is not None
            await answer(connection)
            if not writer.transport.is_closing() and connection.headers.get("x-hold"):
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.hung_up.set()
            writer.close()


def sse(event: dict[str, Any]) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def start(**usage: Any) -> dict[str, Any]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "model-x", "content": [], "usage": usage}
    return {"type": "message_start", "message": message}


def opened(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def closed(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def stopped(reason: str | None = "end_turn", **usage: Any) -> list[dict[str, Any]]:
    return [{"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}, {"type": "message_stop"}]


def text(index: int, *parts: str) -> list[dict[str, Any]]:
    return [
        opened(index, type="text", text=""),
        *(delta(index, "text_delta", text=part) for part in parts),
        closed(index),
    ]


def tool(index: int, name: str, *parts: str, **fields: Any) -> list[dict[str, Any]]:
    block = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}, **fields}
    pieces = (delta(index, "input_json_delta", partial_json=part) for part in parts)
    return [opened(index, **block), *pieces, closed(index)]


def streams(*events: dict[str, Any]) -> Answer:
    """Answer with a stream of these events, then end of file."""

    async def answer(connection: Connection) -> None:
        await connection.send(OK)
        await connection.events(*events)

    return answer


def fails(status: int, body: Any, *headers: str, kind: str = "application/json") -> Answer:
    """Answer with an HTTP error; `body` is sent as JSON unless it is text."""
    content = body if isinstance(body, str) else json.dumps(body)

    async def answer(connection: Connection) -> None:
        lines = [f"HTTP/1.1 {status} Status", f"content-type: {kind}", *headers, "connection: close"]
        await connection.send("\r\n".join(lines) + f"\r\ncontent-length: {len(content.encode())}\r\n\r\n{content}")

    return answer
