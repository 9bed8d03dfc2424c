"""The tool calls: a line each, running or done, what they touched and how long they took; narrowed by chips."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace
from textual import events
from textual.app import ComposeResult
from textual.content import Content

from core.folds.tool_calls import Call
from core.folds.view import Changes, SessionView
from tui.messages import CallOpened
from tui.panes import figures
from tui.panes.call_filter import KINDS, CallFilter, Sifted
from tui.panes.chips import Chip, Chips
from tui.panes.conversation_rows import CALL_GLYPHS
from tui.panes.pane import READING, Pane, foreign
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

NOTHING_YET = "No tool was called yet. 1 shows what the agent says."
UNTOLD = "The transcript tells of no call. 1 shows what was said."
NONE_IS_LIKE_THAT = "No call is like that so far. v shows the next kind, a click on a marked chip takes it away."


class CallRows:
    """The first `count` of the calls that pass the filter, as of a moment."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self.at: int | None = None
        self.calls: Sequence[Call] = ()
        self.count = 0

    def __len__(self) -> int:
        return self.count

    def text(self, index: int) -> str:
        return f"{self.calls[index].name} {self.calls[index].target}"

    def cells(self, index: int) -> Sequence[str | Content]:
        return self.cells_of(self.calls[index])

    def cells_of(self, call: Call, note: str = "") -> Sequence[str | Content]:
        """A call as a row; `note` stands before what it is about."""
        status = call.status(self.at)
        glyph, colour = CALL_GLYPHS[status]
        mark, number = Content.styled(glyph, colour), Content.styled(str(call.number), "$muted")
        name = Content.styled(call.name, "$tool-name")
        what = f"{note}{call.target}"
        if status == "running":
            waited_ms = max(0, self._now_us() - call.started_us) // 1000
            return mark, number, name, what, "", "", Content.styled(figures.duration(waited_ms), colour)
        time = Content.styled(figures.took(call.ms, known=call.timed), colour if status == "failed" else "")
        size = Content.styled(figures.size(call.size), "$muted")
        if call.repeats:
            what = f"=#{call.repeats} {what}"
        return mark, number, name, what, _changed_lines(call), size, time


def _changed_lines(call: Call) -> Content:
    added, removed = sum(change.added for change in call.files), sum(change.removed for change in call.files)
    if not added and not removed:
        return Content("")
    return Content.assemble((f"+{added}", "$diff-add"), " ", (f"−{removed}", "$diff-del"))


class ToolCallsPane(Pane):
    """A virtual table of one line a call under its chips; enter opens the call.

    A running call that is not in view stands in the place of the titles, so that what runs, and since when, is always
    to be seen.
    """

    CONCERNS = Changes.TOOLS | Changes.BRANCH
    LABEL = "Tool calls"

    def __init__(self, *, id: str, key: str, now_us: Callable[[], int]) -> None:
        super().__init__(id=id, key=key)
        self._rows = CallRows(now_us)
        self._wanted = CallFilter()
        self._sifted: Sifted | None = None
        self._drawn: tuple[Sifted | None, int | None, int] = (None, None, 0)
        """What was drawn last: the calls, as of which event (None: now), the newest event then."""
        self._table = Table(COLUMNS, self._rows)

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield Chips()
        yield self._table

    @property
    def line_list(self) -> LineList:
        return self._table.list

    @property
    def wanted(self) -> CallFilter:
        """What is shown."""
        return self._wanted

    @property
    def selected(self) -> Call | None:
        """The call under the cursor, else the last one shown."""
        index = self.line_list.cursor
        index = self._rows.count - 1 if index is None else index
        return self._rows.calls[index] if 0 <= index < self._rows.count else None

    def summary(self, view: SessionView, at: int | None) -> str:
        count = view.tool_calls.count(at)
        return f"{count:,}" if count else ""

    def note(self, view: SessionView, at: int | None) -> str:
        failed = view.tool_calls.shelves["errors"].count(at)
        parts = [f"{failed:,} failed" if failed else "", follow.chip(self.line_list.follow)]
        return " · ".join(part for part in parts if part)

    def draw(self, view: SessionView, at: int | None, changes: Changes) -> None:
        drawn, sifted = self._drawn, self._sift(view)
        before, self._rows.calls = self._rows.count, sifted.found
        self._rows.count, self._rows.at = sifted.count(at), at
        common = min(before, self._rows.count) if drawn[0] is sifted else 0
        if common and drawn[1] is None and at is None:
            self._table.appended()
        else:
            self._table.reset(common=common)
        self._repaint_settled(view, common)
        self._drawn = (sifted, at, view.last_seq)
        self._show_chips(view)
        self._pin_running()
        self.line_list.say_when_empty(self._why_empty(view))

    def _why_empty(self, view: SessionView) -> str:
        if self._rows.count:
            return ""
        if not view.last_seq:
            return READING
        nothing = UNTOLD if foreign(view) else NOTHING_YET
        return NONE_IS_LIKE_THAT if self._wanted.narrows else nothing

    def _sift(self, view: SessionView) -> Sifted:
        sifted = self._sifted
        if sifted is None or sifted.wanted != self._wanted or sifted.calls is not view.tool_calls:
            sifted = self._sifted = Sifted(view.tool_calls, self._wanted, sifted)
        sifted.look()
        return sifted

    def _repaint_settled(self, view: SessionView, common: int) -> None:
        """Rows that stood as running and are not, or the other way round after a jump in time."""
        sifted, at, seq = self._drawn
        if sifted is None or sifted is not self._sifted:
            return
        calls = view.tool_calls
        ran, runs = calls.running(seq if at is None else at), calls.running(self.at)
        for call in {call.key: call for call in (*ran, *runs)}.values():
            index = sifted.index(call, common)
            if index is not None:
                self._table.changed(index)

    def _show_chips(self, view: SessionView) -> None:
        shelves, wanted = view.tool_calls.shelves, self._wanted
        counts = {kind: shelves[kind].count(self.at) for kind in KINDS}
        chips = [Chip(kind, kind, counts[kind] or None, chosen=kind == wanted.kind) for kind in KINDS]
        if wanted.name:
            chips.append(Chip("name", f"only {wanted.name}", chosen=True, removable=True))
        if wanted.words:
            chips.append(Chip("words", f"“{wanted.words}”", chosen=True, removable=True))
        self.query_one(Chips).set_chips(chips)

    def on_resize(self, event: events.Resize) -> None:
        """Other rows are in sight then."""
        self.call_after_refresh(self._pin_running)

    def _pin_running(self) -> None:
        """The oldest running call that is out of sight, in place of the titles."""
        running = self.view.tool_calls.running(self.at) if self.view is not None else ()
        seen = self.line_list.items_in_view
        hidden = [call for call in running if self._index(call) not in seen]
        more = f"+{len(hidden) - 1} more · " if len(hidden) > 1 else ""
        self._table.pin(self._rows.cells_of(hidden[0], more) if hidden else None)

    def _index(self, call: Call | None) -> int | None:
        return self._sifted.index(call, self._rows.count) if self._sifted is not None else None

    def tick(self) -> None:
        """A second went by: running rows say how long they run."""
        if self.view is None:
            return
        for call in self.view.tool_calls.running(self.at):
            index = self._index(call)
            if index is not None:
                self._table.changed(index)
        self._pin_running()

    def vary(self) -> None:
        """All, errors, edits, commands, slow ones, repeats, and round again."""
        self.narrow(self._wanted.step(1))

    def narrow(self, wanted: CallFilter) -> None:
        """Show only these; the call under the cursor stays under it, where it is still shown."""
        selected = self.selected if self.line_list.cursor is not None else None
        self._wanted = wanted
        self.redraw()
        index = self._index(selected)
        if index is not None:
            self.line_list.select(index, center=True)
        else:
            self.line_list.follow_end()

    def only_this_tool(self) -> None:
        """Only calls of the tool under the cursor, or of every tool again."""
        call = self.selected
        if self._wanted.name:
            self.narrow(replace(self._wanted, name=""))
        elif call is not None:
            self.narrow(replace(self._wanted, name=call.name))

    def select(self, key: str) -> bool:
        """Bring the cursor to a call, leaving the filter if it hides it; False when there is none of that key."""
        call = self.view.tool_calls.get(key) if self.view is not None else None
        if call is None or call.number > (self.view.tool_calls.count(self.at) if self.view else 0):
            return False
        if self._index(call) is None:
            self._wanted = CallFilter()
            self.redraw()
        index = self._index(call)
        if index is not None:
            self.line_list.select(index, center=True)
        return index is not None

    def move(self, step: int) -> Call | None:
        """Bring the cursor to the next call shown, or the one before; None at the ends."""
        here = self.line_list.cursor
        index = (self._rows.count - 1 if here is None else here) + step
        if not 0 <= index < self._rows.count:
            return None
        self.line_list.select(index)
        return self._rows.calls[index]

    def on_chips_chosen(self, event: Chips.Chosen) -> None:
        event.stop()
        gone = {"name": "", "words": ""}
        change = {event.id: ""} if event.id in gone else {"kind": event.id}
        self.narrow(replace(self._wanted, **change))

    def on_line_list_item_opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        if event.index < self._rows.count:
            self.post_message(CallOpened(self._rows.calls[event.index].key))

    def on_line_list_follow_changed(self, event: LineList.FollowChanged) -> None:
        event.stop()
        if self.view is not None:
            self.draw_title(self.view, self.at)
            self._pin_running()
