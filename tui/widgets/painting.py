"""Content to strips: one place where style names become colours, with the results remembered."""

from __future__ import annotations

from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip
from textual.style import Style


class Painter:
    """Paints lines of content over a base style. Span styles may use theme variables: `"bold $tool-fail"`.

    Make a new one, or `forget`, when the theme changes.
    """

    def __init__(self) -> None:
        self._styles: dict[str, Style] = {}

    def forget(self) -> None:
        """The theme changed: look every style up again."""
        self._styles.clear()

    def style(self, name: str | Style) -> Style:
        """The style called `name`; an unknown one is plain rather than an error."""
        if isinstance(name, Style):
            return name
        found = self._styles.get(name)
        if found is None:
            found = self._styles[name] = self._parse(name)
        return found

    @staticmethod
    def _parse(name: str) -> Style:
        try:
            return Style.parse(name)
        except Exception:  # Textual raises several kinds for a bad style; a colour is never worth an error here.
            return Style.null()

    def strip(self, content: Content, base: Style, width: int) -> Strip:
        """One line of exactly `width` cells."""
        strip = self.tight(content, base)
        return strip.adjust_cell_length(width, base.rich_style)

    def tight(self, content: Content, base: Style) -> Strip:
        """One line as wide as its text."""
        parts = content.render(base, end="", parse_style=self.style)
        return Strip([Segment(text, style.rich_style) for text, style in parts if text], content.cell_length)
