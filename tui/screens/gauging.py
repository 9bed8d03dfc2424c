"""What the screen says of the session as a whole: the status line, and the strip of all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.content import Content

from core.clock import MICROSECONDS, monotonic
from core.config import ScreenSettings
from core.folds.alarms.alarm import Alarm, Look
from core.folds.alarms.finding import alarms
from tui.docks.scrubber import Scrubber
from tui.line_meter import LineMeter
from tui.line_speed import SECONDS_A_TICK, UNHURRIED_S, LinedApp, LineSpeed
from tui.screens.session_screen import SessionScreen
from tui.screens.state_line import state_forms
from tui.screens.status_facts import NOT_READ, Said, facts, first_facts, line_words
from tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from core.tools.vitals import Pulse

SECOND_S = 1.0
ASK_EVERY_S = 15.0
"""Seconds between two questions that only measure the line, each of some twenty bytes; none while nothing is sent."""
SLOW = (
    "The line to this terminal is slow ({:.1f} s there and back): fewer colours, a frame a second. "
    "`thrifty` under [screen] in the configuration changes that."
)
NEAR = LineSpeed(far=False)
GAUGES = frozenset(("persisted", "rate"))
"""Fields that follow the events at their leisure, as the strip does: each of their moves is sent."""
AT_LEISURE_S = 5.0
"""A cell of the strip is minutes of the session."""


class Gauging(SessionScreen):
    """Keeps the status line and the strip. `trouble` says in a sentence what keeps the runner from working."""

    def __init__(
        self,
        *args: Any,
        trouble: Callable[[], str | None] = lambda: None,
        screen: ScreenSettings | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._trouble = trouble
        self.settings = screen or ScreenSettings()
        self.alarms: list[Alarm] = []
        """What is wrong, as far as the status line knows, the most pressing first."""
        self._room: int | None = None
        self._pulse: Pulse | None = None
        self._pulse_of = ""
        self._token_us: int | None = None
        self._meter, self._metered = LineMeter(), False
        self._gauged_s = self._asked_s = float("-inf")
        self._gauged_at: tuple[int, bool, float] | None = None
        self._seconds, self._was_thrifty = 0, False

    def _real_now_us(self) -> int:
        """The time of the cache, which ages also while a session is paused or over: somebody may continue it."""
        return max(self.view.timeline.at_us(self.view.last_seq), self.clock.now_us())

    def show_gauges(self, *, now: bool) -> None:
        """The whole line, and the strip; what need not move with every event only at its leisure, or `now`.

        A position in the past that has moved is shown at once.
        """
        film = self.looking.playback
        position = (self.looking.seq, film.playing, film.speed) if self.looking.back else None
        leisure_s = UNHURRIED_S if self.line.thrifty else AT_LEISURE_S
        due = now or position != self._gauged_at or monotonic() - self._gauged_s >= leisure_s
        if due:
            self._gauged_at, self._gauged_s = position, monotonic()
            back = self.looking.seq if self.looking.back else None
            if self.tail is None:
                self.query_one(Scrubber).show(self.view, back, self.looking.playback)
        self._show_status(gauges=due)

    def _show_status(self, *, gauges: bool = True) -> None:
        line, at, now_us = self.query_one(StatusLine), self.looking.at, self.now_us()
        self.alarms = self.look_for_alarms()
        alarm = self._pressing_alarm()
        line.set("state", *self._state(at, now_us), urgent=alarm is not None and len(alarm.words) > 1)
        for name, said in self._facts(at, now_us).items():
            if gauges or name not in GAUGES:
                line.set(name, *said[:3], urgent=said.pressing)
        sent = line_words(self._meter.total, self._meter.per_minute, thrifty=self.line.thrifty)
        line.set("bytes", *(sent[:3] if self._metered else ("",)))
        line.set("seats", *self.seats.words(self.view.state.driver))

    def _state(self, at: int | None, now_us: int) -> list[Content]:
        if self.tail is not None and not self.tail.tells_state:
            return [NOT_READ]
        alarm, pulse = self._pressing_alarm(), self.pulse.words if self.pulse else ""
        return state_forms(self.view, at, now_us, alarm, replay=self.replay, pulse=pulse)

    def _pressing_alarm(self) -> Alarm | None:
        """The most pressing alarm of those that stand beside the state."""
        return next((alarm for alarm in self.alarms if not alarm.apart), None)

    def _facts(self, at: int | None, now_us: int) -> dict[str, Said]:
        if self.tail is not None:
            return first_facts(self.tail, now_us, self._real_now_us(), self._token_us)
        found = facts(self.view, at, now_us, self._real_now_us(), self._token_us)
        if self.replay and (at is not None or self.ended):
            found["needs"] = Said("")  # in a film there is nobody to answer
        return found

    def look_for_alarms(self) -> list[Alarm]:
        """What is wrong at the moment that is shown; of a log of which only the end was read it is not known."""
        return [] if self.tail is not None else alarms(self.view, self.looking.at, self._look())

    @property
    def pulse(self) -> Pulse | None:
        """How the command is that runs now; None where none runs, or it was not looked at yet."""
        call = self.view.tool_calls.commanding()
        return self._pulse if call is not None and call.key == self._pulse_of and not self.ended else None

    def _look(self) -> Look | None:
        """What is not in the log, as of now; nothing of it concerns a recording."""
        if self.replay:
            return None
        pulse, screen = self.pulse, self.settings
        return Look(
            self._real_now_us(),
            trouble=self._trouble() or "",
            token_us=self._token_us,
            pulse=pulse.words if pulse else "",
            may_hang=bool(pulse and pulse.may_hang),
            gone=self.orphaned,
            still=self.still,
            free=self._room,
            silent_us=int(screen.silent_s * MICROSECONDS),
            low=screen.low_disk_mb * 1024 * 1024,
        )

    def room_left(self, free: int | None) -> None:
        """So many bytes are free on the disk of the session."""
        self._room = free

    @property
    def line(self) -> LineSpeed:
        """The line to the terminal."""
        return self.app.line if isinstance(self.app, LinedApp) else NEAR

    @property
    def ticks(self) -> bool:
        """Whether running clocks move in this second."""
        self._seconds += 1
        return not self.line.thrifty or self._seconds % SECONDS_A_TICK == 0

    def _mind_the_line(self) -> None:
        """Count what it carried; ask now and then how long it takes, where that matters; say once that it is slow."""
        if isinstance(self.app, LinedApp):
            moved = self.app.bytes_sent != self._meter.total
            self._meter.note(self.clock.now_us(), self.app.bytes_sent)
            if moved and self.line.far and monotonic() - self._asked_s >= ASK_EVERY_S:
                self._asked_s = monotonic()
                self.call_after_refresh(self.app.sight)
        before, self._was_thrifty = self._was_thrifty, self.line.thrifty
        if self._was_thrifty and not before and self.line.thrift == "auto":
            self.notify(SLOW.format(self.line.delay_s), markup=False, timeout=15)

    def action_bytes(self) -> None:
        """What goes to the terminal, in the status line, or no more."""
        self._metered = not self._metered
        self._show_status()
