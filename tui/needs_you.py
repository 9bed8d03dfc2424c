"""Calls the user to a session that waits for them, while they look elsewhere.

Knows no widgets: it looks at the view, the app tells it what the user does (`acted`, `focused`) and that time goes by
(`tick`), and gives it the hands to call with. Title, bell and desktop are this screen's own; command and webhook are
used by one screen of a session, and by its runner (`core.notify.doorbell`) while there is none.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from core.clock import MICROSECONDS, Clock
from core.config import NotifySettings
from core.folds.needs import Need
from core.folds.view import SessionView
from core.notify.attendance import Attendance
from core.notify.caller import Caller
from core.notify.note import Note, note_of
from core.notify.rhythm import Rhythm
from tui.attention import Attention
from tui.notify_terminal import alert, understands

SIGN_EVERY_US = MICROSECONDS
"""Keys in quick succession are one sign of the user."""


class Hands(Protocol):
    """What an app lends: its terminal, its workers, a place for a sentence."""

    def write_terminal(self, data: str) -> None: ...
    def title_terminal(self, text: str | None) -> None: ...
    def call_user(self, work: Coroutine[Any, Any, None]) -> None: ...
    def say_problem(self, text: str) -> None: ...


class NeedsYou:
    """The state of one screen. `attendance` is None where the session can't wait for anybody (a replay)."""

    def __init__(
        self,
        settings: NotifySettings,
        hands: Hands,
        attendance: Attendance | None,
        clock: Clock,
        environ: Mapping[str, str],
        view: SessionView,
    ) -> None:
        self._settings, self._hands, self._attendance = settings, hands, attendance
        self._clock, self._environ = clock, environ
        self._view = view
        self._caller = Caller(settings, environ)
        self._rhythm = Rhythm(settings)
        self.attention = Attention(clock, settings.away_s)
        self._titled = False
        self._problems: list[str] = []

    def begin(self) -> None:
        """The screen is up, so its user is here."""
        if self._attendance is not None:
            self._attendance.claim()
            self._attendance.sign(self.attention.acted_us)
        for problem in self._caller.problems:
            self._hands.say_problem(problem)

    def end(self) -> None:
        """The screen goes: the title is given back, and another one may call."""
        self._give_title_back()
        if self._attendance is not None:
            self._attendance.release()

    def acted(self) -> int:
        """A key, a click: the user is here, and has seen what waits. Microseconds since the one before."""
        idle_us = self.attention.acted()
        if self._attendance is not None and idle_us >= SIGN_EVERY_US:
            self._attendance.sign(self.attention.acted_us)
        self._returned()
        return idle_us

    def focused(self, focused: bool) -> int:
        """The terminal told that it came to the front, or went; microseconds for which it was away."""
        away_us = self.attention.focused(focused)
        if focused:
            self._returned()
        return away_us

    def tick(self) -> None:
        """Call, if it is time to. Costs nothing while nothing waits."""
        need = self._view.needs.unanswered() if self._attendance is not None else None
        if need is None or self._seen(need):
            self._give_title_back()
            return
        away_us = self.attention.away_since()
        if away_us is None:
            return
        self._title(need)
        if self._rhythm.due_us(need, away_us) <= self._clock.now_us():
            self._call(need)

    def _seen(self, need: Need) -> bool:
        """Whether the user did anything after it, at this screen or at another."""
        if self.attention.acted_us > need.at_us:
            return True
        return self._attendance is not None and self._attendance.last_sign_us() > need.at_us

    def _call(self, need: Need) -> None:
        times = self._rhythm.called(need, self._clock.now_us())
        note = self._note(need, times)
        self._hands.write_terminal(alert(note, self._settings, self._environ))
        if self._attendance is not None and self._attendance.claim():
            self._hands.call_user(self._call_outside(need, times))

    async def _call_outside(self, need: Need, times: int) -> None:
        note = self._note(need, times)
        for problem in await self._caller.call(note):
            if problem not in self._problems:
                self._problems.append(problem)

    def _note(self, need: Need, times: int) -> Note:
        return note_of(need, self._view.totals.session, self._view.totals.name, times)

    def _returned(self) -> None:
        """Somebody looks again: tell what could not be done meanwhile."""
        self._give_title_back()
        problems, self._problems = self._problems, []
        for problem in problems:
            self._hands.say_problem(problem)

    def _title(self, need: Need) -> None:
        if self._settings.title and not self._titled and understands(self._environ):
            self._titled = True
            self._hands.title_terminal(f"! {self._note(need, 1).line}")

    def _give_title_back(self) -> None:
        if self._titled:
            self._titled = False
            self._hands.title_terminal(None)
