"""Lines of a sheet: label and figure on one line, hanging paragraphs, small tables. No widgets, only content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from tui.widgets.wrapping import wrap

MUTED = "$muted"
ELLIPSIS = "…"


class Later(Sequence[Content]):
    """Lines that are made, from their numbers, once they are looked at: most stand below what is in sight."""

    def __init__(self, count: int, make: Callable[[int], Content]) -> None:
        self._count, self._make = count, make
        self._made: dict[int, Content] = {}

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Content: ...
    @overload
    def __getitem__(self, index: slice) -> list[Content]: ...
    def __getitem__(self, index: int | slice) -> Content | list[Content]:
        if isinstance(index, slice):
            return [self[number] for number in range(self._count)[index]]
        number = range(self._count)[index]
        if number not in self._made:
            self._made[number] = self._make(number)
        return self._made[number]


def clip(text: str, width: int) -> str:
    """`text` on one line in at most `width` cells, with an ellipsis where it was cut."""
    line = text if text.isprintable() else " ".join(text.split())
    if cell_len(line) <= width:
        return line
    return set_cell_size(line, width - 1).rstrip() + ELLIPSIS if width > 0 else ""


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells."""
    line = clip(text, width)
    padding = " " * (width - cell_len(line))
    return padding + line if right else line + padding


def within(line: Content, width: int) -> Content:
    """`line` in at most `width` cells."""
    return line if line.cell_length <= width else line.truncate(width, ellipsis=True)


def sentence(text: str, width: int) -> list[Content]:
    """What is said where there is nothing to show."""
    return paragraph(text, width, style=MUTED)


def spread(left: Content, right: Content, width: int) -> Content:
    """`left` and `right` at the two ends of a line; the left one gives way."""
    room = width - right.cell_length - 1
    if left.cell_length > room:
        left = left.truncate(max(0, room), ellipsis=True)
    return left + Content(" " * (width - left.cell_length - right.cell_length)) + right


def heading(text: str) -> Content:
    """The small title of a block."""
    return Content.styled(text, MUTED)


def paragraph(
    text: str, width: int, *, indent: int = 0, style: str = "", first: Content | None = None
) -> list[Content]:
    """`text` wrapped to `width`, every line indented; `first` (of `indent` cells) stands before the first one."""
    lines = wrap(Content.styled(text, style), max(8, width - indent))
    margins = [first or Content(" " * indent)] + [Content(" " * indent)] * (len(lines) - 1)
    return [margin + line for margin, line in zip(margins, lines, strict=True)]


def table(rows: Sequence[Sequence[str]], widths: Sequence[int], styles: Sequence[str] | None = None) -> list[Content]:
    """Rows of cells; a negative width aligns right. Columns are two cells apart."""
    styles = styles or [""] * len(widths)
    return [
        Content("  ").join(
            Content.styled(fit(cell, abs(width), right=width < 0), style)
            for cell, width, style in zip(row, widths, styles, strict=True)
        )
        for row in rows
    ]
