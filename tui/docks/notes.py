"""A note in the margin of this moment, for oneself and for whoever it is sent to; and the notes so far, to go there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from core.journal.margin import LONGEST, Note
from tui.docks.dock import LineDock, title_line
from tui.messages import DockClosed, SeekRequested
from tui.panes.sheet_lines import MUTED, fit
from tui.safe import one_line

ROWS = 5
"""Notes in sight at once."""


@dataclass
class NoteGiven(Message):
    """Write `text` at event `seq`; with `id` in place of that note, which goes away with an empty text."""

    seq: int
    text: str
    id: str | None = None


class NoteDock(LineDock):
    """Words make a note, or change the one that is at this moment; arrows choose another one, and enter goes there."""

    PLACEHOLDER = "what there is to say of this moment"
    KEYS = (("enter", "write, or go there"), ("↑↓", "choose one to go to"), ("esc", "close"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    def __init__(self, notes: Sequence[tuple[str, Note]], seq: int) -> None:
        self._notes, self._seq = notes, seq
        self._id, here = next(((id, note.text) for id, note in notes if note.seq == seq), (None, ""))
        super().__init__(here)
        self._cursor: int | None = None

    def title(self) -> Content:
        return title_line("Note", f"at #{self._seq:,}; emptied it goes away" if self._id else f"at #{self._seq:,}")

    def body(self) -> ComposeResult:
        yield from super().body()
        yield Static(self._list(), markup=False, classes="dock--list")

    def on_resize(self) -> None:
        self._draw()

    def action_move(self, steps: int) -> None:
        """Up or down the list; the first key goes to its first entry."""
        if self._notes:
            before = -1 if self._cursor is None else self._cursor
            self._cursor = min(max(before + steps, 0), len(self._notes) - 1)
            self._draw()

    def submit(self, text: str) -> None:
        if self._cursor is not None:
            self.post_message(SeekRequested(self._notes[self._cursor][1].seq))
        elif not text and self._id is None:
            raise ValueError("Write a few words, or choose a note to go to.")
        elif len(text) > LONGEST:
            raise ValueError(f"A note has at most {LONGEST:,} characters.")
        else:
            self.post_message(NoteGiven(self._seq, text, self._id))
        self.post_message(DockClosed())

    def _draw(self) -> None:
        self.query_one(".dock--list", Static).update(self._list())

    def _list(self) -> Content:
        cursor = self._cursor or 0
        top = max(0, min(cursor - ROWS // 2, len(self._notes) - ROWS))
        return Content("\n").join(self._row(index) for index in range(top, min(top + ROWS, len(self._notes))))

    def _row(self, index: int) -> Content:
        note, chosen = self._notes[index][1], index == self._cursor
        where = f"#{note.seq:,}".ljust(10)
        who = f"  {one_line(note.by)}" if note.by else ""
        words = fit(one_line(note.text), max(8, self.app.size.width - len(where) - len(who) - 5))
        return Content.assemble(
            ("▸ " if chosen else "  ", "bold $accent"), (where, MUTED), (words, "bold" * chosen), (who, MUTED)
        )
