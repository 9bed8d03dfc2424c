"""A virtual list that one goes through by keys and clicks: a cursor on its items, and messages about choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.widgets.follow import FOLLOWING, Following, Held
from tui.widgets.item_lines import ItemLines


class LineList(ItemLines, can_focus=True):
    """Shows `Rows`; what happened to them is told as to every `ItemLines`."""

    DEFAULT_CSS = """
    LineList {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
        scrollbar-color: $faint;
        scrollbar-color-hover: $muted;
        scrollbar-color-active: $accent;
        scrollbar-background: $surface;
        scrollbar-background-hover: $surface;
        scrollbar-background-active: $surface;
        & > .line-list--cursor { background: $cursor-line; }
        & > .line-list--mark { color: $cursor-mark; }
        & > .line-list--match { background: $match-background; color: $match-foreground; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-list--cursor", "line-list--mark", "line-list--match"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Previous item", show=False),
        Binding("down,j", "move(1)", "Next item", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False),
        Binding("home", "home", "First item", show=False),
        Binding("end,G", "follow", "Follow the end", show=False),
        Binding("enter", "open", "Open", show=False),
    ]

    @dataclass
    class ItemSelected(Message):
        """The cursor came to an item, by click or key."""

        line_list: LineList
        index: int

        @property
        def control(self) -> LineList:
            return self.line_list

    @dataclass
    class ItemOpened(ItemSelected):
        """An item was opened: enter or a double click."""

    @dataclass
    class ItemClicked(Message):
        """A single click on an item, `x` cells from the left of its text."""

        line_list: LineList
        index: int
        x: int

        @property
        def control(self) -> LineList:
            return self.line_list

    # Where one looks

    def select(self, index: int, *, center: bool = False) -> None:
        """Bring the cursor to `index` and that item into view; the list is held there unless it is the last."""
        if not len(self.rows):
            return
        old, self.cursor = self.cursor, min(max(index, 0), len(self.rows) - 1)
        if not self._measured.width:
            self.hold_at(self.cursor)
        else:
            self._reveal(self.cursor, center)
            for item in {self.cursor if old is None else old, self.cursor}:
                self._repaint(item)
        self.post_message(self.ItemSelected(self, self.cursor))

    def clear_cursor(self) -> None:
        """Select nothing."""
        old, self.cursor = self.cursor, None
        if old is not None:
            self._repaint(old)

    def follow_end(self) -> None:
        """Show the end and move with it from now on."""
        self.clear_cursor()
        self._set_follow(FOLLOWING)
        self._settle(0)

    def copy_text(self) -> str:
        """All text of the selected item, else of the last one."""
        index = self._current()
        return "" if index is None else self.rows.text(index)

    # Keys and mouse

    def watch_has_focus(self, _has_focus: bool) -> None:
        """It looks the same with the focus and without."""

    def on_focus(self, event: events.Focus) -> None:
        """As any widget does, but for painting itself anew."""
        event.prevent_default()
        self.has_focus = True
        if self.parent is not None:
            self.parent.post_message(events.DescendantFocus(self))

    def on_blur(self, event: events.Blur) -> None:
        """The same the other way round."""
        event.prevent_default()
        self.has_focus = False
        if self.parent is not None:
            self.parent.post_message(events.DescendantBlur(self))

    def action_move(self, step: int) -> None:
        """To the next item; inside an item taller than the view, a few lines further."""
        if not self._heights.total:
            return
        if self.cursor is None:
            self.select(self._edge_item(last=step < 0))
            return
        top, height = self._heights.top(self.cursor), self._heights.height(self.cursor)
        y, view = self.scroll_offset.y, self._view_height
        more = top + height > y + view >= top if step > 0 else top < y < top + height
        if more and height > view:
            self._go_to(y + 3 * step)
        elif 0 <= self.cursor + step < len(self.rows):
            self.select(self.cursor + step)

    def action_page(self, pages: float) -> None:
        """So many pages on, each a line less than the view is high; a cursor that is left behind is given up."""
        if self._heights.total:
            self._go_to(self.scroll_offset.y + int(pages * max(2, self._view_height - 1)))
            if self.cursor is not None and self.cursor not in self.items_in_view:
                self.clear_cursor()

    def action_home(self) -> None:
        if self._heights.total:
            self.hold_at(0)
            self.select(0)

    def action_follow(self) -> None:
        self.follow_end()

    def action_open(self) -> None:
        index = self._current()
        if index is not None:
            self.post_message(self.ItemOpened(self, index))

    def on_click(self, event: events.Click) -> None:
        """One click selects, two open; a click that ended a text selection does neither."""
        event.prevent_default()
        offset = event.get_content_offset(self)
        if offset is None or self.text_selection is not None:
            return
        line = offset.y + self.scroll_offset.y
        if line < self._heights.total:
            index = self._heights.locate(line)[0]
            self.select(index)
            if event.chain == 2:
                self.post_message(self.ItemOpened(self, index))
            elif event.chain == 1:
                self.post_message(self.ItemClicked(self, index, offset.x - 1))

    def _reveal(self, item: int, center: bool) -> None:
        """Scroll as little as possible, or centre; then hold, unless the last item is wholly in view at the end."""
        self._reach(item)
        top, height = self._heights.top(item), self._heights.height(item)
        y, view = self.scroll_offset.y, self._view_height
        if center:
            self._go_to(top - max(0, view - height) // 2)
        elif top < y or height >= view:
            self._go_to(top)
        elif top + height > y + view:
            self._go_to(top + height - view)
        if item < len(self.rows) - 1 and isinstance(self.follow, Following) and self._heights.total:
            self._set_follow(Held(*self._heights.locate(self.scroll_offset.y)))

    def _edge_item(self, *, last: bool) -> int:
        y = self.scroll_offset.y
        line = min(y + self._view_height, self._heights.total) - 1 if last else y
        return self._heights.locate(line)[0]

    def _current(self) -> int | None:
        return self.cursor if self.cursor is not None else (len(self.rows) - 1 if len(self.rows) else None)
