"""Rows at one width: how high each item is, and the lines of the few that are looked at."""

from __future__ import annotations

from statistics import mean

from textual.content import Content
from textual.selection import Selection

from tui.widgets.heights import BLOCK, Heights
from tui.widgets.recent import Recent
from tui.widgets.rows import Rows, common_prefix

CACHED_ITEMS = 512
MEASURED_AT_ONCE = 64
"""Items at the end that are measured at once, at least; what was before them, when somebody comes near."""
SAMPLE = 64
"""Items by which the height of the others is guessed."""


class Measured:
    """Knows where every item is, once `measure` gave it a width; before that it knows of no item at all."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.width = 0
        self._at_once = MEASURED_AT_ONCE
        self.heights = Heights()
        self._lines: Recent[int, list[Content]] = Recent(CACHED_ITEMS)

    def measure(self, width: int) -> None:
        """Everything anew, at `width` cells."""
        self.width = width
        self._lines.clear()
        self.heights = Heights()
        self.grow()

    def expect(self, lines: int) -> None:
        """So many may be in view together, each of an item of its own."""
        self._at_once = max(MEASURED_AT_ONCE, lines)

    def grow(self) -> int:
        """Measure what was added at the end, of very much only the last of it; returns how many items that were."""
        known, count = len(self.heights), len(self.rows)
        if self.width <= 0 or count <= known:
            return 0
        first, last = -(-known // BLOCK), (count - self._at_once) // BLOCK
        if first < last:
            if not known:
                sample = self._heights_of(range(max(0, count - SAMPLE), count))
                self.heights.guess = max(1, round(mean(sample)))
            self.heights.extend(self._heights_of(range(known, first * BLOCK)))
            self.heights.suppose(last - first)
        self.heights.extend(self._heights_of(range(len(self.heights), count)))
        return count - known

    def reach(self, first: int, last: int) -> bool:
        """Measure what was only guessed of the items `first` to `last`; whether there was any."""
        numbers = self.heights.unmeasured(first, last)
        for number in numbers:
            items = range(number * BLOCK, (number + 1) * BLOCK)
            self.heights.measured(number, self._heights_of(items))
            for item in items:
                self._lines.discard(item)
        return bool(numbers)

    def _heights_of(self, items: range) -> list[int]:
        return [self.rows.height(item, self.width) for item in items]

    def change(self, item: int) -> tuple[int, int]:
        """Measure one item again; returns by how many lines it grew, and the first of its lines that is another one."""
        before = self._lines.get(item)
        self._lines.discard(item)
        growth = self.heights.set(item, self.rows.height(item, self.width))
        if before is None:
            return growth, 0
        now = self.lines(item)
        others = (index for index, (old, new) in enumerate(zip(before, now, strict=False)) if old is not new)
        return growth, next(others, min(len(before), len(now)))

    def replace(self, rows: Rows | None, common: int | None) -> int:
        """Take other rows, or the same again; returns how many items at the start stayed as they were."""
        if rows is not None:
            common = common_prefix(self.rows, rows) if common is None else common
            self.rows = rows
        common = min(common or 0, len(self.heights), len(self.rows))
        for item in [item for item in self._lines.keys() if item >= common]:  # noqa: SIM118 - no mapping
            self._lines.discard(item)
        self.heights.truncate(common)
        self.grow()
        return common

    def forget_lines(self) -> None:
        """Render again what is looked at; heights stay."""
        self._lines.clear()

    def lines(self, item: int) -> list[Content]:
        """Exactly as many as the height promised; an item that can't be drawn says so in its place."""
        lines = self._lines.get(item)
        if lines is None:
            lines = self._render(item)
            height = self.heights.height(item)
            lines = (lines + [Content("")] * height)[:height]
            self._lines.set(item, lines)
        return lines

    def _render(self, item: int) -> list[Content]:
        try:
            return self.rows.render(item, self.width)
        except Exception as error:  # One bad item must not take the screen with it.
            return [Content.styled(f"could not draw item {item}: {type(error).__name__}", "$error")]

    def selected_text(self, selection: Selection) -> str:
        """What a selection by mouse covers, as it is drawn; all of it gives the items' own text."""
        if selection.start is None and selection.end is None:
            return "\n".join(self.rows.text(index) for index in range(len(self.rows)))
        first = selection.start.y if selection.start else 0
        last = min(selection.end.y if selection.end else self.heights.total, self.heights.total - 1)
        return "\n".join(self._selected(selection, line) for line in range(first, last + 1))

    def _selected(self, selection: Selection, line: int) -> str:
        item, part = self.heights.locate(line)
        start, end = selection.get_span(line) or (0, 0)
        text = self.lines(item)[part].plain
        return text[start:] if end == -1 else text[start:end]
