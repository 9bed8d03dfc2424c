"""A word at this moment of the session, to find it again; and the moments that were marked, to go there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from core.folds.timeline import Mark
from tui.docks.dock import LineDock
from tui.messages import DockClosed, SeekRequested
from tui.panes import figures
from tui.panes.sheet_lines import MUTED, fit
from tui.safe import one_line

ROWS = 5
"""Bookmarks in sight at once."""


class BookmarkDock(LineDock):
    """Words make a bookmark; arrows and enter on an empty line go to one. The latest comes first."""

    TITLE = "Bookmark this moment"
    PLACEHOLDER = "a few words"
    KEYS = (("enter", "mark, or go there"), ("↑↓", "choose one to go to"), ("esc", "close"))
    VERB = "bookmark"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    def __init__(self, marks: Sequence[Mark], began_us: int) -> None:
        super().__init__()
        self._marks = [mark for mark in reversed(marks) if mark.kind == "bookmark"]
        self._began_us = began_us
        self._cursor: int | None = None

    def body(self) -> ComposeResult:
        yield from super().body()
        yield Static(self._list(), markup=False, classes="dock--list")

    def on_resize(self) -> None:
        self._draw()

    def action_move(self, steps: int) -> None:
        """Up or down the list; the first key goes to its first entry."""
        if self._marks:
            before = -1 if self._cursor is None else self._cursor
            self._cursor = min(max(before + steps, 0), len(self._marks) - 1)
            self._draw()

    def submit(self, text: str) -> None:
        if not text and self._cursor is not None:
            self.post_message(SeekRequested(self._marks[self._cursor].seq))
            self.post_message(DockClosed())
        else:
            super().submit(text)

    def accept(self, text: str) -> dict[str, Any]:
        if not text:
            raise ValueError("Write a few words by which you will know the moment again.")
        return {"text": text}

    def _draw(self) -> None:
        self.query_one(".dock--list", Static).update(self._list())

    def _list(self) -> Content:
        cursor = self._cursor or 0
        top = max(0, min(cursor - ROWS // 2, len(self._marks) - ROWS))
        return Content("\n").join(self._row(index) for index in range(top, min(top + ROWS, len(self._marks))))

    def _row(self, index: int) -> Content:
        mark, chosen = self._marks[index], index == self._cursor
        when = f"{figures.elapsed(mark.at_us - self._began_us)}  #{mark.seq:,}".ljust(20)
        room = max(8, self.app.size.width - len(when) - 4)
        words = fit(one_line(mark.text), room)
        return Content.assemble(("▸ " if chosen else "  ", "bold $accent"), (when, MUTED), (words, "bold" * chosen))
