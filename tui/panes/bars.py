"""Bars and curves as lines of a sheet, from the arithmetic of the gauge and the chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from tui.widgets.chart import blocks, resample
from tui.widgets.gauge import Part, bar_cells

_EIGHTHS = " ▏▎▍▌▋▊▉"


def stacked(parts: Sequence[Part], width: int) -> Content:
    """The parts side by side in `width` cells, each in its colour; room is drawn lightly."""
    cells = bar_cells([max(0, part.amount) for part in parts], width)
    return Content.assemble(*(_cell(eighths, parts[front], parts[behind]) for eighths, front, behind in cells))


def _cell(eighths: int, front: Part, behind: Part) -> tuple[str, str]:
    if eighths < 8 and front.empty:
        front, eighths = (front if eighths >= 4 else behind), 8
    if eighths == 8:
        return ("░" if front.empty else "█", f"${front.variable}")
    return (_EIGHTHS[eighths], f"${front.variable}" + ("" if behind.empty else f" on ${behind.variable}"))


def filled(share: float, width: int, variable: str) -> Content:
    """How much of something is used up; more than all of it is a full bar."""
    used = round(min(max(share, 0.0), 1.0) * 1_000_000)
    return stacked([Part("", used, variable), Part("", 1_000_000 - used, "context-free", empty=True)], width)


def curve(
    values: Sequence[float], width: int, height: int, labels: tuple[str, str], marks: Iterable[float] = ()
) -> list[Content]:
    """The values over time with its scale on the left; `marks` are places (0 to 1) pointed at from below."""
    margin = max(map(len, labels)) + 1
    columns = max(1, width - margin)
    rows = blocks(resample(values, columns), height, max(values, default=0.0))
    scale = [labels[0], *[""] * (height - 2), labels[1]]
    lines = [
        Content.assemble((f"{label:>{margin - 1}} ", "$muted"), (row, "$primary"))
        for label, row in zip(scale, rows, strict=True)
    ]
    places = {min(columns - 1, int(mark * columns)) for mark in marks}
    if places:
        pointers = "".join("▲" if column in places else " " for column in range(columns))
        lines.append(Content.styled(" " * margin + pointers, "$context-digest"))
    return lines
