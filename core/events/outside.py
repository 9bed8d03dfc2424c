"""Bodies of what happens around a session: to the machine that it runs on, and to the screens that look at it."""

from __future__ import annotations

from core.events.envelope import Body, Seconds, kind


@kind("machine.slept")
class MachineSlept(Body, frozen=True):
    """The machine of the runner slept for so many seconds until now, as a closed laptop does: nothing went on."""

    seconds: Seconds

    @property
    def us(self) -> int:
        """The same in microseconds."""
        return int(self.seconds * 1_000_000)


@kind("screen.lost")
class ScreenLost(Body, frozen=True):
    """The screen `viewer` has gone without being left: its terminal or its line broke, or it was killed.

    `who`: whose it was and where; `others` still looked then.
    """

    viewer: str
    who: str
    others: int = 0


@kind("screen.came")
class ScreenCame(Body, frozen=True):
    """The first screen that looks again after one was lost and nobody looked any more."""

    viewer: str
    who: str
