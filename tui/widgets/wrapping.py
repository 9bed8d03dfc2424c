"""Breaking text into lines of a given width: one algorithm for heights (fast, plain) and for what is drawn.

A virtual list needs the height of every item and draws only a few of them. Both come from the same break points, so a
height can never disagree with the drawing.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len, get_character_cell_size
from textual.content import Content


def line_count(text: str, width: int) -> int:
    """How many lines `text` takes when wrapped to `width` cells; at least one."""
    if len(text) <= width and "\n" not in text and text.isascii():
        return 1
    return sum(1 for _ in breaks(text, width))


def breaks(text: str, width: int) -> Iterator[tuple[int, int]]:
    """(start, end) of each wrapped line in characters of `text`; the space or newline at a break belongs to no line."""
    width = max(1, width)
    start = 0
    while True:
        end = text.find("\n", start)
        last = end < 0
        end = len(text) if last else end
        yield from _paragraph(text, start, end, width)
        if last:
            return
        start = end + 1


def _paragraph(text: str, start: int, end: int, width: int) -> Iterator[tuple[int, int]]:
    narrow = text.isascii() or cell_len(text[start:end]) == end - start
    while True:
        fits = min(end, start + width) if narrow else _fitting(text, start, end, width)
        if fits >= end:
            yield start, end
            return
        cut = text.rfind(" ", start + 1, fits + 1)
        if cut < 0:
            yield start, fits
            start = fits
        else:
            yield start, cut
            start = cut + 1


def _fitting(text: str, start: int, end: int, width: int) -> int:
    """Index of the first character from `start` that no longer fits; always moves on, even by a too wide one."""
    cells = 0
    for index in range(start, end):
        cells += get_character_cell_size(text[index])
        if cells > width:
            return max(index, start + 1)
    return end


def wrap(content: Content, width: int) -> list[Content]:
    """`content` as lines of at most `width` cells, styles kept; as many as `line_count` says."""
    plain = content.plain
    if not content.spans:
        return [Content(plain[start:end]) for start, end in breaks(plain, width)]
    return [content[start:end] for start, end in breaks(plain, width)]


def fit(content: Content, width: int, *, right: bool = False) -> Content:
    """Exactly `width` cells: cut with an ellipsis, or padded on the right (on the left when `right`)."""
    if content.cell_length > width:
        content = content.truncate(width, ellipsis=True)
    missing = max(0, width - content.cell_length)
    return content.pad_left(missing) if right else content.pad_right(missing)
