"""A question of the agent: its options by number, another answer in words, or nothing for the default."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from core.folds.asking import PendingCall
from tui.docks.dock import LineDock
from tui.panes.moments import clock_time
from tui.safe import one_line, safe_text


class QuestionDock(LineDock):
    """One question at a time."""

    TITLE = "The agent asks you"
    PLACEHOLDER = "an answer, or the number of an option"
    VERB = "answer"

    def __init__(self, call: PendingCall) -> None:
        super().__init__()
        self.call = call

    def body(self) -> ComposeResult:
        yield Static(Content("\n").join(self._lines()), markup=False)
        yield from super().body()

    def _lines(self) -> list[Content]:
        asked = self.call.question
        if asked is None:
            return []
        lines = [Content(safe_text(asked.question))]
        for number, option in enumerate(asked.options, start=1):
            lines.append(Content.assemble((f"{number} ", "bold $hint-key"), one_line(option)))
        if asked.default is not None and asked.until_us is not None:
            until = f"Enter alone takes the default, which applies at {clock_time(asked.until_us)}: "
            lines.append(Content.styled(until + one_line(asked.default), "$muted"))
        return lines

    def accept(self, text: str) -> dict[str, Any]:
        asked = self.call.question
        if not text and (asked is None or asked.default is None):
            raise ValueError("Write an answer, or the number of an option.")
        return {"id": self.call.key, "text": text or (asked.default if asked else "")}
