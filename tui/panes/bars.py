"""Bars and curves as lines of a sheet, from the arithmetic of the gauge and the chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from tui.panes import figures
from tui.widgets.chart import Ahead, blocks
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
    values: Sequence[float],
    height: int,
    labels: tuple[str, str],
    marks: Iterable[float] = (),
    ahead: Ahead | None = None,
) -> list[Content]:
    """One column a value, with its scale on the left; `marks` are places (0 to 1) pointed at from below."""
    margin, top = max(map(len, labels)) + 1, max([*values, *(ahead.highs if ahead else ())], default=0.0)
    scale = [labels[0], *[""] * (height - 2), labels[1]]
    coming = ahead.rows(height, top) if ahead else [""] * height
    lines = [
        Content.assemble((f"{label:>{margin - 1}} ", "$muted"), (row, "$primary"), (rest, "$muted"))
        for label, row, rest in zip(scale, blocks(values, height, top), coming, strict=True)
    ]
    places = {min(len(values) - 1, int(mark * len(values))) for mark in marks}
    if places:
        pointers = "".join("▲" if column in places else " " for column in range(len(values)))
        lines.append(Content.styled(" " * margin + pointers, "$context-digest"))
    return lines


def curve_columns(width: int, labels: tuple[str, str]) -> int:
    """How many columns a curve has in `width` cells."""
    return max(1, width - max(map(len, labels)) - 1)
