from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from model_server import ModelServer


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    """A model server on a free port of loopback."""
    model_server = ModelServer()
    listener = await asyncio.start_server(model_server.handle, "127.0.0.1", 0)
    model_server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener:
        yield model_server
        for connection in model_server.requests:
            connection.writer.close()
