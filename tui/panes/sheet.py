"""A pane that is a sheet of lines: computed for a width when something changed, drawn only where they differ."""

from __future__ import annotations

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
    """Lines of content, each one row high, scrolled when they are more than fit."""

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

    @property
    def line_width(self) -> int:
        """Cells that a line may take."""
        return max(1, self.scrollable_content_region.width)

    class Resized(Message):
        """The lines have another width now."""

    def on_resize(self) -> None:
        self.post_message(self.Resized())

    def set_lines(self, lines: list[Content]) -> None:
        """Show these; only rows that differ are drawn again."""
        before, self._lines = self._lines, lines
        if len(before) != len(lines):
            self.virtual_size = Size(self.line_width, len(lines))
            self.refresh()
            return
        for index, (old, new) in enumerate(zip(before, lines, strict=True)):
            if old is not new and not old.is_same(new):
                self.refresh(Region(0, index - self.scroll_offset.y, self.size.width, 1))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget()

    def render_line(self, y: int) -> Strip:
        index, width = y + self.scroll_offset.y, self.line_width
        line = self._lines[index] if index < len(self._lines) else Content("")
        return self._painter.strip(line, self.visual_style, width)


class Sheet(Pane):
    """A pane whose content is `lines(view, at, width)`."""

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield SheetBody()

    def lines(self, view: SessionView, at: int | None, width: int) -> list[Content]:
        """The content, made for `width` cells."""
        raise NotImplementedError

    def fitted(self, view: SessionView, at: int | None, width: int) -> list[Content]:
        """The lines, cut where even so they are too wide."""
        return [within(line, width) for line in self.lines(view, at, width)]

    def on_sheet_body_resized(self, message: SheetBody.Resized) -> None:
        message.stop()
        self.redraw()

    def draw(self, view: SessionView, at: int | None, changes: Changes) -> None:
        body = self.query_one(SheetBody)
        body.set_lines(self.fitted(view, at, body.line_width))
