"""What no log holds, looked at again and again off the loop: the runner, the other screens, the disk, the command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from core.clock import pause_real
from core.journal.viewers import Present
from tui.screens.seats import Seats
from tui.screens.watch import WatchScreen

if TYPE_CHECKING:
    from core.tools.vitals import Pulse

RUNNER_EVERY_S = 0.5
"""Twice missed, a runner is told to be gone: that stands on the screen within two seconds."""
AROUND_EVERY_S = 1.0
PULSE_EVERY_S = 1.5


def looks(
    screen: WatchScreen,
    *,
    gone: Callable[[], str | None] | None,
    still: Callable[[], str | None] | None,
    presence: Present | None,
    free: Callable[[], int | None] | None,
    feel: Callable[[str], Awaitable[Pulse | None]] | None,
) -> Iterator[Coroutine[Any, Any, NoReturn]]:
    """What looks for the screen as long as it is there; each is left out where it is not known how."""
    if gone is not None:
        yield _look_for_the_runner(screen, gone)
    if still is not None:
        yield _look_for_life(screen, still)
    if presence is not None:
        yield _look_around(screen, presence)
    if free is not None:
        yield _watch_the_disk(screen, free)
    if feel is not None:
        yield _feel_the_pulse(screen, feel)


async def _look_for_the_runner(screen: WatchScreen, gone: Callable[[], str | None]) -> NoReturn:
    """Whether anybody runs the session."""
    while True:
        why: str | None = await asyncio.to_thread(gone)
        screen.runner_gone(why or "")
        await pause_real(RUNNER_EVERY_S)


async def _look_for_life(screen: WatchScreen, still: Callable[[], str | None]) -> NoReturn:
    """Whether whoever runs it stirs."""
    while True:
        why: str | None = await asyncio.to_thread(still)
        screen.runner_still(why or "")
        await pause_real(AROUND_EVERY_S)


async def _look_around(screen: WatchScreen, presence: Present) -> NoReturn:
    """Who else looks; a disk may be slow."""
    while True:
        screen.seats_changed(Seats(presence.viewer, await asyncio.to_thread(presence.others)))
        await pause_real(AROUND_EVERY_S)


async def _watch_the_disk(screen: WatchScreen, free: Callable[[], int | None]) -> NoReturn:
    """How much room is left."""
    while True:
        screen.room_left(await asyncio.to_thread(free))
        await pause_real(AROUND_EVERY_S)


async def _feel_the_pulse(screen: WatchScreen, feel: Callable[[str], Awaitable[Pulse | None]]) -> NoReturn:
    """How the command that runs is; asked only while one runs."""
    while True:
        call = screen.view.tool_calls.commanding()
        key = call.key if call else ""
        screen.pulse_changed(await feel(key) if key else None, key)
        await pause_real(PULSE_EVERY_S)
