"""One line of words to look for in the conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.message import Message
from textual.widgets import Input

from tui.docks.dock import LineDock
from tui.messages import DockClosed


@dataclass
class SearchGiven(Message):
    """Look for these words; none: stop marking."""

    words: str


class SearchDock(LineDock):
    """Searches, and stays out of the agent's way."""

    TITLE: ClassVar[str] = "Search the conversation"
    NOTE: ClassVar[str] = "enter finds · then n and N · empty to stop marking"

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(SearchGiven(event.value.strip()))
        self.post_message(DockClosed())
