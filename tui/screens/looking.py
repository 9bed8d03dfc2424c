"""Which moment is on the screen: now, or as of an event; and every way to move from one to another."""

from __future__ import annotations

from collections.abc import Sequence

from core.folds.timeline import KINDS
from core.folds.view import SessionView
from tui.docks.playback import Playback

ANY = tuple(kind for kind in KINDS if kind != "checkpoint")
"""Marks that tell something: checkpoints come before every change."""
HELD_WITHIN_S = 0.12
"""Key presses closer than this come from a key that is held."""


class Looking:
    """The position: `at` is None for LIVE. In a replay there is no live end, only the last event, which is another one
    as long as the session goes on."""

    def __init__(self, view: SessionView, *, replay: bool, at: int | None = None, speed: float | None = None) -> None:
        self._view = view
        self._replay = replay
        self._last_press_s, self._streak = 0.0, 0
        self.playback = Playback(view.timeline, speed or 10.0)
        self.chosen: int | None = at
        """The event that was gone to; None: the newest, whichever that is."""
        self.kind = ""

    @property
    def at(self) -> int | None:
        """The event that is shown; None: now."""
        return self._view.last_seq or None if self._replay and self.chosen is None else self.chosen

    @property
    def seq(self) -> int:
        """The event that is shown, also when that is the newest one."""
        return self._view.last_seq if self.at is None else self.at

    @property
    def back(self) -> bool:
        """Whether the past is shown (a replay always shows it)."""
        return self._replay or self.at is not None

    def seek(self, seq: int | None) -> None:
        """Show event `seq`, or now; the newest event and what is beyond it is now."""
        if seq is None or seq >= self._view.last_seq:
            self.chosen = None
            self.playback.playing = False
        else:
            self.chosen = max(seq, 1)

    def step(self, direction: int, now_s: float) -> None:
        """One event on or back; more at a time while the key is held."""
        held = now_s - self._last_press_s < HELD_WITHIN_S
        self._streak = self._streak + 1 if held else 0
        self._last_press_s = now_s
        self.playback.playing = False
        self.seek(max(1, self.seq + direction * (1 << min(self._streak // 8, 6))))

    @property
    def kinds(self) -> Sequence[str]:
        """The kinds of marks that jumps lead to."""
        return (self.kind,) if self.kind else ANY

    def next_kind(self) -> None:
        """Jumps lead to marks of another kind: each alone, and all that tell something (empty)."""
        kinds = ["", *KINDS]
        self.kind = kinds[(kinds.index(self.kind) + 1) % len(kinds)]

    def to_mark(self, kinds: Sequence[str], direction: int) -> bool:
        """The next or previous mark of one of those kinds; False when there is none."""
        go = self._view.timeline.next if direction > 0 else self._view.timeline.previous
        found = [seq for kind in kinds if (seq := go(kind, self.seq)) is not None]
        return self._jump((min if direction > 0 else max)(found, default=None))

    def to_turn(self, direction: int) -> bool:
        """The next or previous reply; False when there is none."""
        seqs = self._view.costs.turns()
        later = [seq for seq in seqs if seq > self.seq]
        earlier = [seq for seq in seqs if seq < self.seq]
        return self._jump((later[0] if later else None) if direction > 0 else (earlier[-1] if earlier else None))

    def _jump(self, seq: int | None) -> bool:
        if seq is not None:
            self.playback.playing = False
            self.seek(seq)
        return seq is not None

    def play_or_hold(self) -> None:
        """Start or stop the film."""
        self.chosen = self.playback.toggle(self.seq)

    def tick(self, real_s: float) -> bool:
        """Let the film run on; whether the moment changed."""
        if not self.playback.playing or self.at is None:
            return False
        before = self.at
        after = self.playback.advance(before, real_s)
        self.seek(after)
        return self.at != before
