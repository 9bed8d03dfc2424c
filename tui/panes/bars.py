"""Bars and curves as lines of a sheet, from the arithmetic of the gauge and the chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from tui.panes import figures
from tui.widgets.chart import blocks, resample
from tui.widgets.gauge import Part, stacked


def filled(share: float, width: int, variable: str) -> Content:
    """How much of something is used up; more than all of it is a full bar."""
    used = round(min(max(share, 0.0), 1.0) * 1_000_000)
    return stacked([Part("", used, variable), Part("", 1_000_000 - used, "context-free", empty=True)], width)


def gauge(share: float | None, width: int, variable: str) -> Content:
    """`filled` with its per cent behind it; the bar gives way where there is no room. An unknown share has no bar."""
    figure = f" {figures.percent(share):>5}"
    if share is None or width < len(figure) + 4:
        return Content(figure.strip())
    return filled(share, width - len(figure), variable) + Content.styled(figure, f"bold ${variable}")


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
