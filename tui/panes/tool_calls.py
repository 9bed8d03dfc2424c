"""The tool calls: a line each, running or done, what they touched and how long they took."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.content import Content

from core.folds.tool_calls import Call
from core.folds.view import Changes, SessionView
from tui.messages import CallOpened
from tui.panes import figures
from tui.panes.conversation_rows import CALL_GLYPHS
from tui.panes.pane import Pane
from tui.widgets import follow
from tui.widgets.line_list import LineList
from tui.widgets.table import Column, Table

COLUMNS = (
    Column("", 1),
    Column("#", 5, right=True, from_width=50),
    Column("tool", 15),
    Column("what"),
    Column("lines", 9, right=True, from_width=58),
    Column("size", 8, right=True, from_width=72),
    Column("time", 8, right=True),
)
FILTERS: dict[str, Callable[[Call, int | None], bool]] = {
    "all": lambda call, at: True,
    "errors": lambda call, at: call.status(at) == "failed",
    "edits": lambda call, at: bool(call.files),
    "commands": lambda call, at: call.effect == "command",
}
RECENT = 200
"""Rows this near to the end may still be running."""


class CallRows:
    """The calls that pass the filter, as of a moment."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self.at: int | None = None
        self.calls: list[Call] = []

    def __len__(self) -> int:
        return len(self.calls)

    def text(self, index: int) -> str:
        return f"{self.calls[index].name} {self.calls[index].target}"

    def cells(self, index: int) -> Sequence[str | Content]:
        call = self.calls[index]
        status = call.status(self.at)
        glyph, colour = CALL_GLYPHS[status]
        mark, number = Content.styled(glyph, colour), Content.styled(str(call.number), "$muted")
        name = Content.styled(call.name, "$tool-name")
        if status == "running":
            waited_ms = max(0, self._now_us() - call.started_us) // 1000
            return mark, number, name, call.target, "", "", Content.styled(figures.duration(waited_ms), colour)
        time = Content.styled(figures.duration(call.ms), colour if status == "failed" else "")
        size = Content.styled(figures.size(call.size), "$muted")
        return mark, number, name, call.target, _changed_lines(call), size, time


def _changed_lines(call: Call) -> Content:
    added, removed = sum(change.added for change in call.files), sum(change.removed for change in call.files)
    if not added and not removed:
        return Content("")
    return Content.assemble((f"+{added}", "$diff-add"), " ", (f"−{removed}", "$diff-del"))


class ToolCallsPane(Pane):
    """A virtual table of one line a call, with a filter; enter opens the call."""

    CONCERNS = Changes.TOOLS | Changes.BRANCH
    LABEL = "Tool calls"

    def __init__(self, *, id: str, key: str, now_us: Callable[[], int]) -> None:
        super().__init__(id=id, key=key)
        self._rows = CallRows(now_us)
        self._filter = "all"
        self._drawn: tuple[int | None, str] = (None, "all")
        self._drawn_seq = 0
        self._table = Table(COLUMNS, self._rows)

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self._table

    @property
    def line_list(self) -> LineList:
        return self._table.list

    def summary(self, view: SessionView, at: int | None) -> str:
        count = view.tool_calls.count(at)
        return f"{count:,}" if count else ""

    def note(self, view: SessionView, at: int | None) -> str:
        failed = sum(call.status(at) == "failed" for call in view.tool_calls.rows[: view.tool_calls.count(at)])
        parts = [f"{failed} failed" if failed else "", f"only {self._filter}" if self._filter != "all" else ""]
        return " · ".join(part for part in [*parts, follow.chip(self.line_list.follow)] if part)

    def draw(self, view: SessionView, at: int | None, changes: Changes) -> None:
        before, drawn = self._rows.calls, self._drawn
        shown, passes = view.tool_calls.rows[: view.tool_calls.count(at)], FILTERS[self._filter]
        self._rows.calls = shown if self._filter == "all" else [call for call in shown if passes(call, at)]
        self._rows.at, self._drawn = at, (at, self._filter)
        common = min(len(before), len(self._rows.calls)) if drawn[1] == self._filter == "all" else 0
        if drawn == self._drawn == (None, "all") and 0 < len(before) == common:
            self._table.appended()
        else:
            self._table.reset(common=common)
        self._repaint(common, moved=drawn[0] != at)
        self._drawn_seq = view.last_seq

    def _repaint(self, common: int, *, moved: bool) -> None:
        """Rows that stood as running and are not, or the other way round after a jump in time."""
        for index in range(max(0, common - RECENT), common):
            if moved or (self._rows.calls[index].finished_seq or 0) > self._drawn_seq:
                self._table.changed(index)

    def tick(self) -> None:
        """A second went by: running rows say how long they run."""
        calls = self._rows.calls
        for index in range(max(0, len(calls) - RECENT), len(calls)):
            if calls[index].status(self._rows.at) == "running":
                self._table.changed(index)

    def vary(self) -> None:
        """All, errors, edits, commands, and round again."""
        names = list(FILTERS)
        self._filter = names[(names.index(self._filter) + 1) % len(names)]
        self.redraw()

    def on_line_list_item_opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        if event.index < len(self._rows.calls):
            self.post_message(CallOpened(self._rows.calls[event.index].key))

    def on_line_list_follow_changed(self, event: LineList.FollowChanged) -> None:
        event.stop()
        if self.view is not None:
            self.draw_title(self.view, self.at)
