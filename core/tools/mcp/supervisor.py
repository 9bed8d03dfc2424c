"""One server, kept up: started when the session is, started again when it dies, asked by any number of calls."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from core.clock import monotonic
from core.events import ServerChanged
from core.tools.base import ToolError
from core.tools.mcp.listing import Listing
from core.tools.mcp.specs import ServerSpec
from core.tools.mcp.walls import Walls

if TYPE_CHECKING:
    from core.tools.mcp.connection import Connection

T = TypeVar("T")
AT_ONCE = 8
"""Calls that one server is asked at the same time; the others queue."""
FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 300.0
STEADY_S = 60.0
"""A server that was up so long starts again at once when it dies."""


async def preloaded() -> Any:
    """The module that speaks to servers; the SDK behind it takes a moment to import."""
    return await asyncio.to_thread(importlib.import_module, "core.tools.mcp.connection")


class Server:
    """`run` keeps it up until it is cancelled; `ask` asks it, from any task of the same loop.

    `on_change` is called when it is up or down, or when its lists are others. `jitter` gives numbers from 0 to 1;
    `redact` is applied to what it says of itself, and to what it writes to standard error.
    """

    def __init__(
        self,
        spec: ServerSpec,
        folder: Path,
        on_change: Callable[[Server, ServerChanged], None],
        jitter: Callable[[], float],
        walls: Walls,
        redact: Callable[[Any], Any],
    ) -> None:
        self.spec = spec
        self.listing: Listing | None = None
        self.problem = ""
        """Why it is down; empty while it is up, and while it starts for the first time."""
        self.settled = asyncio.Event()
        """Set once it is known whether it works."""
        self._folder = folder
        self._on_change = on_change
        self._jitter = jitter
        self._walls = walls
        self._redact = redact
        self._connection: Connection | None = None
        self._knocked = asyncio.Event()
        self._news = asyncio.Condition()
        self._lives, self._living = 0, False
        """How many of its lives are over, and whether one goes on in which it was reached."""
        self._queue = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Keep it up. Between two starts it waits, twice as long each time, unless somebody asks for it."""
        failures = 0
        while True:
            began = monotonic()
            problem = await self._live()
            failures = 1 if monotonic() - began > STEADY_S else failures + 1
            await self._ended(problem)
            delay = min(FIRST_DELAY_S * 2 ** (failures - 1), LONGEST_DELAY_S) * (0.5 + self._jitter() / 2)
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._knocked.wait()
            self._knocked.clear()

    async def _live(self) -> str:
        """One life of it; why it ended."""
        try:
            sdk = await preloaded()
        except ImportError as error:
            return f"the package mcp can't be used here ({error})"
        try:
            async with sdk.connect(self.spec, self._folder, self._walls, self._redact) as connection:
                await self._list(connection)
                self._connection, self._living, self.problem = connection, True, ""
                self._tell("")
                async with self._news:
                    self._news.notify_all()
                await self._followed(connection)
            return "it ended"
        except Exception as error:  # whatever a server does ends its connection and nothing else
            return str(self._redact(sdk.explained(error)))
        finally:
            self._connection = None

    async def _followed(self, connection: Connection) -> None:
        """Take in its lists anew when they change, until it has gone."""
        while not connection.ended.is_set():
            waiting = [asyncio.create_task(it.wait()) for it in (connection.ended, connection.changed)]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waiting:
                    task.cancel()
            if connection.changed.is_set() and not connection.ended.is_set():
                connection.changed.clear()
                await self._list(connection)
                self._tell("its lists have changed")

    async def _list(self, connection: Connection) -> None:
        async with asyncio.timeout(self.spec.start_s):
            listing = await connection.listing()
        self.listing = listing.without(self._redact)

    async def _ended(self, problem: str) -> None:
        """A life of it is over; who waits for it learns why, and it is told once."""
        self._lives, self._living = self._lives + 1, False
        if problem != self.problem:
            self.problem = problem
            self._tell(problem)
        async with self._news:
            self._news.notify_all()

    def _tell(self, detail: str) -> None:
        self.settled.set()
        tools = len(self.listing.tools) if self.listing else 0
        state: Literal["up", "down"] = "down" if self.problem else "up"
        local = bool(self.spec.command) and not self._walls.confine(self.spec)
        change = ServerChanged(server=self.spec.name, state=state, tools=tools, detail=detail, local=local)
        self._on_change(self, change)

    async def ask(self, question: Callable[[Connection], Awaitable[T]], again: bool) -> T:
        """Its answer; `again`: whether the question may be asked a second time when it dies in the middle.

        Raises ToolError with a sentence for the model.
        """
        from core.tools.mcp.connection import Gone, Refused

        name = self.spec.name
        async with self._queue:
            while True:
                connection = await self._reached()
                try:
                    return await question(connection)
                except Gone:
                    if not again:
                        raise ToolError(
                            f"The server {name} ended in the middle of this call, so it isn't known whether it had an "
                            "effect; look before you call again."
                        ) from None
                    again = False
                    if self._connection is connection:
                        self._connection = None
                except TimeoutError:
                    raise ToolError(
                        f"The server {name} gave no sign for {self.spec.timeout_s:g} s, so the call was given up; it "
                        "isn't known whether it had an effect."
                    ) from None
                except Refused as refused:
                    raise ToolError(f"The server {name} says: {refused}") from None

    async def _reached(self) -> Connection:
        """The connection. One that is down is started now, and one try is waited for."""
        lives = self._lives + (1 if self._living else 0)
        self._knocked.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * self.spec.start_s), self._news:
                await self._news.wait_for(lambda: self._connection is not None or self._lives > lives)
        if self._connection is None:
            why = self.problem or "it has not started yet"
            raise ToolError(f"The server {self.spec.name} is not there ({why}); work without it.")
        return self._connection
