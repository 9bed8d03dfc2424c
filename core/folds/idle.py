"""How long the session stood still, as of any event: paused, ended, with nobody who ran it, or its machine asleep."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from core.events import Event, MachineSlept
from core.folds.fold import Handler, Series
from core.folds.timeline import Timeline


class _Standing(Struct, frozen=True):
    """Microseconds stood still before, and since when it stands now (None: it does not)."""

    before_us: int = 0
    since_us: int | None = None


class Idle:
    """Time in which nothing could be done without the user; waiting for a retry or for the model is none."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._standing: Series[_Standing] = Series(_Standing())

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.paused": self._stopped,
            "session.finished": self._stopped,
            "session.continued": self._continued,
            "runner.attached": self._attached,
            "machine.slept": self._slept,
        }

    def until_us(self, at: int | None = None) -> int:
        """Microseconds that the session had stood still when event `at` happened (None: the last one)."""
        now_us = self._timeline.at_us(len(self._timeline.times) if at is None else at)
        standing = self._standing.at(at)
        return standing.before_us + (0 if standing.since_us is None else now_us - standing.since_us)

    def _stopped(self, event: Event) -> None:
        if self._standing.last.since_us is None:
            since_us = self._timeline.at_us(event.seq)
            self._standing.append(event.seq, replace(self._standing.last, since_us=since_us))

    def _continued(self, event: Event) -> None:
        self._standing.append(event.seq, _Standing(self.until_us(event.seq)))

    def _slept(self, event: Event) -> None:
        last = self._standing.last
        if isinstance(event.body, MachineSlept) and last.since_us is None:
            gap_us = self._timeline.at_us(event.seq) - self._timeline.at_us(event.seq - 1)
            self._standing.append(event.seq, _Standing(last.before_us + min(event.body.us, gap_us)))

    def _attached(self, event: Event) -> None:
        """Whoever ran the session before was gone since the event before, unless it stood still anyway."""
        last = self._standing.last
        if last.since_us is None:
            gone_us = self._timeline.at_us(event.seq) - self._timeline.at_us(event.seq - 1)
            self._standing.append(event.seq, _Standing(last.before_us + gone_us))
