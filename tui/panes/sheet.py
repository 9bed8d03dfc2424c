"""A pane that is a sheet of lines: computed for a width when something changed, drawn only where they differ."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from core.folds.view import Changes, SessionView
from tui.panes.pane import Pane
from tui.panes.sheet_lines import within
from tui.widgets.painting import Painter


class SheetBody(ScrollView, can_focus=True):
    """Lines of content, each one row high, scrolled when they are more than fit.

    The last lines may be stops, each with a name: up and down then move a cursor over them, which stays with the name.
    """

    DEFAULT_CSS = """
    SheetBody {
        height: 1fr; padding: 0 1; overflow-x: hidden; overflow-y: auto;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable; background: $surface;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Content] = []
        self._painter = Painter()
        self._stops: list[Hashable] = []
        self._chosen: Hashable | None = None

    @property
    def chosen(self) -> Hashable | None:
        """The name of the line under the cursor, None while there is no cursor."""
        return self._chosen if self._chosen in self._stops else None

    @property
    def line_width(self) -> int:
        """Cells that a line may take."""
        return max(1, self.scrollable_content_region.width)

    class Resized(Message):
        """The lines have another width now."""

    class CursorMoved(Message):
        """The cursor stands on another stop, or on none."""

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    def set_lines(self, lines: list[Content], stops: Sequence[Hashable] = ()) -> None:
        """Show these, the last of them being `stops`; only rows that differ are drawn again."""
        old_row = self._cursor_row()
        before, self._lines, self._stops = self._lines, lines, list(stops)
        if self._cursor_row() != old_row:
            self._refresh_row(old_row)
            self._refresh_row(self._cursor_row())
        if len(before) != len(lines):
            self.virtual_size = Size(self.line_width, len(lines))
            self.refresh()
            return
        for index, (old, new) in enumerate(zip(before, lines, strict=True)):
            if old is not new and not old.is_same(new):
                self._refresh_row(index)

    def _refresh_row(self, row: int | None) -> None:
        if row is not None:
            self.refresh(Region(0, row - self.scroll_offset.y, self.size.width, 1))

    def _cursor_row(self) -> int | None:
        if self.chosen is None:
            return None
        return len(self._lines) - len(self._stops) + self._stops.index(self.chosen)

    def action_scroll_down(self) -> None:
        """To the next stop; the lines above them scroll by first."""
        if not self._stops or (self.chosen is None and not self._stop_in_sight()):
            super().action_scroll_down()
        else:
            self._choose(0 if self.chosen is None else self._stops.index(self.chosen) + 1)

    def action_scroll_up(self) -> None:
        """To the stop before; from the first one back to scrolling."""
        if self.chosen is None:
            super().action_scroll_up()
        else:
            self._choose(self._stops.index(self.chosen) - 1)

    def _stop_in_sight(self) -> bool:
        return len(self._lines) - len(self._stops) < self.scroll_offset.y + self.size.height

    def _choose(self, index: int) -> None:
        """Put the cursor on a stop; before the first one it goes away."""
        self._refresh_row(self._cursor_row())
        self._chosen = self._stops[min(index, len(self._stops) - 1)] if index >= 0 else None
        row = self._cursor_row()
        if row is not None:
            self._refresh_row(row)
            self.scroll_to_region(Region(0, row, 1, 1), animate=False, force=True)
        self.post_message(self.CursorMoved())

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget()

    def render_line(self, y: int) -> Strip:
        index, width = y + self.scroll_offset.y, self.line_width
        line = self._lines[index] if index < len(self._lines) else Content("")
        if index == self._cursor_row():
            line = line.pad_right(max(0, width - line.cell_length)).stylize("on $cursor-line")
        return self._painter.strip(line, self.visual_style, width)


class Sheet(Pane):
    """A pane whose content is `lines(view, at, width)`."""

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield SheetBody()

    def lines(self, view: SessionView, at: int | None, width: int) -> list[Content]:
        """The content, made for `width` cells."""
        raise NotImplementedError

    def stops(self) -> Sequence[Hashable]:
        """Names of the last lines, where a cursor may stand on them."""
        return ()

    def fitted(self, view: SessionView, at: int | None, width: int) -> list[Content]:
        """The lines, cut where even so they are too wide."""
        return [within(line, width) for line in self.lines(view, at, width)]

    def on_sheet_body_resized(self, message: SheetBody.Resized) -> None:
        message.stop()
        self.redraw()

    def draw(self, view: SessionView, at: int | None, changes: Changes) -> None:
        body = self.query_one(SheetBody)
        body.set_lines(self.fitted(view, at, body.line_width), self.stops())
