"""The frame pump draws the union of what changed, seldom, and costs nothing while nothing happens."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from enum import Flag, auto

from tui.frame import FramePump


class Part(Flag):
    ONE = auto()
    TWO = auto()
    THREE = auto()


async def until_idle(pump: FramePump[Part]) -> None:
    for _ in range(200):
        if pump.idle:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("the pump never came to rest")


async def test_many_changes_become_one_drawing_of_their_union() -> None:
    drawn: list[Part] = []
    pump = FramePump(drawn.append, rate=100)
    for _ in range(50):
        pump.mark(Part.ONE)
        pump.mark(Part.TWO)
    assert drawn == []
    await until_idle(pump)
    assert drawn == [Part.ONE | Part.TWO]


async def test_changes_during_the_pause_between_frames_are_drawn_after_it() -> None:
    drawn: list[Part] = []
    pump = FramePump(drawn.append, rate=100)
    pump.mark(Part.ONE)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert drawn == [Part.ONE]
    pump.mark(Part.TWO)
    pump.mark(Part.THREE)
    await until_idle(pump)
    assert drawn == [Part.ONE, Part.TWO | Part.THREE]


async def test_a_failing_draw_does_not_end_the_pump() -> None:
    drawn: list[Part] = []

    def draw(changes: Part) -> None:
        drawn.append(changes)
        if changes is Part.ONE:
            raise RuntimeError("bad pane")

    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))
    pump = FramePump(draw, rate=100)
    pump.mark(Part.ONE)
    await until_idle(pump)
    pump.mark(Part.TWO)
    await until_idle(pump)
    assert drawn == [Part.ONE, Part.TWO] and len(faults) == 1


async def test_a_stopped_pump_keeps_what_is_pending_for_a_flush() -> None:
    drawn: list[Part] = []
    pump = FramePump(drawn.append)
    pump.mark(Part.ONE)
    pump.stop()
    pump.mark(Part.TWO)
    await asyncio.sleep(0.01)
    assert pump.idle and drawn == []
    pump.flush()
    assert drawn == [Part.ONE | Part.TWO]


async def test_what_no_longer_stands_is_not_drawn() -> None:
    drawn: list[Part] = []
    standing = True
    pump = FramePump(drawn.append, rate=100, here=lambda: standing)
    pump.mark(Part.ONE)
    standing = False
    await until_idle(pump)
    assert drawn == []


async def test_drawing_happens_in_the_context_in_which_the_pump_was_made() -> None:
    where: ContextVar[str] = ContextVar("where", default="nowhere")
    where.set("screen")
    seen: list[str] = []
    pump: FramePump[Part] = FramePump(lambda _: seen.append(where.get()))
    where.set("elsewhere")
    pump.mark(Part.ONE)
    await asyncio.sleep(0.01)
    assert seen == ["screen"]
    pump.stop()
