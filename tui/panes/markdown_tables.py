"""Tables of Markdown as aligned columns; where they are too wide, the widest cells wrap within their column."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual.content import Content

from tui.widgets.wrapping import wrap

GAP = " │ "
NARROWEST = 6
"""Cells to which a column may be squeezed."""
_RULE = re.compile(r"\s*\|?(\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*$")
_BAR = re.compile(r"(?<!\\)\|")


def is_rule(line: str) -> bool:
    """Whether a line parts the titles of a table from its rows."""
    return bool(_RULE.match(line))


def cells_of(line: str) -> list[str]:
    """The cells of a row."""
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip().replace("\\|", "|") for cell in _BAR.split(inner)]


def table_lines(rows: Sequence[Sequence[Content]], width: int) -> list[Content]:
    """The first row as titles, a rule, the other rows; at most `width` cells wide where that can be."""
    count = max(map(len, rows))
    filled = [[*row, *[Content("")] * (count - len(row))] for row in rows]
    widths = _widths([max(cell.cell_length for cell in column) for column in zip(*filled, strict=True)], width)
    rule = Content.styled("─┼─".join("─" * wide for wide in widths), "$muted")
    titles, *others = filled
    lines = _row([cell.stylize_before("bold") for cell in titles], widths)
    return [*lines, rule, *(line for row in others for line in _row(row, widths))]


def _widths(natural: Sequence[int], width: int) -> list[int]:
    widths = [max(1, wide) for wide in natural]
    excess = sum(widths) + len(GAP) * (len(widths) - 1) - width
    while excess > 0 and max(widths) > NARROWEST:
        widest = widths.index(max(widths))
        second = max([NARROWEST, *(wide for wide in widths if wide < widths[widest])])
        cut = max(1, min(excess, widths[widest] - second))
        widths[widest] -= cut
        excess -= cut
    return widths


def _row(cells: Sequence[Content], widths: Sequence[int]) -> list[Content]:
    wrapped = [wrap(cell, wide) for cell, wide in zip(cells, widths, strict=True)]
    lines = []
    for at in range(max(map(len, wrapped))):
        parts = [(part[at] if at < len(part) else Content("")) for part in wrapped]
        padded = [part.pad_right(max(0, wide - part.cell_length)) for part, wide in zip(parts, widths, strict=True)]
        lines.append(Content.styled(GAP, "$muted").join(padded))
    return lines
