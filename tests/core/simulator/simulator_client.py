"""A small client of the simulated server, and short names for the parts of a request."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from core.simulator import SimulatedServer

HEADERS = {"anthropic-version": "2026-10-21", "authorization": "Bearer key"}


def user(*content: Any) -> dict[str, Any]:
    blocks = [{"type": "text", "text": item} if isinstance(item, str) else item for item in content]
    return {"role": "user", "content": blocks}


def assistant(*content: Any) -> dict[str, Any]:
    return user(*content) | {"role": "assistant"}


def use(identifier: str, name: str = "read_file", **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": identifier, "name": name, "input": arguments}


def result(identifier: str, content: str = "ok") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": identifier, "content": content}


def body(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 4096} | fields | {"messages": list(messages)}


async def post(server: SimulatedServer, request: dict[str, Any], **headers: str) -> httpx2.Response:
    async with httpx2.AsyncClient() as client:
        return await client.post(f"{server.base_url}/v1/messages", json=request, headers=HEADERS | headers)


async def stream(server: SimulatedServer, request: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The events of a streamed reply as (name, data)."""
    response = await post(server, request | {"stream": True})
    response.raise_for_status()
    parts = [part.split("\n", 1) for part in response.text.strip().split("\n\n")]
    return [(event.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for event, data in parts]
