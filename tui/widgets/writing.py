"""Several lines to write: still, plain, and gone once they are closed."""

from __future__ import annotations

from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import TextArea

from tui.widgets.line import Started, release


class Writing(TextArea):
    """Several lines to write: no blinking cursor, no line numbers, `tab` leaves it."""

    DEFAULT_CSS = "Writing { border: none; padding: 0; background: $surface; }"

    def __init__(self, text: str = "") -> None:
        super().__init__(text, compact=True, soft_wrap=True, show_line_numbers=False, tab_behavior="focus")
        self.cursor_blink = False

    def on_mount(self) -> None:
        self._started: Started = self.screen.text_selection_started_signal

    def on_unmount(self) -> None:
        release(self, self._started)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Between its removal and the next layout it may be painted once more, when its styles are already gone."""
        if not self.is_attached:
            return [Strip.blank(crop.width)] * crop.height
        return super().render_lines(crop)
