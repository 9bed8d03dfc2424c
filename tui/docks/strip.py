"""The session at a glance, cell by cell: how many calls, what stood out, what it cost. Pure content of a few lines.

Costs what its width costs: the cells come counted from `core.folds.lanes`, whatever the length of the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from itertools import groupby
from operator import itemgetter

from textual.content import Content

from core.folds.lanes import Cell, Lanes, rounded
from core.folds.view import SessionView
from tui.panes.sheet_lines import MUTED

GLYPHS = {
    "bookmarks": ("★", "$warning", "bookmark"),
    "humans": ("▲", "$accent", "you"),
    "rewinds": ("↶", "$accent", "rewind"),
    "guards": ("◆", "$guard", "guard"),
    "errors": ("×", "$error", "error"),
    "compressions": ("▼", "$secondary", "compression"),
    "edits": ("+", "$success", "edit"),
    "checkpoints": ("·", MUTED, "checkpoint"),
}
"""Lane -> glyph, colour and word, the more telling ones first where several share a cell."""
RARE = ("bookmarks", "humans", "rewinds", "guards", "errors", "compressions")
"""What stands in place of the calls where there is only one line."""
BARS = "▁▂▃▄▅▆▇█"
RAIL = "─"
NOTE = "✎"
"""Where somebody wrote a note, whatever else is there."""
GUTTER = 6
"""Cells of the names at the left, where there are several lines."""

_Piece = tuple[str, str]
Row = tuple[str, list[_Piece]]
"""What a line is called, and what stands in each of its cells: text and style."""


def rows(cells: Sequence[Cell], noted: Set[int] = frozenset(), *, three: bool) -> list[Row]:
    """Calls, marks and cost under each other; or on one line notes, the rare moments, and between them the calls."""
    calls = _calls(cells)
    if not three:
        pieces = [_mark(cell, RARE) or piece for cell, piece in zip(cells, calls, strict=True)]
        return [("", _with_notes(pieces, noted))]
    marks = _with_notes([_mark(cell, GLYPHS) or (" ", "") for cell in cells], noted)
    return [("calls", calls), ("marks", marks), _cost(cells)]


def work_rows(cells: Sequence[Cell], view: SessionView, *, three: bool) -> list[Row]:
    """How well it went: of the calls of each cell how many failed, and how many asked again what was known."""
    again = [view.tallies.at(cell.last).vain - view.tallies.at(cell.first - 1).vain for cell in cells]
    failed = [cell.errors for cell in cells]
    if not three:
        troubled = [_share(cell, bad + vain, "$error") for cell, bad, vain in zip(cells, failed, again, strict=True)]
        return [("", troubled)]
    fails = [_share(cell, bad, "$error") for cell, bad in zip(cells, failed, strict=True)]
    vains = [_share(cell, vain, "$warning") for cell, vain in zip(cells, again, strict=True)]
    third = ("drift", _drift(cells, view)) if view.drift.share() is not None else _cost(cells)
    return [("fails", fails), ("again", vains), third]


def lines(rows: Sequence[Row], here: int | None) -> list[Content]:
    """The rows as they look from cell `here` (None: live); their names at the left, where there are several."""
    named = len(rows) > 1
    return [
        Content.styled(name.ljust(GUTTER), MUTED) + _line(pieces, here) if named else _line(pieces, here)
        for name, pieces in rows
    ]


def _with_notes(pieces: list[_Piece], noted: Set[int]) -> list[_Piece]:
    return [(NOTE, "$user") if index in noted else piece for index, piece in enumerate(pieces)]


def _cost(cells: Sequence[Cell]) -> Row:
    return "cost", _bars([cell.usd for cell in cells], "$secondary")


def _drift(cells: Sequence[Cell], view: SessionView) -> list[_Piece]:
    """How far from the task it seemed: a full bar where the number was at its threshold or above."""
    shares = [view.drift.share(cell.last) for cell in cells]
    full = len(BARS) - 1
    return [
        (RAIL, "$faint") if share is None else (BARS[min(full, int(share * full))], "$guard" if share >= 1 else MUTED)
        for share in shares
    ]


def _share(cell: Cell, count: int, style: str) -> _Piece:
    """A bar as high as the share of the calls; a rail where there were none. A call may end in another cell."""
    calls = max(cell.calls, count)
    if not calls:
        return RAIL, "$faint"
    share = count / calls
    return (BARS[min(len(BARS) - 1, int(share * len(BARS)))], style) if count > 0 else (BARS[0], "$success")


def target(lanes: Lanes, cell: Cell) -> int:
    """The event that a click on a cell means: what stands out in it, else its first one."""
    marked = (lanes.first(lane, cell) for lane in GLYPHS)
    return next((seq for seq in marked if seq is not None), min(cell.first, max(1, cell.last)))


def legend(cells: Sequence[Cell], room: int) -> Content:
    """What the glyphs mean, of those that are there, as many as fit."""
    line = Content("")
    for lane, (glyph, style, word) in GLYPHS.items():
        part = Content.assemble((glyph, style), (f" {word}  ", MUTED))
        if line.cell_length + part.cell_length <= room and any(getattr(cell, lane) for cell in cells):
            line += part
    return line


def _mark(cell: Cell, lanes: Iterable[str]) -> _Piece | None:
    return next((GLYPHS[lane][:2] for lane in lanes if getattr(cell, lane)), None)


def _calls(cells: Sequence[Cell]) -> list[_Piece]:
    """Bars in the colour of the worst in the cell."""
    bars = _bars([cell.calls for cell in cells], "$primary")
    colours = ["$error" if cell.errors else "$success" if cell.edits else "" for cell in cells]
    return [(bar, colour if colour and bar != RAIL else own) for (bar, own), colour in zip(bars, colours, strict=True)]


def _bars(values: Sequence[float], style: str) -> list[_Piece]:
    """Against a round maximum, which seldom changes: what was drawn stays as it is."""
    most = max(values, default=0)
    scale = rounded(int(most * 10_000) + 1) / 10_000 if most else 1
    return [
        (BARS[min(len(BARS) - 1, int(value / scale * len(BARS)))], style) if value else (RAIL, "$faint")
        for value in values
    ]


def _line(pieces: Sequence[_Piece], here: int | None) -> Content:
    """Runs of one style; the position reversed, what comes after it faint."""
    past = pieces if here is None else pieces[:here]
    runs = [("".join(text for text, _ in run), style) for style, run in groupby(past, key=itemgetter(1))]
    if here is not None:
        runs += [(text, "bold reverse") for text, _ in pieces[here : here + 1]]
        runs += [("".join(text for text, _ in pieces[here + 1 :]), "$faint")]
    return Content.assemble(*runs)
