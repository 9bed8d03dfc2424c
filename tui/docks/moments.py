"""A line for words about this moment, with a list of other moments below it to go to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from tui.docks.dock import LineDock
from tui.messages import DockClosed, SeekRequested
from tui.panes.sheet_lines import MUTED, fit
from tui.safe import one_line

ROWS = 5
"""Moments in sight at once."""
BESIDE = 4
"""Cells beside a row: the mark of the chosen one, and the edges."""
LEAST_WORDS = 8
"""Cells that are left for words, however narrow it is."""

Moment = TypeVar("Moment")


class MomentsDock(LineDock, Generic[Moment]):
    """The arrows choose one of `moments`; none is chosen before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    def __init__(self, moments: Sequence[Moment], value: str = "") -> None:
        super().__init__(value)
        self._moments = moments
        self._cursor: int | None = None

    @property
    def chosen(self) -> Moment | None:
        return None if self._cursor is None else self._moments[self._cursor]

    def row(self, moment: Moment) -> tuple[str, str, str]:
        """Where it is, its words, and what stands behind them."""
        raise NotImplementedError

    def go_to(self, seq: int) -> None:
        """Show that moment, and close."""
        self.post_message(SeekRequested(seq))
        self.post_message(DockClosed())

    def body(self) -> ComposeResult:
        yield from super().body()
        yield Static(self._list(), markup=False, classes="dock--list")

    def on_resize(self) -> None:
        self._draw()

    def action_move(self, steps: int) -> None:
        """Up or down the list; the first key goes to its first entry."""
        if self._moments:
            before = -1 if self._cursor is None else self._cursor
            self._cursor = min(max(before + steps, 0), len(self._moments) - 1)
            self._draw()

    def _draw(self) -> None:
        self.query_one(".dock--list", Static).update(self._list())

    def _list(self) -> Content:
        top = max(0, min((self._cursor or 0) - ROWS // 2, len(self._moments) - ROWS))
        return Content("\n").join(self._line(index) for index in range(top, min(top + ROWS, len(self._moments))))

    def _line(self, index: int) -> Content:
        chosen = index == self._cursor
        where, words, behind = self.row(self._moments[index])
        room = max(LEAST_WORDS, self.app.size.width - len(where) - len(behind) - BESIDE)
        return Content.assemble(
            ("▸ " if chosen else "  ", "bold $accent"),
            (where, MUTED),
            (fit(one_line(words), room), "bold" * chosen),
            (behind, MUTED),
        )
