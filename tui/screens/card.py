"""What stands before a film that came as a file: who made it and when, what it holds, what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from tui.safe import one_line, safe_text
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel
from tui.widgets.rows import TextRows


class CardScreen(ModalScreen[None]):
    """Its first line is the title; any of the keys named below begins the film."""

    DEFAULT_CSS = """
    CardScreen { align: center middle; background: $background 60%; }
    CardScreen > Vertical { width: 100%; max-width: 100; height: auto; max-height: 94%; background: $surface;
        border: round $primary; }
    CardScreen .card--title { padding: 0 1; text-style: bold; color: $primary; margin-bottom: 1; }
    CardScreen LineList { height: auto; max-height: 24; min-height: 6; padding: 0 1; }
    """
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,escape,space", "begin", "show", show=False),
        Binding("q", "leave", "leave", show=False),
    ]

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__()
        self._lines = [safe_text(" ".join(line.splitlines())) for line in lines]

    def compose(self) -> ComposeResult:
        rows = TextRows()
        for line in self._lines[1:]:
            rows.append(line)
        with Vertical():
            yield LiveLabel(one_line(self._lines[0]), classes="card--title")
            yield LineList(rows)
            yield HintBar()

    def on_mount(self) -> None:
        hints = (Hint("enter", "show the film", "screen.begin"), Hint("q", "leave", "screen.leave"))
        self.query_one(HintBar).show(hints)
        lines = self.query_one(LineList)
        lines.can_focus = False  # Its own keys would come first.
        lines.styles.height = min(24, len(self._lines))
        self.call_after_refresh(self.query_one(LineList).hold_at, 0)

    def action_begin(self) -> None:
        self.dismiss(None)

    def action_leave(self) -> None:
        self.app.exit("quit")
