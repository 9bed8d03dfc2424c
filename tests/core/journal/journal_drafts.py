"""Small events and waiting, for the tests of the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.clock import monotonic, pause_real
from core.events import (
    Draft,
    GuidanceDelivered,
    HeadMoved,
    ModelFailed,
    ModelResponded,
    Price,
    SessionOpened,
    SessionPaused,
    ToolFinished,
    ToolStarted,
    Usage,
)


def opened(name: str = "audit", **changes: Any) -> Draft:
    fields = {"session": "s1", "task": "look at it", "workspace": "/w", "model": "m", "endpoint": "simulated/auditor"}
    return Draft(SessionOpened(name=name, profile="p", app_version="1", **(fields | changes)))


def said(text: str) -> Draft:
    return Draft(GuidanceDelivered(text=text))


def paused(reason: str = "operator") -> Draft:
    return Draft(SessionPaused(reason=reason))


def started(call: str) -> Draft:
    return Draft(ToolStarted(name="run_command", use_id="t1", arguments={"command": "ls"}, effect="command"), key=call)


def finished(call: str, content: str = "done") -> Draft:
    return Draft(ToolFinished(name="run_command", use_id="t1", ok=True, content=content), key=call)


def responded(attempt: str) -> Draft:
    body = ModelResponded(
        message_id="msg", model="m", content=[], stop_reason="end_turn", usage=Usage(), price=Price(cost="0.01")
    )
    return Draft(body, key=attempt)


def failed(attempt: str) -> Draft:
    return Draft(ModelFailed(error="overloaded", message="later"), key=attempt)


def moved(to: int, origin: int) -> Draft:
    return Draft(HeadMoved(to=to, origin=origin, reason="rewind"))


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until the condition holds, at most that long."""
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, "it did not happen in time"
        await pause_real(0.01)
