"""Taking a command back at a real desk: nothing happens, or it is refused, and never both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.agent.desk import Desk
from core.agent.seating import seated
from core.clock import VirtualClock
from core.events import CommandRefused, Draft, SessionOpened
from core.folds.standing import Order
from core.ids import ulid
from core.journal import Journal, Reader
from core.journal.inbox import Command, post


class SlowDesk(Desk):
    """Pauses only when it is let."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.folder, desk.journal, desk.snapshots, desk.clock)
        self.facts = desk.facts
        self.began, self.let = asyncio.Event(), asyncio.Event()

    async def _pause(self, order: Order) -> str:
        self.began.set()
        await self.let.wait()
        return await super()._pause(order)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[SlowDesk]:
    folder, clock = tmp_path / "sessions" / "s", VirtualClock()
    (tmp_path / "w").mkdir()
    fields = {"model": "m", "endpoint": "e", "profile": "p", "app_version": "0", "workspace": str(tmp_path / "w")}
    async with await Journal.create(folder, clock) as journal:
        await journal.append(Draft(SessionOpened(session="s", name="audit", task="Mend the parser.", **fields)))
    async with seated(folder, clock) as (desk, _):
        yield SlowDesk(desk)


def send(desk: Desk, verb: str, **args: object) -> str:
    """Post a command; its id."""
    send_us = desk.clock.now_us() + desk.facts.state.last_seq
    command = Command(id=ulid(send_us), verb=verb, args=args)
    post(desk.folder, command)
    return command.id


async def test_a_command_that_was_taken_back_has_no_effect(desk: SlowDesk) -> None:
    pause = send(desk, "pause")
    await desk.read_inbox()
    order = desk.facts.state.orders[pause]
    send(desk, "cancel", id=pause)
    await desk.read_inbox()
    await desk.obey(order)
    assert not desk.facts.state.paused and not desk.facts.state.orders
    with Reader(desk.folder) as reader:
        done = reader.keyed("command.done", pause)
    assert done is not None and done.body.detail == "taken back before it had any effect"


async def test_what_is_being_carried_out_is_not_taken_back_any_more(desk: SlowDesk) -> None:
    pause = send(desk, "pause")
    await desk.read_inbox()
    obeying = asyncio.create_task(desk.obey(desk.facts.state.orders[pause]))
    await desk.began.wait()
    cancel = send(desk, "cancel", id=pause)
    await desk.read_inbox()
    desk.let.set()
    await obeying
    assert desk.facts.state.paused and not desk.facts.state.orders
    with Reader(desk.folder) as reader:
        refused = reader.keyed("command.refused", cancel)
    assert isinstance(refused.body, CommandRefused) and "carried out already" in refused.body.reason


async def test_whoever_comes_first_wins_when_both_come_at_once(desk: SlowDesk) -> None:
    desk.let.set()
    pause = send(desk, "pause")
    await desk.read_inbox()
    send(desk, "cancel", id=pause)
    await asyncio.gather(desk.read_inbox(), desk.obey(desk.facts.state.orders[pause]))
    assert not desk.facts.state.orders
    with Reader(desk.folder) as reader:
        done = reader.keyed("command.done", pause)
    assert done.body.ok == desk.facts.state.paused
