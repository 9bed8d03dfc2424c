"""A note in the margin of this moment, for oneself and for whoever it is sent to; and the notes so far, to go there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.message import Message

from core.journal.margin import LONGEST, Note
from tui.docks.dock import title_line
from tui.docks.moments import MomentsDock
from tui.messages import DockClosed
from tui.safe import one_line


@dataclass
class NoteGiven(Message):
    """Write `text` at event `seq`; with `id` in place of that note, which goes away with an empty text."""

    seq: int
    text: str
    id: str | None = None


class NoteDock(MomentsDock[tuple[str, Note]]):
    """Words make a note, or change the one that is at this moment; arrows choose another one, and enter goes there."""

    PLACEHOLDER = "what there is to say of this moment"
    KEYS = (("enter", "write, or go there"), ("↑↓", "choose one to go to"), ("esc", "close"))

    def __init__(self, notes: Sequence[tuple[str, Note]], seq: int) -> None:
        self._seq = seq
        here = next((one for one in notes if one[1].seq == seq), None)
        self._note_id = here[0] if here else None
        super().__init__(notes, here[1].text if here else "")

    def title(self) -> Content:
        return title_line("Note", f"at #{self._seq:,}; emptied it goes away" if self._note_id else f"at #{self._seq:,}")

    def submit(self, text: str) -> None:
        if self.chosen is not None:
            self.go_to(self.chosen[1].seq)
            return
        if not text and self._note_id is None:
            raise ValueError("Write a few words, or choose a note to go to.")
        if len(text) > LONGEST:
            raise ValueError(f"A note has at most {LONGEST:,} characters.")
        self.post_message(NoteGiven(self._seq, text, self._note_id))
        self.post_message(DockClosed())

    def row(self, moment: tuple[str, Note]) -> tuple[str, str, str]:
        note = moment[1]
        return f"#{note.seq:,}".ljust(10), note.text, f"  {one_line(note.by)}" if note.by else ""
