"""Calls the user from the process that runs a session, while no screen attends to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from core.clock import MICROSECONDS, Clock
from core.config import NotifySettings
from core.events import Event, SessionOpened, SessionRenamed
from core.folds.fold import Dispatcher
from core.folds.needs import Need, Needs
from core.notify.attendance import Attendance
from core.notify.caller import Caller
from core.notify.note import note_of
from core.notify.rhythm import Rhythm

LOOK_EVERY_S = 5.0
"""How often, while something waits, it is looked whether a screen has left or the user has answered there."""


def doorbell(
    settings: NotifySettings,
    folder: Path,
    opened: SessionOpened,
    clock: Clock,
    environ: Mapping[str, str],
    complain: Callable[[str], None],
) -> Doorbell:
    """The doorbell of the session in `folder`."""
    attendance, caller = Attendance(folder), Caller(settings, environ)
    return Doorbell(opened, attendance, Rhythm(settings), caller, clock, complain)


class Doorbell:
    """Fed with what is committed (`observe`). `complain` is told what went wrong, a sentence at a time."""

    def __init__(
        self,
        opened: SessionOpened,
        attendance: Attendance,
        rhythm: Rhythm,
        caller: Caller,
        clock: Clock,
        complain: Callable[[str], None],
    ) -> None:
        self._session, self._name = opened.session, opened.name
        self._attendance, self._rhythm, self._caller, self._clock = attendance, rhythm, caller, clock
        self._complain = complain
        self._needs = Needs()
        self._dispatch = Dispatcher([self._needs])
        self._stirred = asyncio.Event()
        self._called: int | None = None

    def observe(self, events: Sequence[Event]) -> None:
        """Take in what was committed."""
        for event in events:
            self._dispatch.apply(event)
            if isinstance(event.body, SessionRenamed):
                self._name = event.body.name
        self._stirred.set()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """The user is called while the block runs; at its end, once about what was not called about yet."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            need = self._needs.unanswered()
            if need is not None and need.seq != self._called:
                await self._call(need)

    async def _watch(self) -> None:
        while True:
            self._stirred.clear()
            need = self._needs.unanswered()
            if need is None:
                await self._stirred.wait()
                continue
            wait_us = self._rhythm.due_us(need, 0) - self._clock.now_us()
            if wait_us <= 0:
                await self._call(need)
            await self._pause(min(LOOK_EVERY_S, max(0, wait_us) / MICROSECONDS))

    async def _call(self, need: Need) -> None:
        """Unless somebody is there, or has been since."""
        if self._attendance.last_sign_us() >= need.at_us or not self._attendance.claim():
            return
        self._attendance.release()
        self._called = need.seq
        times = self._rhythm.called(need, self._clock.now_us())
        for sentence in await self._caller.call(note_of(need, self._session, self._name, times)):
            self._complain(sentence)

    async def _pause(self, seconds: float) -> None:
        """Until then, or until something is committed."""
        alarm = asyncio.ensure_future(self._clock.alarm(seconds or LOOK_EVERY_S))
        stirred = asyncio.ensure_future(self._stirred.wait())
        try:
            await asyncio.wait({alarm, stirred}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (alarm, stirred):
                task.cancel()
            await asyncio.gather(alarm, stirred, return_exceptions=True)
