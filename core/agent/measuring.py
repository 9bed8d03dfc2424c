"""A session's traces and metrics, sent to the collector that the configuration names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from core.agent.desk import Desk
from core.config import Config
from core.events import Draft, HookFailed, SessionOpened
from core.journal.errors import JournalError


@asynccontextmanager
async def measured(config: Config, desk: Desk, opened: SessionOpened) -> AsyncIterator[None]:
    """The session's traces and metrics go to the collector of the configuration, where it names one."""
    if config.telemetry.otlp is None:
        yield
        return
    from core.telemetry.sender import Sender

    async def complain(sentence: str) -> None:
        with suppress(JournalError):
            await desk.append(Draft(HookFailed(hook="telemetry", on="export", detail=sentence), actor="system"))

    sender = Sender(config.telemetry, opened, complain)
    unsubscribe = desk.journal.subscribe(sender.observe)
    try:
        async with sender.kept():
            yield
    finally:
        unsubscribe()
