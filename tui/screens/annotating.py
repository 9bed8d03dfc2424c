"""What people write in the margin: notes at moments of the session, and which of its changes they have reviewed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from core.folds.highlights import Moment
from core.journal.errors import JournalError
from core.journal.margin import Margin, MarginFile
from tui.docks.dock import Dock
from tui.docks.notes import NoteDock, NoteGiven
from tui.docks.scrubber import Scrubber
from tui.screens.session_screen import SessionScreen


class Annotating(SessionScreen):
    """`margin` is the file that it is kept in; None where there is no place for one."""

    def __init__(self, *args: Any, margin: MarginFile | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.margin_file, self.margin = margin, Margin()

    def on_mount(self) -> None:
        if self.margin_file is not None:
            self.run_worker(self._read_margin(self.margin_file), name="margin", exit_on_error=False)

    async def _read_margin(self, file: MarginFile) -> None:
        try:
            self.margin = await asyncio.to_thread(file.read)
        except JournalError as fault:
            self.say(str(fault), wrong=True)
            return
        self._show_notes()

    def _show_notes(self) -> None:
        self.query_one(Scrubber).set_notes([(note.seq, note.text) for _, note in self.margin.standing()])

    async def action_note(self) -> None:
        """Write something at the moment that is shown."""
        if self.margin_file is None:
            self.say("There is no place for notes here: this film came on standard input.", wrong=True)
        else:
            await self.put_dock(NoteDock(self.margin.standing(), max(1, self.looking.seq)))

    async def on_note_given(self, message: NoteGiven) -> None:
        message.stop()
        if self.margin_file is None:
            return
        try:
            await asyncio.to_thread(self.margin_file.write, message.seq, message.text, message.id)
        except JournalError as fault:
            self.say(str(fault), wrong=True)
            return
        await self._read_margin(self.margin_file)
        self.say(f"Noted at #{message.seq:,}." if message.text else "The note is gone.")

    async def review(self, fingerprints: Sequence[str], done: bool) -> Margin:
        """Mark changes as reviewed, or no more; what the margin then holds."""
        if self.margin_file is not None:
            await asyncio.to_thread(self.margin_file.review, list(fingerprints), done=done)
            self.margin = await asyncio.to_thread(self.margin_file.read)
        return self.margin

    def noted_moments(self) -> list[Moment]:
        """The notes, as moments of the way in."""
        return [
            Moment(note.seq, self.view.timeline.at_us(note.seq), "note", note.text, 0)
            for _, note in self.margin.standing()
        ]

    async def put_dock(self, dock: Dock) -> None:
        """Put a dock at the bottom that steers nothing."""
        raise NotImplementedError
