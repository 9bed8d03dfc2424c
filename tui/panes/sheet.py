"""A pane that is a sheet of lines: computed for a width when something changed, drawn only where they differ."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from core.folds.view import Changes, SessionView
from tui.panes.pane import READING, Pane
from tui.panes.sheet_lines import Later, sentence, within
from tui.widgets.direct_lines import DirectLines, Finish
from tui.widgets.painting import Painter

READABLE = 120
"""Cells of a line at most: a figure further away from its label is hard to follow with the eye."""


class SheetBody(DirectLines, can_focus=True):
    """Lines of content, each one row high, scrolled when they are more than fit.

    Some lines may be stops, each with a name: up and down then move a cursor over them, which stays with the name.
    """

    DEFAULT_CSS = """
    SheetBody {
        height: 1fr; padding: 0 0 0 1; overflow-x: hidden; overflow-y: auto;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable; background: $surface;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[Content] = ()
        self._painter = Painter()
        self._stops: dict[Hashable, int] = {}
        self._chosen: Hashable | None = None

    @property
    def chosen(self) -> Hashable | None:
        """The name of the line under the cursor, None while there is no cursor."""
        return self._chosen if self._chosen in self._stops else None

    @property
    def line_width(self) -> int:
        """Cells that a line may take: the last one parts it from the scrollbar."""
        return max(1, min(self.scrollable_content_region.width - 1, READABLE))

    class Resized(Message):
        """The lines have another width now."""

    class CursorMoved(Message):
        """The cursor stands on another stop, or on none."""

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    def set_lines(self, lines: Sequence[Content], stops: Mapping[Hashable, int]) -> None:
        """Show these, with the rows of the stops by name, in their order; only rows that differ are drawn again.

        Nothing but what is in sight is looked at.
        """
        old_row = self._cursor_row()
        before, self._lines, self._stops = self._lines, lines, dict(stops)
        if self._cursor_row() != old_row:
            self._refresh_row(old_row)
            self._refresh_row(self._cursor_row())
        if len(before) != len(lines):
            self._grow(len(lines))
        for index in range(self.scroll_offset.y, min(self._bottom, max(len(before), len(lines)))):
            if index >= len(before) or index >= len(lines) or not before[index].is_same(lines[index]):
                self._refresh_row(index)

    def _grow(self, count: int) -> None:
        """Tell the scrollbar how many lines there are. Nothing else has another place by that: no layout is asked."""
        self.set_reactive(Widget.virtual_size, Size(self.line_width, count))
        self._scroll_update(self.virtual_size)

    def _refresh_row(self, row: int | None) -> None:
        if row is not None and 0 <= row - self.scroll_offset.y < self.size.height:
            self.refresh(Region(0, row - self.scroll_offset.y, self.size.width, 1))

    def _cursor_row(self) -> int | None:
        return None if self.chosen is None else self._stops[self.chosen]

    def action_scroll_down(self) -> None:
        """To the next stop; lines above the first one scroll by before it, and those below the last one after it."""
        following = self._after(self._cursor_row())
        if following is None or (self.chosen is None and self._stops[following] >= self._bottom):
            super().action_scroll_down()
        else:
            self._choose(following)

    def action_scroll_up(self) -> None:
        """To the stop before; from the first one back to scrolling."""
        row = self._cursor_row()
        if row is None:
            super().action_scroll_up()
        else:
            self._choose(next((name for name, at in reversed(self._stops.items()) if at < row), None))

    @property
    def _bottom(self) -> int:
        """The first row below those in sight."""
        return self.scroll_offset.y + self.size.height

    def _after(self, row: int | None) -> Hashable | None:
        """The next stop below a row, or below the top of what is in sight where there is no cursor."""
        top = self.scroll_offset.y - 1 if row is None else row
        return next((name for name, at in self._stops.items() if at > top), None)

    def _choose(self, name: Hashable | None) -> None:
        """Put the cursor on a stop, or take it away."""
        self._refresh_row(self._cursor_row())
        self._chosen = name
        row = self._cursor_row()
        if row is not None:
            self._refresh_row(row)
            self.scroll_to_region(Region(0, row, 1, self._height(row)), animate=False, force=True)
        self.post_message(self.CursorMoved())

    def _height(self, row: int) -> int:
        """Lines from a stop to the next one, as far as they can be in sight together."""
        end = next((at for at in self._stops.values() if at > row), len(self._lines))
        return max(1, min(end - row, self.size.height))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget()

    def direct_lines(self, first: int, count: int, finish: Finish) -> list[Strip]:
        top, cursor = self.scroll_offset.y + first, self._cursor_row()
        return [self._strip(row, row == cursor, finish) for row in range(top, top + count)]

    def _strip(self, row: int, marked: bool, finish: Finish) -> Strip:
        line, base = self._lines[row] if row < len(self._lines) else Content(""), self.visual_style
        if marked:
            plain = self.app.no_color or self.app.current_theme.ansi
            line = line.pad_right(max(0, self.line_width - line.cell_length))
            line = line.stylize("reverse" if plain else "on $cursor-line")
        return finish.strip(self._painter.segments(line, base), line.cell_length, base.rich_style)


class Sheet(Pane):
    """A pane whose content is `lines(view, at, width)`."""

    _width: int | None = None
    """The one that its lines were made for."""

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield SheetBody()

    def lines(self, view: SessionView, at: int | None, width: int) -> Sequence[Content]:
        """The content, made for `width` cells."""
        raise NotImplementedError

    def stops(self) -> Mapping[Hashable, int]:
        """Where a cursor may stand: the rows of the lines drawn last, by name, in their order."""
        return {}

    def fitted(self, view: SessionView, at: int | None, width: int) -> Sequence[Content]:
        """The lines, cut where even so they are too wide."""
        lines = self.lines(view, at, width)
        return Later(len(lines), lambda number: within(lines[number], width))

    def on_sheet_body_resized(self, message: SheetBody.Resized) -> None:
        message.stop()
        if self.query_one(SheetBody).line_width != self._width:
            self.redraw()

    def draw(self, view: SessionView, at: int | None, changes: Changes) -> None:
        body = self.query_one(SheetBody)
        reading, self._width = not view.last_seq, body.line_width
        lines = sentence(READING, self._width) if reading else self.fitted(view, at, self._width)
        body.set_lines(lines, {} if reading else self.stops())
