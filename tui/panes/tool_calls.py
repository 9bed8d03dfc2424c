"""The tool calls: a line each, running or done, what they touched and how long they took."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.content import Content

from core.folds.tool_calls import Call
from core.folds.view import Changes, SessionView
from tui.messages import CallOpened
from tui.panes import figures
from tui.panes.conversation_rows import CALL_GLYPHS
from tui.panes.pane import Pane
from tui.panes.sheet_lines import MUTED
from tui.safe import one_line
from tui.widgets import follow
from tui.widgets.line_list import LineList
from tui.widgets.wrapping import fit

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
        call = self.calls[index]
        return f"{call.name} {call.target}"

    def height(self, index: int, width: int) -> int:
        return 1

    def render(self, index: int, width: int) -> list[Content]:
        call = self.calls[index]
        waited_ms = max(0, self._now_us() - call.started_us) // 1000
        return [call_row(call, call.status(self.at), waited_ms, width)]


def call_row(call: Call, status: str, waited_ms: int, width: int) -> Content:
    """Glyph, number, name, target, changed lines, size, time; the target takes what is left."""
    glyph, colour = CALL_GLYPHS[status]
    done = status != "running"
    added, removed = sum(c.added for c in call.files), sum(c.removed for c in call.files)
    changes = Content.assemble((f"+{added}", "$diff-add"), (f" −{removed}", "$diff-del")) if added or removed else Content("")
    size = figures.size(call.size) if done else ""
    time = figures.duration(call.ms if done else waited_ms)
    ends = [fit(Content(time), 8, right=True)]
    ends = [fit(Content.styled(size, MUTED), 8, right=True), *ends] if width >= 64 else ends
    ends = [fit(changes, 9, right=True), *ends] if width >= 46 and done else ends
    end = Content("").join(ends).stylize(colour if status != "ok" else "")
    number = Content.styled(f"{call.number:>4} ", MUTED)
    name_cells = 16 if width >= 56 else 12
    name = fit(Content.styled(one_line(call.name), "bold" if status != "ok" else ""), name_cells)
    start = Content.assemble((f"{glyph}", colour)) + number + name + Content(" ")
    target = fit(Content(one_line(call.target)), max(4, width - start.cell_length - end.cell_length))
    return start + target + end


class ToolCallsPane(Pane):
    """A virtual list of one line a call, with a filter; enter opens the call."""

    CONCERNS = Changes.TOOLS | Changes.BRANCH
    LABEL = "Tool calls"

    def __init__(self, *, id: str, key: str, now_us: Callable[[], int]) -> None:
        super().__init__(id=id, key=key)
        self._rows = CallRows(now_us)
        self._filter = "all"
        self._drawn: tuple[int | None, str] = (None, "all")

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield LineList(self._rows)

    @property
    def line_list(self) -> LineList:
        return self.query_one(LineList)

    def summary(self, view: SessionView, at: int | None) -> str:
        count = view.tool_calls.count(at)
        return f"{count:,}" if count else ""

    def note(self, view: SessionView, at: int | None) -> str:
        failed = sum(call.status(at) == "failed" for call in view.tool_calls.rows[: view.tool_calls.count(at)])
        parts = [f"{failed} failed"] if failed else []
        parts += [f"showing {self._filter}"] if self._filter != "all" else []
        parts += [follow.chip(self.line_list.follow)]
        return " · ".join(part for part in parts if part)

    def draw(self, view: SessionView, at: int | None, changes: Changes) -> None:
        before, drawn = self._rows.calls, self._drawn
        rows, passes = view.tool_calls.rows, FILTERS[self._filter]
        shown = rows[: view.tool_calls.count(at)]
        self._rows.calls = shown if self._filter == "all" else [call for call in shown if passes(call, at)]
        self._rows.at, self._drawn = at, (at, self._filter)
        common = min(len(before), len(self._rows.calls)) if drawn[1] == self._filter == "all" else 0
        if drawn == (None, self._filter) and at is None and common == len(before) and before:
            self.line_list.appended()
        else:
            self.line_list.reset(common=common)
        for index in range(max(0, common - RECENT), common):
            self.line_list.changed(index)

    def tick(self) -> None:
        """A second went by: running rows say how long they run."""
        calls = self._rows.calls
        for index in range(max(0, len(calls) - RECENT), len(calls)):
            if calls[index].status(self._rows.at) == "running":
                self.line_list.changed(index)

    def cycle_filter(self) -> None:
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
