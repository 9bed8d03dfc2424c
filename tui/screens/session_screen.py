"""What every part of the watch screen stands on: the view, the position in it, and how to say something."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.reactive import Reactive
from textual.widget import Widget

from core.clock import Clock
from core.folds.tail import Tail
from core.folds.view import Changes, SessionView
from core.protocols import Controls, Source
from tui.curtain import CurtainScreen
from tui.safe import one_line
from tui.screens.looking import Looking
from tui.screens.orders import Orders
from tui.screens.seats import Seats

ENDED: frozenset[str] = frozenset({"finished", "stopped", "failed"})

COMPRESSING: frozenset[str] = frozenset({"compress", "evict"})
"""Controls that may end in a compression."""


class SessionScreen(CurtainScreen):
    """State that the parts share; what they call on each other is declared here."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """As in any screen; but who gets the focus, or loses it, paints that, and not the whole screen."""

    def __init__(
        self,
        view: SessionView,
        source: Source,
        controls: Controls,
        *,
        replay: bool,
        clock: Clock,
        start_at: int | None = None,
        speed: float | None = None,
        hand_over: Callable[[], Awaitable[str]] | None = None,
        fork: Callable[[int, str], Awaitable[str]] | None = None,
        films: Callable[[str], tuple[Source, Controls] | None] = lambda session: None,
    ) -> None:
        super().__init__()
        self.view, self.source, self.controls = view, source, controls
        self.replay, self.clock = replay, clock
        self.looking = Looking(view, replay=replay, at=start_at, speed=speed)
        self.orders = Orders(self.outcome)
        self.hand_over = hand_over or self._unmoved
        self.fork = fork or self._unforked
        self.films = films
        """A way into the log of another session, by its id; None where that is not here."""
        self.seats = Seats()
        self.tail: Tail | None = None
        """The end of the log in place of the view, while the rest of a long log is read."""
        self.orphaned = ""
        """Says that the session was cut off: its runner is gone without a last word."""
        self.still = ""
        """Says that its runner is there and gives no sign of life."""

    async def _unmoved(self) -> str:
        return "Nobody runs this session, so there is nothing to hand over."

    async def _unforked(self, seq: int, name: str) -> str:
        raise RuntimeError("this is a file, not a session of yours; `longwatch import` makes one of it.")

    @property
    def ended(self) -> bool:
        """Whether the session is over, as far as the log says."""
        return self.view.state.status.last.state in ENDED

    @property
    def driver(self) -> str:
        """Who drives in place of this screen; empty when it may steer."""
        return self.seats.driver(self.view.state.driver)

    def may_steer(self) -> bool:
        """Whether this screen may steer; says why when not."""
        if not self.controls.available:
            self.say("This is a recording: there is no agent to steer.", wrong=True)
        elif self.driver:
            self.say(f"{self.driver} drives this session. {self.wheel_key} takes the wheel.", wrong=True)
        else:
            return True
        return False

    @property
    def wheel_key(self) -> str:
        """The key by which the wheel is taken, as it is printed."""
        raise NotImplementedError

    def now_us(self) -> int:
        """The journal time that is shown: of the event looked at, else now; it stops with the session's end."""
        at, timeline, status = self.looking.at, self.view.timeline, self.view.state.status
        if status.at(at).state in ENDED:
            return timeline.at_us(status.since(at))
        newest = timeline.at_us(self.view.last_seq if at is None else at)
        still = at is not None or self.view.state.paused or self.orphaned or not newest
        return newest if still else max(newest, self.clock.now_us())

    def outcome(self, verb: str, since: int) -> str:
        """The compression that a control led to after event `since`, as a sentence; empty when there was none."""
        compressions = self.view.context.compressions if verb in COMPRESSING else []
        if not compressions or compressions[-1][0] <= since:
            return ""
        _seq, before, after = compressions[-1]
        return f"Compressed: {before:,} → {after:,} tokens. u takes it back."

    def show_moment(self, changes: Changes = Changes.ALL) -> None:
        """Draw what concerns `changes` as of the position."""
        raise NotImplementedError

    def say(self, text: str, *, wrong: bool = False) -> None:
        """A short message that goes away by itself."""
        self.notify(one_line(text), severity="warning" if wrong else "information", markup=False, timeout=6)

    async def give(self, verb: str, args: dict[str, Any] | None = None, head: int | None = None) -> None:
        """Send a control, meant for `head` (None: as the log is now); it is pending until the log echoes it."""
        if verb != "drive" and not self.may_steer():
            return
        try:
            id = await self.controls.send(verb, args or {}, self.view.state.head if head is None else head)
        except Exception as fault:
            self.say(f"{verb} could not be sent: {fault}", wrong=True)
            return
        verdict = self.orders.sent(id, verb)
        if verdict is not None:
            self.say(verdict.text, wrong=not verdict.ok)
        self.show_moment(Changes.STATUS)
