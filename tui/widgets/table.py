"""A light table on the virtual list: one line a row, columns of fixed or flexible width.

A running row ticks by `changed(index)`: one line is painted, nothing is laid out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from tui.safe import one_line
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel
from tui.widgets.wrapping import fit

_GAP = 1
_GUTTER = 1
"""Cells that part the last column from the scrollbar."""


class Column(Struct, frozen=True):
    """`width` in cells, or 0 for a share of what is left; dropped when the table is narrower than `from_width`."""

    title: str
    width: int = 0
    right: bool = False
    from_width: int = 0
    share: int = 1


class TableRows(Protocol):
    """Rows by index."""

    def __len__(self) -> int: ...

    def text(self, index: int) -> str:
        """The row in plain words: what is copied."""
        ...

    def cells(self, index: int) -> Sequence[str | Content]:
        """A cell for each column; plain strings are made safe."""
        ...


def column_widths(columns: Sequence[Column], width: int) -> list[int]:
    """Cells of each column at `width`, 0 for those that are dropped; flexible ones share what is left."""
    shown = [column for column in columns if width >= column.from_width]
    left = max(0, width - sum(column.width for column in shown) - _GAP * (len(shown) - 1))
    shares_left = sum(column.share for column in shown if not column.width)
    widths = []
    for column in columns:
        if column not in shown or column.width:
            widths.append(column.width if column in shown else 0)
            continue
        part = left * column.share // shares_left
        left, shares_left = left - part, shares_left - column.share
        widths.append(part)
    return widths


def table_line(columns: Sequence[Column], cells: Sequence[str | Content], width: int) -> Content:
    """One row, cut to its columns."""
    parts = [
        fit(cell if isinstance(cell, Content) else Content(one_line(cell)), wide, right=column.right)
        for column, cell, wide in zip(columns, cells, column_widths(columns, width), strict=True)
        if wide
    ]
    return Content(" " * _GAP).join(parts)


class _Lines:
    """Table rows as the rows of a list."""

    def __init__(self, columns: Sequence[Column], rows: TableRows) -> None:
        self._columns = columns
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def text(self, index: int) -> str:
        return self._rows.text(index)

    def height(self, index: int, width: int) -> int:
        return 1

    def render(self, index: int, width: int) -> list[Content]:
        return [table_line(self._columns, self._rows.cells(index), width - _GUTTER)]


class _Header(LiveLabel):
    """The titles, over the list's own columns."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(classes="table--header")
        self._columns = columns
        self._cells: Sequence[str | Content] | None = None

    def on_resize(self) -> None:
        self.show(self._cells)

    def show(self, cells: Sequence[str | Content] | None) -> None:
        """The titles, or these cells in their place."""
        self._cells = cells
        titles = [Content(column.title) for column in self._columns]
        line = table_line(self._columns, titles if cells is None else cells, self.size.width - 2 - _GUTTER)
        self.update(Content.assemble(" ", line))
        self.set_class(cells is not None, "-pinned")


class Table(Vertical):
    """Titles over a `LineList`, which is `table.list`: cursor, follow state and messages are its."""

    DEFAULT_CSS = """
    Table { height: 1fr; }
    Table > .table--header { color: $muted; text-style: bold; }
    Table > .table--header.-pinned { color: $foreground; text-style: none; background: $panel; }
    """

    def __init__(
        self,
        columns: Sequence[Column],
        rows: TableRows,
        *,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._columns = tuple(columns)
        self.list = LineList(_Lines(self._columns, rows))

    def compose(self) -> ComposeResult:
        yield _Header(self._columns)
        yield self.list

    def pin(self, cells: Sequence[str | Content] | None) -> None:
        """Show a row in the place of the titles, wherever the list stands; None: the titles."""
        self.query_one(_Header).show(cells)

    def appended(self) -> None:
        """Rows grew at their end."""
        self.list.appended()

    def changed(self, index: int) -> None:
        """One row reads differently now."""
        self.list.changed(index)

    def reset(self, rows: TableRows | None = None, *, common: int = 0) -> None:
        """Show other rows, or the same after a jump in time; the first `common` of them are as they were."""
        self.list.reset(None if rows is None else _Lines(self._columns, rows), common=common)
