"""One line of words: to look for in the conversation, or to narrow the calls by while one types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.message import Message
from textual.widgets import Input

from tui.docks.dock import Keys, LineDock
from tui.messages import DockClosed


@dataclass
class SearchGiven(Message):
    """Look for these words; none: stop marking."""

    words: str


@dataclass
class CallsNarrowed(Message):
    """Show only calls that have all of these words; none: every call."""

    words: str


class SearchDock(LineDock):
    """Searches, and stays out of the agent's way."""

    TITLE: ClassVar[str] = "Search the conversation"
    KEYS: ClassVar[Keys] = (("enter", "find, then n and N"), ("esc", "close"))
    PLACEHOLDER: ClassVar[str] = "words · nothing to stop marking"

    def submit(self, text: str) -> None:
        self.post_message(SearchGiven(text))
        self.post_message(DockClosed())


class NarrowDock(LineDock):
    """Narrows the tool calls as one types."""

    TITLE: ClassVar[str] = "Only calls with these words"
    KEYS: ClassVar[Keys] = (("enter", "keep it"), ("esc", "as before"))
    PLACEHOLDER: ClassVar[str] = "words of a tool's name, a path, a command · nothing for all"

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(CallsNarrowed(event.value.strip()))

    def action_close(self) -> None:
        self.post_message(CallsNarrowed(self._value))
        super().action_close()

    def submit(self, text: str) -> None:
        self.post_message(DockClosed())
