"""The time in which a session is shown: of the wall clock, or, where the session's own time is virtual, of its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.clock import Clock
from core.events import VIRTUAL_TIME

if TYPE_CHECKING:
    from core.folds.view import SessionView


class SessionTime:
    """A clock to read. `view`: the session that is shown; without one it is the other clock's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.view: SessionView | None = None

    def now_us(self) -> int:
        opened = self.view.state.opened if self.view else None
        if self.view is None or opened is None or not opened.settings.get(VIRTUAL_TIME):
            return self._clock.now_us()
        return self.view.timeline.at_us(self.view.last_seq)

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def asleep_us(self) -> int:
        return self._clock.asleep_us()

    async def alarm(self, seconds: float) -> None:
        await self._clock.alarm(seconds)
