"""A long log being read: its end is shown at once, and what only all of it can tell is said to be unknown yet."""

from __future__ import annotations

from typing import Any, Final

from core.folds.tail import Tail
from core.folds.view import Changes, SessionView
from tui.actions import ACTIONS
from tui.messages import ItemOpened
from tui.panes import figures
from tui.panes.pane import Pane
from tui.screens.gauging import Gauging
from tui.screens.returning import Returning

AT_ONCE: Final = frozenset(
    {
        *("pause", "guide", "interrupt", "retry-now", "stop", "drive", "detach", "leave", "bookmark", "rename"),
        *("after-reboot", "bytes", "follow", "vary", "fold", "times", "copy", "zoom", "next-pane", "previous-pane"),
        *("pane-conversation", "pane-tools", "pane-context", "pane-memory", "pane-cost", "pane-plan"),
    }
)
"""Ids of the actions that the end of a log is enough for."""
_WAITING: Final = {action.method: action for action in ACTIONS if action.scope == "watch" and action.id not in AT_ONCE}


class Opening(Gauging, Returning):
    """Stands in for the view by the tail until all is read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.is_read = False
        """Whether all that was there at first is read, so that any moment of it can be shown."""
        self.read_so_far = ""
        """How much of a long log that is, in words; empty once it is all."""
        self._whole, self._nothing = self.view, SessionView()

    def view_for(self, pane: Pane) -> SessionView:
        """What a pane can show: the end of a log is enough for the conversation alone."""
        return self.view if self.tail is None or pane is self.conversation else self._nothing

    def glimpse(self, tail: Tail) -> None:
        """The end of the log, for the first time or with more of it."""
        if self.is_read:
            return
        self.tail, self.view = tail, tail.view
        self.show_moment(Changes.CONVERSATION | Changes.STATUS)
        self.raise_curtain()

    def reading(self, seq: int, of: int) -> None:
        """So far the log is read, of so many events."""
        if not self.is_read and of:
            self.read_so_far = f"{figures.percent(seq / of)} of {of:,} events"
            if self.tail is None:
                self.glimpse(Tail())
            self.conversation.reading(self.read_so_far)

    def caught_up(self) -> None:
        """All that was there is read: show it, a replay from where it is to start."""
        if not self.is_read:
            self.is_read, self.tail, self.view, self.read_so_far = True, None, self._whole, ""
            self.conversation.reading("")
            self._start_looking()
            self.moved(Changes.ALL)
            self.raise_curtain()
            self.greet()

    def _start_looking(self) -> None:
        """Where one looks first: a replay plays from its start unless it was asked for a moment."""
        if self.replay and self.looking.chosen is None:
            self.looking.seek(1)
            self.looking.play_or_hold()
        else:
            self.looking.seek(self.looking.chosen if self.replay else None)

    def too_early(self, action: str) -> bool:
        """Whether what a key asks for needs all of the log, which is said then."""
        method = action.rpartition(".")[2].partition("(")[0]
        waiting = _WAITING.get(method) if self.tail is not None else None
        if waiting is not None:
            self.say_too_early(waiting.label)
        return waiting is not None

    def say_too_early(self, what: str) -> None:
        self.say(f"Not yet: {what} needs all of the log. Read so far: {self.read_so_far or 'nothing'}.")

    def on_item_opened(self, message: ItemOpened) -> None:
        if self.tail is not None:
            message.stop()
            message.prevent_default()
            self.say_too_early("to open it")
