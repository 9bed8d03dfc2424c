"""Calls that run side by side are told as they end, or in their order where that was asked for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.agent.calls import CallRunner
from core.agent.seating import seated
from core.clock import SystemClock
from core.config import Config
from core.folds.asking import PendingCall
from core.models.profiles import resolve_endpoint
from core.session import NewSession, create
from core.tools.base import Effect, Outcome, ToolContext


class Place(msgspec.Struct):
    """Which of the calls it is."""

    number: int


class LastFirst:
    """Each call ends only once the one after it has ended."""

    name, description, effect, Arguments = "look", "Looks.", Effect.READ, Place

    def __init__(self, calls: int) -> None:
        self._ended = [asyncio.Event() for _ in range(calls + 1)]
        self._ended[calls].set()

    def prepare(self, arguments: Place, context: ToolContext) -> dict[str, Any]:
        return {}

    async def run(self, arguments: Place, context: ToolContext) -> Outcome:
        await self._ended[arguments.number + 1].wait()
        self._ended[arguments.number].set()
        return Outcome(f"seen {arguments.number}")

    async def recover(self, arguments: Place, intent: dict[str, Any], context: ToolContext) -> Outcome:
        return Outcome("never")


@pytest.mark.parametrize("in_order", [False, True])
async def test_calls_side_by_side_are_told_as_they_end_or_in_their_order(tmp_path: Path, in_order: bool) -> None:
    endpoint, told = resolve_endpoint(Config(), "simulated/echo"), []
    folder = await create(tmp_path / "home", NewSession("Do it.", tmp_path, endpoint))
    row = [PendingCall(f"r1.1.{number}", f"t{number}", "look", {"number": number}) for number in range(3)]
    row.insert(1, PendingCall("r1.1.x", "tx", "unknown", {}))
    async with seated(folder, SystemClock()) as (desk, _):
        desk.journal.subscribe(lambda events: told.extend(events))

        def context(call: str) -> ToolContext:
            return ToolContext(tmp_path, desk.folder / "jobs", call, None)  # type: ignore[arg-type]

        await CallRunner(desk, {"look": LastFirst(3)}, context, str, in_order=in_order).run(row)
    keys, ended = [call.key for call in row], [event.key for event in told if event.kind == "tool.finished"]
    assert sorted(ended) == sorted(keys)
    assert (ended == keys) == in_order
