"""The entries of a branch as rows of a list, and the reply in flight as further ones at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content

from core.folds.branches import Window
from core.folds.conversation import Item
from core.folds.guidance import Receipt
from core.folds.tool_calls import Call
from core.folds.view import SessionView
from tui.panes.conversation_rows import (
    Manner,
    Place,
    Running,
    above,
    height_of,
    lines_of,
    margins,
    place_of,
    receipt_line,
)
from tui.panes.tail import Block

NOTHING: Window[Item] = Window((), ())


class BranchRows:
    """Rows by index: the entries as of a moment, then the blocks of the reply in flight."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._view: SessionView | None = None
        self._at: int | None = None
        self.items = NOTHING
        self.manner = Manner()
        self.tail: Sequence[Block] = ()

    def __len__(self) -> int:
        return len(self.items) + len(self.tail)

    @property
    def view(self) -> SessionView | None:
        """Of what these are the entries."""
        return self._view

    def show(self, view: SessionView, at: int | None, items: Window[Item]) -> None:
        """From here on these are the entries."""
        self._view, self._at, self.items = view, at, items

    def item(self, index: int) -> Item:
        """What stands there, also for a block in flight."""
        settled = len(self.items)
        return self.items[index] if index < settled else self.tail[index - settled].item

    def text(self, index: int) -> str:
        settled = len(self.items)
        return self.items[index].text if index < settled else self.tail[index - settled].text

    def height(self, index: int, width: int) -> int:
        item, place = self.item(index), self.place(index)
        if block := self._block(index):
            return place.above + len(self._flowing(block, place, width))
        return height_of(item, place, self.manner, width) + (self.receipt(item) is not None)

    def render(self, index: int, width: int) -> list[Content]:
        item, place = self.item(index), self.place(index)
        if block := self._block(index):
            return [*above(place), *self._flowing(block, place, width)]
        lines = lines_of(item, place, self.manner, width, self.running(item))
        receipt = self.receipt(item)
        return lines if receipt is None else [*lines, receipt_line(receipt, item, place, self.manner, width)]

    def receipt(self, item: Item) -> Receipt | None:
        """What became of guidance, as of the moment that is shown."""
        if item.kind != "guidance" or self._view is None:
            return None
        return self._view.guidance.delivered_at(item.seq, self._at)

    def place(self, index: int) -> Place:
        """How the entry stands among its neighbours."""
        item = self.item(index)
        call = self._view.tool_calls.get(item.call) if self._view else None
        return place_of(item, self.item(index - 1) if index else None, self.manner, call)

    def index(self, call: Call) -> int | None:
        """Where the entry of a call's beginning stands, if the branch shows it."""
        return self.index_of(call.seq)

    def index_of(self, seq: int) -> int | None:
        """Where the first entry of an event stands, if the branch shows it."""
        source = self._view.conversation.column.index(seq) if self._view else None
        return None if source is None else self.items.position(source)

    def running(self, item: Item) -> Running | None:
        """The call of an entry as of the moment that is shown."""
        call = self._view.tool_calls.get(item.call) if self._view else None
        if call is None:
            return None
        waited_ms = max(0, self._now_us() - call.started_us) // 1000
        return Running(call, call.status(self._at), waited_ms, call.repeated(self._at))

    def _block(self, index: int) -> Block | None:
        return self.tail[index - len(self.items)] if index >= len(self.items) else None

    def _flowing(self, block: Block, place: Place, width: int) -> list[Content]:
        first, rest = margins(block.item, place, self.manner)
        room = self.manner.room(width)
        if block.kind == "tool":
            return [first + block.call_line().truncate(room, ellipsis=True)]
        return block.growing.lines(room, first, rest)
