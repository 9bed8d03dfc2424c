"""Whether somebody looks at this screen, and how far the session was seen, as far as that can be known."""

from __future__ import annotations

from typing import Protocol

from core.clock import MICROSECONDS, Clock


class Attention:
    """Keys, clicks and what the terminal tells of its focus. A terminal that never tells is away after `away_s`."""

    def __init__(self, clock: Clock, away_s: float) -> None:
        self._clock, self._away_us = clock, int(away_s * MICROSECONDS)
        self._left_us = clock.now_us()
        self.acted_us = clock.now_us()
        """When the user last did something here."""
        self.tells_focus = False
        """Whether the terminal has ever told of its focus."""
        self._focused = True
        self._asleep_us = clock.asleep_us()

    def acted(self) -> int:
        """A key, a click; microseconds since the one before."""
        before, self.acted_us = self.acted_us, self._clock.now_us()
        return self.acted_us - before

    def slept(self) -> int:
        """Microseconds that the machine has slept since this was asked last: nobody looks at a closed lid."""
        before, self._asleep_us = self._asleep_us, self._clock.asleep_us()
        return self._asleep_us - before

    def focused(self, focused: bool) -> int:
        """The terminal came to the front, or went; microseconds for which it was away."""
        was, self._focused, self.tells_focus = self._focused, focused, True
        if not focused:
            self._left_us = self._clock.now_us()
        return self._clock.now_us() - self._left_us if focused and not was else 0

    def away_since(self) -> int | None:
        """Since when nobody looks; None while somebody does."""
        if self.tells_focus:
            return None if self._focused else self._left_us
        gone_us = self.acted_us + self._away_us
        return gone_us if self._clock.now_us() >= gone_us else None


class SeenMark(Protocol):
    """Where it is kept how far a session was seen, between one screen and the next. Both block, for an instant."""

    def read(self) -> tuple[int, int]:
        """Everything up to this event was seen, last at that time (microseconds UTC); zeros: nothing ever was."""
        ...

    def note(self, seq: int) -> None:
        """Everything up to `seq` has been shown."""
        ...


class Sight:
    """How far the session was seen. An absence begins where it ended, and `since` stays there until the next one."""

    def __init__(self, mark: SeenMark | None = None) -> None:
        self.mark = mark
        self.since, self.left_us = mark.read() if mark is not None else (0, 0)
        """The event after which the last absence began, and when; zeros: nothing was ever seen."""
        self.seen = self.since

    def shown(self, seq: int) -> None:
        """Everything up to `seq` was on the screen, and somebody looked."""
        self.seen = max(self.seen, seq)

    def keep(self) -> None:
        """Note it for the next screen, which may be another process. Blocks, for an instant."""
        if self.mark is not None and self.seen:
            self.mark.note(self.seen)

    def left(self, at_us: int) -> None:
        """From here on nobody looks."""
        self.since, self.left_us = self.seen, at_us
