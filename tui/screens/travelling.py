"""Moving in time: stepping, jumping, playing. The position changes; the log and the agent do not."""

from __future__ import annotations

from core.clock import monotonic
from core.folds.view import Changes
from tui.messages import SeekRequested
from tui.panes.figures import plural
from tui.screens.session_screen import SessionScreen

FRAME_S = 0.1
"""How often a playing film moves on."""


class Travelling(SessionScreen):
    """The actions of replay; in a live session the first step back enters the past, following leads out of it."""

    def on_mount(self) -> None:
        self._film_timer = self.set_interval(FRAME_S, self._film, pause=True)
        self._film_at_s = monotonic()

    def seek(self, seq: int | None) -> None:
        """Show event `seq`, or now."""
        self.looking.seek(seq)
        self.moved()

    def moved(self, changes: Changes = Changes.STATUS) -> None:
        """The position changed: draw, and let the film's clock run only while it plays."""
        self._film_at_s = monotonic()
        if self.looking.playback.playing:
            self._film_timer.resume()
        else:
            self._film_timer.pause()
        self.show_moment(changes)

    def _film(self) -> None:
        now_s = monotonic()
        passed_s, self._film_at_s = now_s - self._film_at_s, now_s
        if self.looking.tick(passed_s):
            self.show_moment(Changes.STATUS)
        if not self.looking.playback.playing:
            self.moved()

    def on_seek_requested(self, message: SeekRequested) -> None:
        message.stop()
        self.seek(message.seq)

    def _travel(self, found: bool, what: str) -> None:
        if found:
            self.moved()
        else:
            self.say(f"There is no {what} in that direction.")

    def action_play(self) -> None:
        self.looking.play_or_hold()
        self.moved()

    def action_step_back(self) -> None:
        self.looking.step(-1, monotonic())
        self.moved()

    def action_step_forward(self) -> None:
        self.looking.step(1, monotonic())
        self.moved()

    def action_previous_checkpoint(self) -> None:
        self._travel(self.looking.to_mark(("checkpoint",), -1), "checkpoint")

    def action_next_checkpoint(self) -> None:
        self._travel(self.looking.to_mark(("checkpoint",), 1), "checkpoint")

    def action_previous_mark(self) -> None:
        self._travel(self.looking.to_mark(self.looking.kinds, -1), self.looking.kind or "mark")

    def action_next_mark(self) -> None:
        self._travel(self.looking.to_mark(self.looking.kinds, 1), self.looking.kind or "mark")

    def action_mark_kind(self) -> None:
        self.looking.next_kind()
        there = plural(self.view.timeline.count(self.looking.kinds), self.looking.kind or "mark of any kind")
        self.say(f"Jumps lead to: {there}.")

    def action_previous_turn(self) -> None:
        self._travel(self.looking.to_turn(-1), "turn")

    def action_next_turn(self) -> None:
        self._travel(self.looking.to_turn(1), "turn")

    def action_to_start(self) -> None:
        self.seek(1)

    def action_slower(self) -> None:
        self._change_speed(-1)

    def action_faster(self) -> None:
        self._change_speed(1)

    def _change_speed(self, steps: int) -> None:
        self.looking.playback.change_speed(steps)
        self.show_moment(Changes.STATUS)
