"""Where a replay stands and how it moves on: recorded times, with the waits that nobody wants to sit through cut."""

from __future__ import annotations

from core.clock import MICROSECONDS
from core.folds.timeline import Timeline

SPEEDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
LONGEST_GAP_S = 2.0
"""A pause in the recording never takes longer than this at speed 1."""
UNTIMED_GAP_S = 1.0
"""From event to event where the log tells no times, at speed 1."""


class Playback:
    """A position in a timeline that is played at a speed; pure, told how much real time has passed."""

    def __init__(self, timeline: Timeline, speed: float = 10.0) -> None:
        self._timeline = timeline
        self._ahead_s = 0.0
        self.speed = min(SPEEDS, key=lambda known: abs(known - speed))
        self.playing = False

    @property
    def last(self) -> int:
        return len(self._timeline.times)

    def toggle(self, seq: int) -> int:
        """Play or hold; played from the end it starts over. The position to show."""
        self.playing = not self.playing
        self._ahead_s = 0.0
        return 1 if self.playing and seq >= self.last else seq

    def change_speed(self, steps: int) -> None:
        """Faster or slower by so many notches."""
        index = SPEEDS.index(self.speed) + steps
        self.speed = SPEEDS[min(max(index, 0), len(SPEEDS) - 1)]

    def advance(self, seq: int, real_s: float) -> int:
        """The position after `real_s` more seconds; holds at the end."""
        self._ahead_s += real_s * self.speed
        times = self._timeline.times
        while seq < len(times):
            gap_s = min(LONGEST_GAP_S, (times[seq] - times[seq - 1]) / MICROSECONDS) if times[seq] else UNTIMED_GAP_S
            if gap_s > self._ahead_s:
                return seq
            self._ahead_s -= gap_s
            seq += 1
        self.playing = False
        return seq
