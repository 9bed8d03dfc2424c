"""Items on lines: every item of a very long session, drawn only where one looks.

Where each item is comes from `measured`, strips exist for the few lines in view. Whether the view follows the end or
holds still is the state machine of `follow`; resizing keeps the item at the top, not the line. Following is no crawl:
when the view is full it moves on by a part of itself, and then stands still while that part fills up. What is read
moves seldom, and a line more costs a line to send instead of the whole view.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil

from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from tui.safe import safe_text
from tui.widgets import follow
from tui.widgets.direct_lines import DirectLines, Finish
from tui.widgets.follow import FOLLOWING, Follow, Following, Held
from tui.widgets.heights import Heights
from tui.widgets.measured import Measured
from tui.widgets.painting import Painter
from tui.widgets.recent import Recent
from tui.widgets.rows import Rows, TextRows
from tui.widgets.strides import STEADY, next_top
from tui.widgets.wrapping import wrap

CACHED_LINES = 256
"""Some pages: a strip with all that Textual keeps of it is thirty objects, which every collection looks through."""


class ItemLines(DirectLines):
    """What a `LineList` is without its keys and clicks. Tell it what happened to its `Rows`: `appended`, `changed`,
    `reset`. `follow` says whether the view follows the end; `cursor` is the item that is marked, if any."""

    @dataclass
    class FollowChanged(Message, namespace="line_list"):
        """The list follows, or is held, or has more unseen items."""

        line_list: ItemLines
        follow: Follow

        @property
        def control(self) -> ItemLines:
            return self.line_list

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ItemLines.FollowChanged)

    def __init__(
        self, rows: Rows | None = None, *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.cursor: int | None = None
        self.stride = STEADY
        """By which following moves on; a view that spans the screen goes line by line, its rows the terminal moves."""
        self.follow: Follow = FOLLOWING
        self._measured = Measured(TextRows() if rows is None else rows)
        self._placed_in: tuple[Size, int] | None = None
        self._placing = False
        self._painter = Painter()
        self._strips: Recent[tuple[int, int, bool], tuple[Content, Strip]] = Recent(CACHED_LINES)
        """By item, line of it, and whether the cursor is there; good for as long as the line is the same object."""
        self._match: re.Pattern[str] | None = None
        self._nothing = ""

    def say_when_empty(self, sentence: str) -> None:
        """What stands there while there are no rows: why, and what to do."""
        if sentence != self._nothing:
            self._nothing = sentence
            if not len(self._heights):
                self.refresh()

    # What happens to the rows

    def appended(self) -> None:
        """Rows grew at their end."""
        known = len(self._heights)
        count = self._measured.grow()
        if count:
            self._set_follow(follow.appended(self.follow, count))
            self._settle(known, grown=True)

    def changed(self, index: int) -> None:
        """One item reads differently now: a streaming tail, a running call. Repaints only its lines, if in view."""
        if index >= len(self._heights):
            return
        growth, line = self._measured.change(index)
        if growth:
            self._settle(index, line, grown=growth > 0)
        else:
            self._repaint(index, line)

    def extend_last(self) -> None:
        """The last item grew; the same as `changed` for it."""
        if len(self._heights):
            self.changed(len(self._heights) - 1)

    def reset(self, rows: Rows | None = None, *, common: int | None = None) -> None:
        """Show other `rows`, or the same after a jump in time. The first `common` items are kept as they are;
        by default what `common_prefix` finds. A cursor or a held item beyond the end moves to the last item."""
        before = len(self._heights)
        common = self._measured.replace(rows, common)
        self._set_follow(follow.replaced(self.follow, before, len(self.rows)))
        if self.cursor is not None:
            self.cursor = min(self.cursor, len(self.rows) - 1) if len(self.rows) else None
        self._settle(0)

    def shift(self, by: int) -> None:
        """After a `reset`: what was shown before it stands so many places further on now, and stays in view."""
        if self.cursor is not None:
            self.cursor = min(self.cursor + by, len(self.rows) - 1)
        if isinstance(self.follow, Held):
            self._set_follow(Held(self.follow.item + by, self.follow.offset, max(0, self.follow.unseen - by)))
            self._settle(0)

    def restyle(self) -> None:
        """Every item looks different now, and is as high as it was."""
        self._measured.forget_lines()
        self.refresh()

    def highlight(self, words: str) -> None:
        """Mark every place in view that reads `words`, whatever its case; an empty string marks nothing."""
        self._match = re.compile(re.escape(words), re.IGNORECASE) if words else None
        self._strips.clear()
        self.refresh()

    # Where one looks

    @property
    def rows(self) -> Rows:
        """What is shown; `reset` changes it."""
        return self._measured.rows

    @property
    def _heights(self) -> Heights:
        return self._measured.heights

    def hold(self) -> None:
        """Stay with what is at the top now, whatever grows below."""
        if isinstance(self.follow, Following) and self._heights.total:
            line = min(self.scroll_offset.y, self._heights.total - 1)
            self._set_follow(Held(*self._heights.locate(line)))

    def come_to_rest(self) -> None:
        """While following: bring the end to the bottom, where a stride left room for what does not come."""
        if isinstance(self.follow, Following) and self._measured.width:
            lowest = max(0, self._heights.total - self._view_height)
            if self.scroll_offset.y != lowest:
                with self._place():
                    self.set_reactive(Widget.virtual_size, Size(self._measured.width, self._heights.total))
                    self._scroll_update(self.virtual_size)
                    self.scroll_to(y=lowest, animate=False, force=True)
                self.refresh()

    def hold_at(self, item: int, offset: int = 0) -> None:
        """Show `item` at the top and stay there; before the first layout or the first item, from then on."""
        if not self._measured.width or not len(self._heights):
            self._set_follow(Held(item, offset))
        else:
            item = min(item, len(self._heights) - 1)
            self._reach(item)
            self._go_to(self._heights.top(item) + offset)

    def stay_at(self, item: int) -> None:
        """Held at `item` in whatever size: at the top where enough stands below it, else as low as the end allows."""
        self._set_follow(Held(item))
        self._settle(0)

    @property
    def top_item(self) -> int | None:
        """The item on the first line in view."""
        return self._heights.locate(self.scroll_offset.y)[0] if self._heights.total else None

    @property
    def items_in_view(self) -> range:
        """The items of which at least a line is in view."""
        y, total = self.scroll_offset.y, self._heights.total
        if y >= total or not self._view_height:
            return range(0)
        last = min(y + self._view_height, total) - 1
        return range(self._heights.locate(y)[0], self._heights.locate(last)[0] + 1)

    # Text selection with the mouse

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text as it is drawn; a selection of everything gives the items' own text."""
        return self._measured.selected_text(selection), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    # Drawing

    def direct_lines(self, first: int, count: int, finish: Finish) -> list[Strip]:
        top, total, selection = self.scroll_offset.y + first, self._heights.total, self.text_selection
        return [
            self._beyond(line, finish)
            if line >= total
            else self._line(line, finish)
            if selection is None or selection.get_span(line) is None
            else self._finished(*self._segments(line), finish)
            for line in range(top, top + count)
        ]

    def render_line(self, y: int) -> Strip:
        """One line of the view, in which the mouse finds the places of its text."""
        line, finish = y + self.scroll_offset.y, Finish.of(self)
        if line >= self._heights.total:
            return self._beyond(line, finish)
        gutter, *body = self._segments(line)[0]
        strip = Strip([gutter, *Strip(body).apply_offsets(0, line)])
        return strip.adjust_cell_length(finish.width, self._base(self._heights.locate(line)[0]).rich_style)

    def _beyond(self, line: int, finish: Finish) -> Strip:
        """A line after the last item; where there is no item at all, the sentence for that."""
        content = Content("")
        if not self._heights.total and self._nothing:
            said = wrap(Content.styled(safe_text(self._nothing), "$muted"), max(8, self._measured.width - 1))
            content = Content(" ") + said[line] if line < len(said) else content
        return self._finished(self._painter.segments(content, self.visual_style), content.cell_length, -1, finish)

    def _line(self, line: int, finish: Finish) -> Strip:
        """A line as it is while nothing of it is selected."""
        item, part = self._heights.locate(line)
        key, content = (item, part, item == self.cursor), self._measured.lines(item)[part]
        known = self._strips.get(key)
        if known is not None and known[0] is content and known[1].cell_length == finish.cells:
            return known[1]
        strip = self._finished(*self._segments(line), finish)
        self._strips.set(key, (content, strip))
        return strip

    def _segments(self, line: int) -> tuple[list[Segment], int, int]:
        """A line of an item with the mark of the cursor before it; how wide it is, and of which item."""
        item, part = self._heights.locate(line)
        content, base = self._measured.lines(item)[part], self._base(item)
        span = self.text_selection.get_span(line) if self.text_selection else None
        shown = self._matched(content) if span is None else self._with_selection(content, *span)
        return [self._mark(item, base), *self._painter.segments(shown, base)], 1 + shown.cell_length, item

    def _mark(self, item: int, base: Style) -> Segment:
        if item != self.cursor:
            return Segment(" ", base.rich_style)
        return Segment("▌", (base + self.get_visual_style("line-list--mark", partial=True)).rich_style)

    def _finished(self, segments: list[Segment], length: int, item: int, finish: Finish) -> Strip:
        """As wide as the view, with the background of its item."""
        return finish.strip(segments, length, self._base(item).rich_style)

    def _base(self, item: int) -> Style:
        return self.get_visual_style("line-list--cursor") if item == self.cursor else self.visual_style

    def _matched(self, line: Content) -> Content:
        if self._match is None:
            return line
        style = self.get_visual_style("line-list--match")
        for found in self._match.finditer(line.plain):
            line = line.stylize(style, *found.span())
        return line

    def _with_selection(self, line: Content, start: int, end: int) -> Content:
        style = Style.from_styles(self.screen.get_component_styles("screen--selection"))
        return line.stylize(style, start, None if end == -1 else end)

    # Geometry

    @property
    def _view_height(self) -> int:
        return self.scrollable_content_region.height

    def on_resize(self) -> None:
        """Measure again if the width changed, and keep the item at the top, or the end at the bottom."""
        width = max(0, self.scrollable_content_region.width - 1)
        self._measured.expect(self._view_height)
        if width != self._measured.width:
            self._measured.measure(width)
            self._strips.clear()
        self._settle(0, resized=True)
        self.come_to_rest()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget()
        self._strips.clear()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """A scroll that nothing of ours caused, in unchanged geometry, is a person's."""
        super().watch_scroll_y(old_value, new_value)
        if not self._placing and self._placed_in == (self.size, self._heights.total) and self._heights.total:
            self._reach(self._item_at(self.scroll_offset.y))
            self._note_position()

    def _note_position(self) -> None:
        y = self.scroll_offset.y
        item, offset = self._place_at(y)
        at_end = y >= self.virtual_size.height - self._view_height
        self._set_follow(follow.scrolled(self.follow, item, offset, at_end=at_end))

    def _settle(self, first_changed: int, line: int = 0, *, grown: bool = False, resized: bool = False) -> None:
        """Tell the scrollbar the new length, then show what the follow state asks for.

        Nothing before that line of the item `first_changed` is another one. A view of another size keeps no room
        below the end: what it shows depends on its size alone, and not on those that it had on the way.
        """
        if not self._measured.width:
            return
        before = self._placed_in[1] if self._placed_in else 0
        end = max(self._heights.total, before or self._view_height)  # Where no item was, a sentence may stand.
        if isinstance(self.follow, Held) and len(self._heights):
            self._measured.reach(self.follow.item - self._view_height, self.follow.item + 2 * self._view_height)
        with self._place():
            old, top = self.scroll_offset.y, self._wanted_top(grown=grown)
            reach = top if isinstance(self.follow, Following) else 0 if resized else min(top, old)
            length = max(self._heights.total, reach + self._view_height if reach else 0)
            self.set_reactive(Widget.virtual_size, Size(self._measured.width, length))
            self._scroll_update(self.virtual_size)
            self.scroll_to(y=top, animate=False, force=True)
        if self.scroll_offset.y != old:
            self.refresh()
        else:
            self._repaint_lines(self._heights.top(first_changed) + line, end)

    def _wanted_top(self, *, grown: bool) -> int:
        match self.follow:
            case Held(item, offset) if len(self._heights):
                item = min(item, len(self._heights) - 1)
                return self._heights.top(item) + min(offset, self._heights.height(item) - 1)
            case Following() | Held():
                return self._followed_top(grown=grown)

    def _followed_top(self, *, grown: bool) -> int:
        """Where the view stands while the end is in it; beyond that a stride on, or at the very end after a jump."""
        lowest = max(0, self._heights.total - self._view_height)
        if not lowest:
            return 0
        room = ceil(self._view_height * self.stride.room)
        if lowest <= self.scroll_offset.y <= lowest + room:
            return self.scroll_offset.y
        if not grown or not room or self._spans_the_screen:
            return lowest
        return next_top(self._text_of, self._view_height, self.scroll_offset.y, lowest, self.stride)

    def _text_of(self, line: int) -> str:
        if line >= self._heights.total:
            return ""
        item, part = self._heights.locate(line)
        return self._measured.lines(item)[part].plain

    @property
    def _spans_the_screen(self) -> bool:
        """Whether all of a row is ours: the terminal can move such rows by itself."""
        return self.outer_size.width >= self.app.size.width

    @contextmanager
    def _place(self) -> Iterator[None]:
        self._placing = True
        try:
            yield
        finally:
            self._placing = False
            self._placed_in = (self.size, self._heights.total)

    def _go_to(self, y: int) -> None:
        with self._place():
            self.scroll_to(y=y, animate=False, force=True)
        self._reach(self._item_at(self.scroll_offset.y))
        self._note_position()

    def _place_at(self, y: int) -> tuple[int, int]:
        """The item on a line, the last one beyond the end, and which line of it that is."""
        return self._heights.locate(min(y, self._heights.total - 1))

    def _item_at(self, y: int) -> int:
        return self._place_at(y)[0]

    def _reach(self, item: int) -> None:
        """Measure what is within a view of `item`; what stands at the top stays there."""
        view = self._view_height
        at, offset = self._place_at(self.scroll_offset.y)
        if self._measured.reach(item - view, item + 2 * view):
            top = self._heights.top(at) + min(offset, self._heights.height(at) - 1)
            with self._place():
                self.set_reactive(Widget.virtual_size, Size(self._measured.width, max(self._heights.total, top + view)))
                self._scroll_update(self.virtual_size)
                self.scroll_to(y=top, animate=False, force=True)
            self.refresh()

    def _set_follow(self, state: Follow) -> None:
        if state != self.follow:
            self.follow = state
            self.post_message(self.FollowChanged(self, state))

    def _repaint(self, item: int, line: int = 0) -> None:
        """An item, from one of its lines on."""
        if item < len(self._heights):
            top = self._heights.top(item)
            self._repaint_lines(top + line, top + self._heights.height(item))

    def _repaint_lines(self, first: int, end: int) -> None:
        """What is in view of some lines, also of those that are empty now."""
        y = self.scroll_offset.y
        top, bottom = max(0, first - y), min(self.size.height, end - y)
        if top < bottom:
            self.refresh(Region(0, top, self.size.width, bottom - top))
