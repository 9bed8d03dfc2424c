"""Where to go back to: the checkpoints of this branch, newest first, each with what lies between it and now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from core.folds.checkpoints import Checkpoint
from core.folds.view import SessionView
from core.folds.words import one_line
from tui.docks.dock import Dock, title_line
from tui.panes import figures
from tui.panes.sheet_lines import MUTED, clip, fit
from tui.safe import safe_text

ROWS = 7
"""Checkpoints in sight at once; the list scrolls with the cursor."""
LABEL_CELLS = 40
"""Room that the label has before the times give way."""


@dataclass(frozen=True, slots=True)
class Between:
    """What would be left behind by going back to a checkpoint."""

    turns: int
    calls: int
    files: tuple[str, ...]
    commands: tuple[str, ...]


def between(view: SessionView, checkpoint: Checkpoint) -> Between:
    """Everything on the current branch after the checkpoint's boundary."""
    spans = [span for span in view.branches.spans() if span.last > checkpoint.boundary]

    def left_behind(seq: int) -> bool:
        return seq > checkpoint.boundary and any(first <= seq <= last for first, last in spans)

    calls = [call for call in view.tool_calls.rows if left_behind(call.seq)]
    paths = dict.fromkeys(change.path for call in calls for change in call.files)
    return Between(
        turns=sum(map(left_behind, view.costs.turns())),
        calls=len(calls),
        files=tuple(paths),
        commands=tuple(view.checkpoints.commands_since(checkpoint.boundary)),
    )


class RewindDock(Dock, can_focus=True):
    """Pick with the arrows, then 1, 2 or 3; nothing happens before one of them is pressed."""

    TITLE = "Rewind"
    KEYS = (("↑↓", "choose"), ("1", "both"), ("2", "conversation"), ("3", "files"), ("esc", "close"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "move(-7)", show=False),
        Binding("pagedown", "move(7)", show=False),
        Binding("1", "rewind(True, True)", show=False),
        Binding("2", "rewind(True, False)", show=False),
        Binding("3", "rewind(False, True)", show=False),
    ]

    def __init__(self, view: SessionView) -> None:
        super().__init__()
        self._view = view
        self._checkpoints = view.checkpoints.on_branch()[::-1]
        self._cursor = 0
        self._fault = ""

    def title(self) -> Content:
        return title_line(self.TITLE, "to a checkpoint: the conversation, the files, or both")

    def body(self) -> ComposeResult:
        width = self._width()
        yield Static(self._list(width), markup=False, classes="dock--list")
        yield Static(self._facts(width), markup=False, classes="dock--facts")

    def on_resize(self) -> None:
        self._draw()

    def action_move(self, steps: int) -> None:
        """Up or down the list."""
        self._fault = ""
        self._cursor = min(max(self._cursor + steps, 0), max(0, len(self._checkpoints) - 1))
        self._draw()

    def action_rewind(self, conversation: bool, files: bool) -> None:
        """Go back to the chosen checkpoint."""
        if not self._checkpoints:
            return
        chosen = self._checkpoints[self._cursor]
        if files and chosen.tree is None:
            self._fault = "This checkpoint has no snapshot of the files: only 2 is possible."
            self._draw()
            return
        self.give("rewind", to=chosen.boundary, files=files, conversation=conversation)

    def _width(self) -> int:
        return max(20, self.app.size.width - 2)

    def _draw(self) -> None:
        self.query_one(".dock--list", Static).update(self._list(self._width()))
        facts = self.query_one(".dock--facts", Static)
        facts.update(self._facts(self._width()))
        facts.set_class(not self._checkpoints, "-empty")

    def _list(self, width: int) -> Content:
        if not self._checkpoints:
            return Content.styled("No checkpoint yet: nothing on this branch has changed a file.", MUTED)
        top = max(0, min(self._cursor - ROWS // 2, len(self._checkpoints) - ROWS))
        shown = range(top, min(top + ROWS, len(self._checkpoints)))
        return Content("\n").join([self._row(index, width) for index in shown])

    def _facts(self, width: int) -> Content:
        if self._fault or not self._checkpoints:
            return Content.styled(self._fault, "$error")
        return facts_lines(between(self._view, self._checkpoints[self._cursor]), width)

    def _row(self, index: int, width: int) -> Content:
        chosen = index == self._cursor
        text = ("▸" if chosen else " ") + checkpoint_line(self._view, self._checkpoints[index], width - 1)
        return Content.styled(fit(text, width), "bold $accent on $cursor-line" if chosen else "")


def checkpoint_line(view: SessionView, checkpoint: Checkpoint, width: int) -> str:
    """A checkpoint in `width` cells: its id, what it stands before, and, as far as there is room, when that was."""
    began_us, now_us = view.timeline.at_us(1), view.timeline.at_us(view.last_seq)
    facts = [
        f"turn {checkpoint.turn:>4}",
        f"{figures.ago(now_us - checkpoint.at_us):>4} ago",
        figures.elapsed(checkpoint.at_us - began_us),
    ]
    while facts and width - 8 - len("  ".join(facts)) < LABEL_CELLS:
        facts.pop()
    when = "  ".join(facts)
    label = safe_text(one_line(checkpoint.label or "no label", 200))
    return f" {fit(checkpoint.id, 5)} {fit(label, width - 9 - len(when))}  {when}"


def facts_lines(lost: Between, width: int) -> Content:
    """What lies between, in words; what can't be taken back is said."""
    counts = [figures.plural(lost.turns, "turn"), figures.plural(lost.calls, "call")]
    files = f"{figures.plural(len(lost.files), 'file')} changed"
    line = clip(
        f"Leaves behind {', '.join(counts)}, {files}" + (f": {', '.join(lost.files)}" if lost.files else ""), width
    )
    content = Content.styled(safe_text(line), "$warning")
    if lost.commands:
        told = f"{figures.plural(len(lost.commands), 'command')} ran since; what they did outside the workspace stays: "
        content += Content.styled("\n" + clip(safe_text(told + "; ".join(lost.commands)), width), MUTED)
    return content
