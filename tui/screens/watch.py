"""The watch screen: one session, live, attached or replayed. It holds the position and hands the view to its panes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from core.clock import MICROSECONDS
from core.events import Event
from core.folds.view import Changes
from core.protocols import LiveDelta
from tui.actions import bindings
from tui.docks.scrubber import Scrubber
from tui.frame import FramePump
from tui.messages import CallOpened, ItemOpened, PaneChosen
from tui.panes.context import ContextPane
from tui.panes.conversation import ConversationPane
from tui.panes.cost import CostPane
from tui.panes.memory import MemoryPane
from tui.panes.pane import Pane
from tui.panes.pane_tabs import PaneTabs, Tab
from tui.panes.plan import PlanPane
from tui.panes.tool_calls import ToolCallsPane
from tui.screens.searching import Searching
from tui.screens.status_facts import facts, position_content
from tui.screens.steering import Steering
from tui.screens.travelling import Travelling

PANES = ("conversation", "tool_calls", "context", "memory", "cost", "plan")
"""Ids in the order of their keys 1 to 6."""
SHEETS = PANES[2:]
SHORT_LABELS = {"conversation": "Talk", "tool_calls": "Tools"}


class WatchScreen(Searching, Travelling, Steering):
    """Status line, panes, docks, hints. Panes and docks speak to it by messages; they never know each other."""

    CSS_PATH = "watch.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (40, "-narrow"), (104, "-normal"), (160, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (12, "-short"), (36, "-tall")]
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("watch", "replay", "global"),
        Binding("left_parenthesis", "previous_turn", "turn back", show=False),
        Binding("right_parenthesis", "next_turn", "turn", show=False),
        Binding("v", "vary", "vary", show=False),
    ]

    def __init__(self, *args: Any, trouble: Callable[[], str | None], **options: Any) -> None:
        super().__init__(*args, **options)
        self._trouble = trouble
        self._front, self._sheet = "conversation", "context"
        self._start_at = options.get("start_at")
        self._ready = False

    def compose(self) -> ComposeResult:
        now_us = self.now_us
        yield StatusLine(id="status")
        yield PaneTabs(id="tabs")
        with Horizontal(id="body"):
            yield ConversationPane(id="conversation", key="1", now_us=now_us)
            with Vertical(id="side"):
                yield ToolCallsPane(id="tool_calls", key="2", now_us=now_us)
                yield PaneTabs(id="side-tabs")
                with Container(id="sheets"):
                    yield ContextPane(id="context", key="3")
                    yield CostPane(id="cost", key="5")
                    yield PlanPane(id="plan", key="6")
                    yield MemoryPane(id="memory", key="4")
        yield Scrubber(id="scrubber")
        yield Vertical(id="dock")
        yield HintBar(id="hints")
        yield Static(self._too_small(), id="too-small")

    @staticmethod
    def _too_small() -> Content:
        return Content("Longwatch needs 40x12 cells. The agent goes on; make the terminal larger, or press q to leave.")
