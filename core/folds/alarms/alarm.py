"""What an alarm is, and what it is found from: the folds as of a moment, and a look at what no log holds."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from core.clock import MICROSECONDS
from core.folds.view import SessionView

FRESH = 30
"""Events after which something that has happened, and has not come again, is worth no alarm any more."""
SHORTEST = 13
"""Cells into which the shortest words of every alarm go."""
CHANGES, SINCE = "changes", "since"
"""Stand among what helps: look at what became of the files; at what happened meanwhile."""


class Look(Struct, frozen=True):
    """What is not in the log, as of now. Times in microseconds, sizes in bytes.

    `trouble` keeps the runner from working, in words. `token_us`: when the last piece of the reply in flight came, None
    while there is none. `pulse`: how the running command is, in words, and whether it `may_hang`. `gone`: that nobody
    runs the session, `still`: that whoever does gives no sign of life, both in words. `free`: room on the disk of the
    session, None where nobody knows. A model that says nothing for `silent_us` is silent, less free room than `low` is
    little.
    """

    now_us: int
    trouble: str = ""
    token_us: int | None = None
    pulse: str = ""
    may_hang: bool = False
    gone: str = ""
    still: str = ""
    free: int | None = None
    silent_us: int = 60 * MICROSECONDS
    low: int = 1024 * 1024 * 1024


class Alarm(Struct, frozen=True):
    """`words`: the same in several lengths, longest first, the last of at most `SHORTEST` cells.

    `cause` is a plain sentence or two, event `seq` where it began (0: not in the log). `helps`: what the user can do,
    the best first: verbs of controls, `CHANGES`, `SINCE`, `RESUME`. `stated`: it is the reason of the session's state.
    `apart`: another field of the status line tells it. `past`: it has happened, and is told until the user has done
    something that helps, it is long ago, or the session is over.
    """

    kind: str
    words: tuple[str, ...]
    cause: str
    seq: int = 0
    helps: tuple[str, ...] = ()
    stated: bool = False
    apart: bool = False
    past: bool = False


class Moment(NamedTuple):
    """The view as of event `at` (None: now), and what was looked at beside it (None: that is past)."""

    view: SessionView
    at: int | None
    look: Look | None

    @property
    def seq(self) -> int:
        return self.view.last_seq if self.at is None else self.at

    @property
    def now_us(self) -> int:
        return self.look.now_us if self.look else self.view.timeline.at_us(self.seq)

    def fresh(self, seq: int) -> bool:
        """Whether event `seq` is there, and not long ago."""
        return seq > 0 and self.seq - seq <= FRESH

    def answered(self, alarm: Alarm) -> bool:
        """Whether the user has given a control since that helps."""
        return any(self.view.mishaps.given(verb, alarm.seq, self.at) for verb in alarm.helps)

    @property
    def ended(self) -> bool:
        """Whether the session is over: what has happened in it is nobody's to mend any more."""
        return self.view.state.status.at(self.at).state in ("finished", "stopped", "failed")

    @property
    def running(self) -> bool:
        return self.view.state.status.at(self.at).state == "running"
