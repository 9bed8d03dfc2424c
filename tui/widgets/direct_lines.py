"""Lines straight to the compositor.

Between a widget's line and the screen Textual puts padding, borders, opacity and a cache, and makes the line anew at
each of them; a strip with all that it keeps is thirty objects. A view whose lines are what is seen makes each once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Self

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as ScreenColor
from textual.filter import LineFilter
from textual.geometry import Region, Spacing
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip
from textual.widget import Widget


class Finish:
    """Makes strips of segments: as wide as the view, and through the app's filters, which see to its colours and keep
    control sequences off the terminal."""

    def __init__(self, width: int, padding: Spacing, filters: Sequence[LineFilter], background: ScreenColor) -> None:
        self.width = width
        self._padding = padding
        self._filters = filters
        self._background = background
        self._outside = Style.from_color(bgcolor=background.rich_color)

    @classmethod
    def of(cls, widget: Widget) -> Finish:
        """For the lines of a widget as it is now."""
        return cls(widget.size.width, widget.styles.padding, widget.get_line_filters(), widget.background_colors[1])

    @property
    def cells(self) -> int:
        """How wide its strips are."""
        return self._padding.left + self.width + self._padding.right

    def strip(self, segments: list[Segment], length: int, ground: Style) -> Strip:
        """A line of segments which are `length` cells wide, followed by `ground` up to the width."""
        if length > self.width:
            segments = Segment.adjust_line_length(segments, self.width)
        elif length < self.width:
            segments = [*segments, Segment(" " * (self.width - length), ground)]
        if self._padding:
            segments = [
                *_blank(self._padding.left, self._outside),
                *segments,
                *_blank(self._padding.right, self._outside),
            ]
        for each in self._filters:
            segments = each.apply(segments, self._background)
        return Strip(segments, self.cells)


def _blank(count: int, ground: Style) -> list[Segment]:
    return [Segment(" " * count, ground)] if count else []


class DirectLines(ScrollView):
    """A view of lines without borders, and with padding at their sides alone."""

    def direct_lines(self, first: int, count: int, finish: Finish) -> list[Strip]:
        """So many lines of the view, from one of them on."""
        raise NotImplementedError

    def render_lines(self, crop: Region) -> list[Strip]:
        finish = Finish.of(self)
        strips = self.direct_lines(crop.y, crop.height, finish)
        if crop.column_span == (0, self.outer_size.width):
            return strips
        return [strip.crop(*crop.column_span) for strip in strips]

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        bar = super().vertical_scrollbar
        if type(bar) is ScrollBar:
            bar.__class__ = DirectScrollBar
        return bar


class DirectScrollBar(ScrollBar):
    """An upright bar: three or four strips, each of them at many places.

    Drawn again only where it looks different: below thousands of items one more moves it by less than it can show.
    """

    _look: tuple[object, ...] | None = None
    """What its cells were made for."""
    _cells: Sequence[Segment] = ()

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        if self._look is None or regions or layout or recompose or not repaint:
            return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)
        before = self._cells
        changed = [y for y, (old, new) in enumerate(zip_longest(before, self._brought_up_to_date())) if old != new]
        if changed:
            super().refresh(Region(0, changed[0], self.size.width, changed[-1] + 1 - changed[0]))
        return self

    def render_lines(self, crop: Region) -> list[Strip]:
        cells = self._brought_up_to_date()[crop.y : crop.bottom]
        finish, made = Finish.of(self), {}
        for cell in {id(cell): cell for cell in cells}.values():
            made[id(cell)] = finish.strip([cell], self.size.width, Style.null())
        return [made[id(cell)].crop(*crop.column_span) for cell in cells]

    def _brought_up_to_date(self) -> Sequence[Segment]:
        bar = self.render()
        assert isinstance(bar, ScrollBarRender)
        look = (self.size.height, bar.virtual_size, bar.window_size, bar.position, bar.thickness, bar.style)
        if look != self._look:
            assert isinstance(bar.style, Style)
            back, front = bar.style.bgcolor or Color.default(), bar.style.color or Color.default()
            self._look, self._cells = look, bar.render_bar(*look[:-1], True, back, front).segments
        return self._cells
