"""The last barrier between foreign text and the terminal: a filter on every line that the app paints."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui.safe import CONTROL


class SanitizeFilter(LineFilter):
    """Removes what controls a terminal from painted lines, and links; the width of every segment stays."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [self._clean(segment) for segment in segments]

    @staticmethod
    def _clean(segment: Segment) -> Segment:
        text, style, control = segment
        linked = style is not None and style.link is not None
        if not linked and ((text.isascii() and text.isprintable()) or not CONTROL.search(text)):
            return segment
        clean = CONTROL.sub(lambda match: " " * cell_len(match[0]), text)
        return Segment(clean, style.update_link(None) if style is not None and linked else style, control)
