"""The conversation: everything said and done on the branch, streamed at its end, still where one reads."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec.structs import replace
from textual.app import ComposeResult

from core.folds.branches import Window
from core.folds.conversation import Item
from core.folds.tool_calls import Call
from core.folds.view import Changes, SessionView
from core.protocols import LiveDelta
from tui.messages import ItemOpened
from tui.panes.branch_rows import BranchRows
from tui.panes.conversation_rows import Depth, Times, fold_key, foldable
from tui.panes.matches import Hit, Matches, next_hit
from tui.panes.pane import READING, Pane
from tui.panes.tail import LiveTail
from tui.widgets import follow
from tui.widgets.line_list import LineList

ROOMY = 92
"""From this width on the gutter shows the time of each entry."""
TIMES: tuple[Times, ...] = ("elapsed", "clock", "off")
DEPTHS: tuple[Depth, ...] = ("usual", "brief", "open")

RESTING = frozenset(("paused", "finished", "stopped", "failed"))
"""States in which nothing more comes for a while."""
WATCHED = 8
"""Deliveries of guidance whose fate may still change: those of one request, and of the one before."""
T = TypeVar("T")


class ConversationPane(Pane):
    """A virtual list over all entries; `stream` takes the reply in flight."""

    CONCERNS = Changes.CONVERSATION | Changes.TOOLS | Changes.BRANCH
    LABEL = "Conversation"

    def __init__(self, *, id: str, key: str, now_us: Callable[[], int]) -> None:
        super().__init__(id=id, key=key)
        self._rows = BranchRows(now_us)
        self._tail = LiveTail()
        self._matches = Matches("")
        self._so_far = ""
        self._drawn_seq = 0
        self._drawn_at: int | None = None
        self._times: Times | None = None

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield LineList(self._rows)

    @property
    def line_list(self) -> LineList:
        return self.query_one(LineList)

    @property
    def selected(self) -> Item | None:
        """The entry under the cursor, else the last one."""
        index = self.line_list.cursor
        index = len(self._rows.items) - 1 if index is None else index
        return self._rows.items[index] if 0 <= index < len(self._rows.items) else None

    def note(self, view: SessionView, at: int | None) -> str:
        chip = follow.chip(self.line_list.follow)
        if self._so_far:
            return f"its end; read so far: {self._so_far}" if len(self._rows) else ""
        return chip or "following"

    # What the log and the stream say

    def reading(self, so_far: str) -> None:
        """How much of the log is read, while nothing of it can be shown, or its end alone; empty once it is all."""
        if so_far != self._so_far:
            self._so_far = so_far
            self.line_list.say_when_empty(f"{READING} {so_far}")
            if self.view is not None:
                self.draw_title(self.view, self.at)

    def draw(self, view: SessionView, at: int | None, changes: Changes) -> None:
        self._set_manner(view)
        before, items, shown = self._rows.items, view.item_window(at), len(self._rows)
        earlier = self._earlier(view, items)
        common = before.common(items) if earlier is None else 0
        grown = at is None and self._drawn_at is None and 0 < len(before) == common
        self._rows.show(view, at, items)
        self._tail.settle(items[common:] if grown else (), view.conversation.answered)
        self._rows.tail = self._tail.blocks() if at is None else ()
        self._update_list(common, shown, grown=grown)
        self._repaint_settled(view, common)
        self._repaint_receipts(view, common)
        if earlier:
            self.line_list.shift(earlier)
        self._drawn_seq, self._drawn_at = view.last_seq, at
        self.line_list.say_when_empty("" if view.last_seq else READING)
        if grown and view.state.status.last.state in RESTING:
            self.line_list.come_to_rest()

    def _earlier(self, view: SessionView, items: Window[Item]) -> int | None:
        """How many more entries there are before the same ones in another view; None where it is the same view."""
        before = self._rows.items
        if self._rows.view is view or not len(before):
            return None
        return bisect_right(items, before[-1].seq, key=lambda item: item.seq) - len(before)

    def _update_list(self, common: int, shown: int, *, grown: bool) -> None:
        if not grown or len(self._rows) < shown:
            self.line_list.reset(common=common)
            return
        for index in range(common, shown):
            self.line_list.changed(index)
        self.line_list.appended()

    def _repaint_settled(self, view: SessionView, common: int) -> None:
        """Calls that stood as running and are not, or the other way round after a jump in time."""
        calls, drawn_at = view.tool_calls, self._drawn_at
        ran = calls.running(self._drawn_seq if drawn_at is None else drawn_at)
        for call in {call.key: call for call in (*ran, *calls.running(self.at))}.values():
            index = self._rows.index(call)
            if index is not None and index < common:
                self.line_list.changed(index)

    def _repaint_receipts(self, view: SessionView, common: int) -> None:
        """Guidance of which more, or less, is known now than when it was painted."""
        drawn_at = self._drawn_seq if self._drawn_at is None else self._drawn_at
        guidance, now = view.guidance, self.at
        for seq in {*guidance.latest_deliveries(WATCHED, drawn_at), *guidance.latest_deliveries(WATCHED, now)}:
            index = self._rows.index_of(seq)
            known = guidance.delivered_at(seq, now) != guidance.delivered_at(seq, drawn_at)
            if known and index is not None and index < common:
                self.line_list.changed(index)

    def stream(self, deltas: Sequence[LiveDelta]) -> None:
        """Pieces of the reply in flight; an empty batch when it is over."""
        self._tail.take(deltas, self.view.conversation.answered if self.view is not None else "")
        if not deltas or self.at is not None or self.view is None or not self.size.area:
            return
        shown, self._rows.tail = len(self._rows), self._tail.blocks()
        self._update_list(len(self._rows.items), shown, grown=True)

    def tick(self) -> None:
        """A second went by: running calls say how long they run."""
        for call in self.view.tool_calls.running() if self.view is not None else ():
            index = self._rows.index(call)
            if index is not None:
                self.line_list.changed(index)

    # Finding

    def find(self, words: str, step: int) -> Hit | None:
        """Bring the cursor to the next entry (step 1) or the one before (-1) that holds `words`, round the end."""
        if self.view is None:
            return None
        if words != self._matches.words:
            self._matches = Matches(words)
        self._matches.look(self.view.conversation.column.items)
        return self._go(self._matches.places, step)

    def reveal(self, seq: int) -> None:
        """Bring the cursor to the entry of event `seq`, or to the last one before it."""
        index = bisect_right(self._rows.items, seq, key=lambda item: item.seq) - 1
        self.line_list.select(max(0, index), center=True)

    def find_failure(self) -> Hit | None:
        """Bring the cursor to the failure before the one it is on."""
        return self._go(self.view.conversation.failures, -1) if self.view is not None else None

    def _go(self, places: Sequence[int], step: int) -> Hit | None:
        items, cursor = self._rows.items, self.line_list.cursor
        here = items.source(cursor) if cursor is not None and cursor < len(items) else None
        hit = next_hit(places, items.ranges, here, step)
        if hit is not None:
            self.line_list.select(items.position(hit.place) or 0, center=True)
        return hit

    def select(self, seq: int) -> bool:
        """Bring the cursor to the entry of an event; False where the branch does not show it."""
        index = self._rows.index_of(seq)
        if index is not None:
            self.line_list.select(index, center=True)
        return index is not None

    def select_call(self, call: Call) -> bool:
        """Bring the cursor to the place where a call was made."""
        return self.select(call.seq)

    def holds(self, call: Call) -> bool:
        """Whether the branch shows where a call was made."""
        return self._rows.index(call) is not None

    def move(self, step: int) -> Item | None:
        """Bring the cursor to the next entry, or the one before; None at the ends."""
        here, count = self.line_list.cursor, len(self._rows.items)
        index = (count - 1 if here is None else here) + step
        if not 0 <= index < count:
            return None
        self.line_list.select(index)
        return self._rows.items[index]

    # How much is shown

    def vary(self) -> None:
        """As usual, all on one line, all open; what was turned by hand is as all the others again."""
        manner = self._rows.manner
        self._rows.manner = replace(manner, depth=_after(DEPTHS, manner.depth), turned=frozenset())
        self.line_list.reset(common=0)

    def change_times(self) -> None:
        """Since the start, by the clock, none, and round again."""
        self._times = _after(TIMES, self._rows.manner.times)
        self._restyle()

    def fold(self, index: int | None = None) -> bool:
        """Fold or unfold an entry, by default the one under the cursor; False where there is nothing to fold."""
        index = self.line_list.cursor if index is None else index
        index = self._foldable(index) if index is not None else None
        if index is None:
            return False
        manner = self._rows.manner
        self._rows.manner = replace(manner, turned=manner.turned ^ {fold_key(self._rows.items[index])})
        self.line_list.hold()
        self.line_list.changed(index)
        return True

    def _foldable(self, index: int) -> int | None:
        """The entry that is folded when one points at `index`: of a call its result."""
        items = self._rows.items
        if index >= len(items):
            return None
        if items[index].kind == "call":
            call = self._rows.running(items[index])
            finished = call.call.finished_seq if call is not None and call.status != "running" else None
            found = self._rows.index_of(finished) if finished is not None else None
            return found if found is not None and foldable(items[found]) else None
        return index if foldable(items[index]) else None

    def _set_manner(self, view: SessionView) -> None:
        times: Times = ("elapsed" if self.size.width >= ROOMY else "off") if self._times is None else self._times
        before = self._rows.manner
        manner = replace(before, times=times, start_us=view.timeline.at_us(1))
        if manner != before:
            self._rows.manner = manner
            if manner.gutter() == before.gutter():
                self.line_list.restyle()
            else:
                self.line_list.reset(common=0)

    def _restyle(self) -> None:
        if self.view is not None:
            self._set_manner(self.view)

    # Keys and mouse

    def on_line_list_item_opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        if event.index < len(self._rows.items):
            self.post_message(ItemOpened(self._rows.items[event.index]))

    def on_line_list_item_clicked(self, event: LineList.ItemClicked) -> None:
        """A click on the mark in the gutter folds."""
        event.stop()
        if event.x < self._rows.manner.gutter():
            self.fold(event.index)

    def on_line_list_follow_changed(self, event: LineList.FollowChanged) -> None:
        event.stop()
        if self.view is not None:
            self.draw_title(self.view, self.at)


def _after(values: Sequence[T], value: T) -> T:
    """The next of `values`, round the end."""
    return values[(values.index(value) + 1) % len(values)]
