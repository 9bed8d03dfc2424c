"""A curve over time in block or braille characters, coloured by thresholds.

The drawing is plain functions from numbers to lines of characters; the widget adds colours and the scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.painting import Painter

_BLOCKS = " ▁▂▃▄▅▆▇█"
_DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""Braille bits of the left and right column of a cell, from the bottom up."""

Mode = Literal["blocks", "braille"]


@dataclass(frozen=True, slots=True)
class Band:
    """From `start` on, the curve has the colour of theme variable `variable`."""

    start: float
    variable: str


def resample(values: Sequence[float], columns: int) -> list[float]:
    """`values` spread over `columns`: each column has the last value in its stretch, so steps stay steps."""
    count = len(values)
    if not count:
        return []
    return [values[min(count - 1, max(0, -(-(column + 1) * count // columns) - 1))] for column in range(columns)]


def blocks(values: Sequence[float], height: int, top: float) -> list[str]:
    """`height` lines, top first, one column per value; `top` is the value that fills them all."""
    levels = [_level(value, height * 8, top) for value in values]
    return ["".join(_BLOCKS[min(8, max(0, level - row * 8))] for level in levels) for row in range(height - 1, -1, -1)]


def braille(values: Sequence[float], height: int, top: float) -> list[str]:
    """`height` lines, top first, two values to a column: a line of dots, joined where it jumps."""
    levels = [max(0, _level(value, height * 4, top) - 1) for value in values]
    masks = [[0] * ((len(levels) + 1) // 2) for _ in range(height)]
    before = levels[0] if levels else 0
    for index, level in enumerate(levels):
        for dot in range(min(before, level), max(before, level) + 1) if index else (level,):
            masks[height - 1 - dot // 4][index // 2] |= _DOTS[index % 2][dot % 4]
        before = level
    return ["".join(chr(0x2800 + mask) if mask else " " for mask in line) for line in masks]


def _level(value: float, units: int, top: float) -> int:
    """`value` in units of the drawing; anything above zero shows at least one."""
    if value <= 0 or top <= 0:
        return 0
    return min(units, max(1, round(value / top * units)))


class Chart(Widget):
    """`show` a series, evenly spaced in time, oldest first."""

    DEFAULT_CSS = """
    Chart { height: 4; width: 1fr; }
    """

    def __init__(
        self,
        *,
        mode: Mode = "blocks",
        bands: Sequence[Band] = (Band(0, "primary"),),
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._mode = mode
        self._bands = tuple(bands)
        self._values: tuple[float, ...] = ()
        self._top = 0.0
        self._labels = ("", "")
        self._lines: list[Content] = []
        self._painter = Painter()

    def show(
        self,
        values: Sequence[float],
        *,
        top: float | None = None,
        labels: tuple[str, str] = ("", ""),
        bands: Sequence[Band] | None = None,
    ) -> None:
        """Show `values` on a scale from 0 to `top` (or the highest); `labels` stand at its upper and lower end."""
        new = (tuple(values), max(values, default=0.0) if top is None else top, labels, tuple(bands or self._bands))
        if new != (self._values, self._top, self._labels, self._bands):
            self._values, self._top, self._labels, self._bands = new
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget()

    def render_line(self, y: int) -> Strip:
        base, width = self.visual_style, self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, base.rich_style)
        return self._painter.strip(self._lines[y], base, width)

    def _draw(self) -> None:
        margin = max(len(label) for label in self._labels)
        columns, height = self.size.width - margin - bool(margin), self.size.height
        if columns < 1 or height < 1:
            return
        fine = 2 if self._mode == "braille" else 1
        values = resample(self._values, columns * fine)
        draw = braille if self._mode == "braille" else blocks
        peaks = [max(values[index : index + fine]) for index in range(0, len(values), fine)]
        lines = draw(values, height, self._top)
        self._lines = [self._line(row, line, margin, height, peaks) for row, line in enumerate(lines)]
        self.refresh()

    def _line(self, row: int, text: str, margin: int, height: int, peaks: list[float]) -> Content:
        """One line of the drawing behind its label; each run of columns in one band is one span."""
        label = self._labels[0] if row == 0 else self._labels[1] if row == height - 1 else ""
        parts: list[tuple[str, str]] = [(f"{label:>{margin}} ", "$muted")] if margin else []
        start = 0
        variables = [self._variable(peak) for peak in peaks]
        for column in range(1, len(variables) + 1):
            if column == len(variables) or variables[column] != variables[start]:
                parts.append((text[start:column], f"${variables[start]}"))
                start = column
        return Content.assemble(*parts)

    def _variable(self, value: float) -> str:
        reached = [band for band in self._bands if value >= band.start]
        return max(reached, key=lambda band: band.start).variable if reached else self._bands[0].variable
