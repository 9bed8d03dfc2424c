"""The end of a long log before the rest of it is read: what it says is true, and what it can't know it leaves out."""

from __future__ import annotations

from collections.abc import Iterable

from core.events import Event, ModelRequested
from core.folds.costs import MAIN
from core.folds.fold import Dispatcher
from core.folds.totals import Totals
from core.folds.view import SessionView


class Tail:
    """A view of which only what the end of a log tells is filled in.

    That is the conversation there, the calls that it shows (their numbers are not those of the session), the state, the
    context and the time. `totals` are the counters of the whole session, None where they are not known.
    """

    def __init__(self) -> None:
        self.view = SessionView()
        self.totals: Totals | None = None
        self.tells_state = False
        """Whether the end begins before a request that was made as it ran: what came before it changes nothing."""
        view = self.view
        self._dispatch = Dispatcher((view.branches, view.state, view.conversation, view.tool_calls, view.context))

    @property
    def last_seq(self) -> int:
        return self.view.last_seq

    def apply_all(self, events: Iterable[Event]) -> None:
        """Take in events in order; of those before the end only what tells the state need be among them."""
        timeline, state = self.view.timeline, self.view.state
        for event in events:
            timeline.skip_to(event.seq)
            timeline.observe(event)
            state.observe(event)
            self._dispatch.apply(event)
            if isinstance(event.body, ModelRequested) and event.body.purpose == MAIN:
                self.tells_state |= state.status.last.state == "running"
            if event.kind == "tool.finished" and (call := self.view.tool_calls.get(event.key)) is not None:
                call.repeats = None  # It is known as one of the tail at most.

    def count(self, totals: Totals, events: Iterable[Event]) -> None:
        """Go on with the counters up to where the tail ends."""
        dispatch = Dispatcher((totals,))
        for event in events:
            totals.observe(event)
            dispatch.apply(event)
        self.totals = totals if totals.seq == self.last_seq else None
