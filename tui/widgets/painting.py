"""Content to strips: one place where style names become colours, with the results remembered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual.content import Content, Span
from textual.strip import Strip
from textual.style import Style


class Painter:
    """Paints lines of content over a base style. Span styles may use theme variables: `"bold $tool-fail"`.

    Make a new one, or `forget`, when the theme changes.
    """

    def __init__(self) -> None:
        self._styles: dict[str, Style] = {}
        self._shades: dict[Style, dict[str | Style, RichStyle]] = {}

    def forget(self) -> None:
        """The theme changed: look every style up again."""
        self._styles.clear()
        self._shades.clear()

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
        return Strip(self.segments(content, base), content.cell_length)

    def segments(self, content: Content, base: Style) -> list[Segment]:
        """The text of a line in its colours."""
        spans = content.spans
        if any(before.end > after.start for before, after in pairwise(spans)):
            parts = content.render(base, end="", parse_style=self.style)
            return [Segment(text, style.rich_style) for text, style in parts if text]
        return list(self._side_by_side(content.plain, spans, base))

    def _side_by_side(self, text: str, spans: Sequence[Span], base: Style) -> Iterator[Segment]:
        """The same where each letter has one style at most, which is nearly always so."""
        shades, place = self._shades.setdefault(base, {}), 0
        for start, end, name in spans:
            if place < start:
                yield Segment(text[place:start], base.rich_style)
            if start < end:
                shade = shades.get(name)
                if shade is None:
                    shade = shades[name] = (base + self.style(name)).rich_style
                yield Segment(text[start:end], shade)
            place = max(place, end)
        if place < len(text):
            yield Segment(text[place:], base.rich_style)
