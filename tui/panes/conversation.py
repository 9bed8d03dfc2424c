"""The conversation: everything said and done on the branch, streamed at its end, still where one reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.content import Content

from core.folds.branches import Window
from core.folds.conversation import Item
from core.folds.tool_calls import Call
from core.folds.view import Changes, SessionView
from core.protocols import LiveDelta
from tui.messages import ItemOpened
from tui.panes.conversation_rows import Manner, Place, Running, height_of, lines_of, place_of
from tui.panes.pane import Pane
from tui.panes.tail import LiveTail
from tui.widgets import follow
from tui.widgets.line_list import LineList

ROOMY = 92
"""From this width on the gutter shows the elapsed time of each entry."""
NOTHING: Window[Item] = Window((), ())


class BranchRows:
    """The entries of a branch as of a moment, and the reply in flight as one more at the end."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._view: SessionView | None = None
        self._at: int | None = None
        self.items = NOTHING
        self.manner = Manner()
        self.tail: Content | None = None

    def __len__(self) -> int:
        return len(self.items) + (self.tail is not None)

    def show(self, view: SessionView, at: int | None, items: Window[Item]) -> None:
        """From here on these are the entries."""
        self._view, self._at, self.items = view, at, items

    def text(self, index: int) -> str:
        return self._item(index)[0].text

    def height(self, index: int, width: int) -> int:
        item, said = self._item(index)
        return height_of(item, self._place(index, item), self.manner, width, said)

    def render(self, index: int, width: int) -> list[Content]:
        item, said = self._item(index)
        return lines_of(item, self._place(index, item), self.manner, width, said, self.running(item))

    def index(self, call: Call) -> int | None:
        """Where the entry of a call's beginning stands, if the branch shows it."""
        source = self._view.conversation.column.index(call.seq) if self._view else None
        return None if source is None else self.items.position(source)

    def running(self, item: Item) -> Running | None:
        """The call of an entry as of the moment that is shown."""
        call = self._view.tool_calls.get(item.call) if self._view else None
        if call is None:
            return None
        return Running(call, call.status(self._at), max(0, self._now_us() - call.started_us) // 1000)

    def _item(self, index: int) -> tuple[Item, Content | None]:
        if index < len(self.items):
            return self.items[index], None
        tail = self.tail or Content("")
        return Item(0, 0, "agent", "tail", tail.plain), tail

    def _place(self, index: int, item: Item) -> Place:
        call = self._view.tool_calls.get(item.call) if self._view else None
        return place_of(item, self.items[index - 1] if index else None, call)


class ConversationPane(Pane):
    """A virtual list over all entries; `stream` takes the reply in flight."""

    CONCERNS = Changes.CONVERSATION | Changes.TOOLS | Changes.BRANCH
    LABEL = "Conversation"

    def __init__(self, *, id: str, key: str, now_us: Callable[[], int]) -> None:
        super().__init__(id=id, key=key)
        self._rows = BranchRows(now_us)
        self._tail = LiveTail()
        self._drawn_seq = 0
        self._drawn_at: int | None = None
        self._times: bool | None = None

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield LineList(self._rows)

    @property
    def line_list(self) -> LineList:
        return self.query_one(LineList)

    def note(self, view: SessionView, at: int | None) -> str:
        return follow.chip(self.line_list.follow) or "following"

    def draw(self, view: SessionView, at: int | None, changes: Changes) -> None:
        self._set_manner(view)
        before, items = self._rows.items, view.item_window(at)
        common = before.common(items)
        had_tail = self._rows.tail is not None
        grown = at is None and self._drawn_at is None and 0 < len(before) == common
        self._rows.show(view, at, items)
        self._settle_tail(items[common:] if grown else (), at)
        self._update_list(common, len(before) + had_tail, grown=grown)
        self._repaint_settled(view, common)
        self._drawn_seq, self._drawn_at = view.last_seq, at

    def _update_list(self, common: int, shown: int, *, grown: bool) -> None:
        if not grown or len(self._rows) < shown:
            self.line_list.reset(common=common)
        else:
            if common < shown:
                self.line_list.changed(common)
            self.line_list.appended()

    def _repaint_settled(self, view: SessionView, common: int) -> None:
        """Calls that stood as running and are not, or the other way round after a jump in time."""
        calls, drawn_at = view.tool_calls, self._drawn_at
        ran = calls.running(self._drawn_seq if drawn_at is None else drawn_at)
        for call in {call.key: call for call in (*ran, *calls.running(self.at))}.values():
            index = self._rows.index(call)
            if index is not None and index < common:
                self.line_list.changed(index)

    def _settle_tail(self, fresh: Sequence[Item], at: int | None) -> None:
        """The log says it now: the tail goes when an entry of the agent, or a failure, came."""
        if any(item.speaker == "agent" or not item.ok for item in fresh):
            self._tail.clear()
        self._rows.tail = self._tail.content() if self._tail and at is None else None

    def stream(self, deltas: Sequence[LiveDelta]) -> None:
        """Pieces of the reply in flight; an empty batch when it is over."""
        self._tail.take(deltas)
        if not deltas or self.at is not None or self.view is None or not self.size.area:
            return
        had_tail = self._rows.tail is not None
        self._rows.tail = self._tail.content()
        if had_tail:
            self.line_list.extend_last()
        else:
            self.line_list.appended()

    def tick(self) -> None:
        """A second went by: running calls say how long they run."""
        for call in self.view.tool_calls.running() if self.view is not None else ():
            index = self._rows.index(call)
            if index is not None:
                self.line_list.changed(index)

    def find(self, words: str, step: int) -> bool:
        """Bring the cursor to the next entry (step 1) or the one before (-1) that holds `words`, round the end."""
        wanted = words.casefold()
        return self._select_where(lambda item: wanted in item.text.casefold(), step)

    def find_failure(self) -> bool:
        """Bring the cursor to the failure before the one it is on."""
        return self._select_where(lambda item: not item.ok, -1)

    def _select_where(self, wanted: Callable[[Item], bool], step: int) -> bool:
        items, cursor = self._rows.items, self.line_list.cursor
        start = cursor if cursor is not None else 0 if step > 0 else len(items)
        for distance in range(1, len(items) + 1):
            index = (start + step * distance) % len(items)
            if wanted(items[index]):
                self.line_list.select(index, center=True)
                return True
        return False

    def vary(self) -> None:
        """Thinking whole or on one line; at each second turn of that, times in the gutter or not."""
        manner = self._rows.manner
        if not manner.thinking:
            self._times = not manner.times
        self._rows.manner = replace(manner, thinking=not manner.thinking)
        self._restyle()

    def _set_manner(self, view: SessionView) -> None:
        times = self.size.width >= ROOMY if self._times is None else self._times
        manner = replace(self._rows.manner, times=times, start_us=view.timeline.at_us(1))
        if manner != self._rows.manner:
            self._rows.manner = manner
            self.line_list.reset(common=0)

    def _restyle(self) -> None:
        if self.view is not None:
            self._set_manner(self.view)
        self.line_list.reset(common=0)

    def on_line_list_item_opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        if event.index < len(self._rows.items):
            self.post_message(ItemOpened(self._rows.items[event.index]))

    def on_line_list_follow_changed(self, event: LineList.FollowChanged) -> None:
        event.stop()
        if self.view is not None:
            self.draw_title(self.view, self.at)
