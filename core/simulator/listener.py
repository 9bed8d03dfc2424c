"""uvicorn inside the running event loop: no signal handlers, no log lines, connections that can be cut on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Generator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from core.clock import pause_real

TRANSPORT = "simulator.transport"
_POLL_SECONDS = 0.01


class _Protocol(H11Protocol):
    """Gives the application, in its scope, the connection to cut."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            await application({**scope, TRANSPORT: transport}, receive, send)

        self.app = with_transport


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Listener:
    """Serves one application on loopback from `start` to `stop`."""

    def __init__(self, application: Any, port: int = 0) -> None:
        self._port = port
        logging.getLogger("uvicorn").addHandler(logging.NullHandler())
        self._server = _Server(
            uvicorn.Config(
                application,
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level=logging.CRITICAL,
                access_log=False,
                server_header=False,
                date_header=False,
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Listen; returns the base URL. Raises OSError when the port is taken."""
        listening = socket.create_server(("127.0.0.1", self._port))
        host, port = listening.getsockname()[:2]
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started and not self._task.done():
            await pause_real(_POLL_SECONDS)
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        """Cut what is open and return soon."""
        self._server.should_exit = self._server.force_exit = True
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        if self._task is not None:
            await self._task
        running = list(self._server.server_state.tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
