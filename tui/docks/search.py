"""One line of words to look for in the conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.message import Message

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

    def submit(self, text: str) -> None:
        self.post_message(SearchGiven(text))
        self.post_message(DockClosed())
