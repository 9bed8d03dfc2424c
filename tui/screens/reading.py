"""Looking closer: opening things in the reader, copying, folding, and going from a call to its place and back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from textual import work

from core.events import ToolFinished
from core.folds.conversation import Item
from core.folds.tool_calls import Call
from tui.clipboard import copied
from tui.messages import CallOpened, ItemOpened
from tui.panes.conversation_rows import fold_key
from tui.safe import one_line
from tui.screens.searching import Searching

if TYPE_CHECKING:
    from tui.screens.reader import ReaderScreen

CHOOSE_CALL = "Choose a call first: up and down in the conversation or in the tool calls."


class Reading(Searching):
    """What only looks, and changes nothing."""

    # The reader

    def on_call_opened(self, message: CallOpened) -> None:
        message.stop()
        call = self.view.tool_calls.get(message.key)
        if call is not None:
            self._read_in_full(self._reader_of_call(call))

    def on_item_opened(self, message: ItemOpened) -> None:
        message.stop()
        self._read_in_full(self._reader_of(message.item))

    def _read_in_full(self, reader: ReaderScreen | None) -> None:
        if reader is not None:
            self.app.push_screen(reader)

    def _reader_of(self, item: Item) -> ReaderScreen | None:
        if item.call is None:
            from tui.screens.reader import ReaderScreen  # Late: what renders Markdown, nobody needs at first.

            return ReaderScreen.of_item(item, self.view, self.source, self.neighbour)
        call = self.view.tool_calls.get(item.call)
        return self._reader_of_call(call) if call is not None else None

    def _reader_of_call(self, call: Call) -> ReaderScreen:
        from tui.screens.reader import ReaderScreen

        if call.key in self.view.delegations.by_call:
            from tui.screens.call_reader import DelegateReader

            return DelegateReader(call, self.looking.at, self.source, self.neighbour, self.locate, film=self.film)
        return ReaderScreen.of_call(call, self.looking.at, self.source, self.neighbour, self.locate)

    def neighbour(self, step: int) -> ReaderScreen | None:
        """Move the cursor of the list that was read from; a reader of what stands there. None at its ends."""
        return self._next_call(step) if self.front == "tool_calls" else self._next_item(step)

    def _next_call(self, step: int) -> ReaderScreen | None:
        call = self.tool_calls.move(step)
        return self._reader_of_call(call) if call is not None else None

    def _next_item(self, step: int) -> ReaderScreen | None:
        here = self.conversation.selected
        item = self.conversation.move(step)
        while item is not None and here is not None and fold_key(item) == fold_key(here):
            item = self.conversation.move(step)
        return self._reader_of(item) if item is not None else None

    def action_open(self) -> None:
        """Enter outside of a list opens what the conversation's cursor is on."""
        self.conversation.line_list.action_open()

    # From here to there

    def action_locate(self) -> None:
        """From a call to where it was made in the conversation, and from there to its line among the calls."""
        if self.front == "tool_calls":
            call = self.tool_calls.selected
        else:
            item = self.conversation.selected
            call = self.view.tool_calls.get(item.call) if item is not None else None
        if call is None:
            self.say(CHOOSE_CALL)
        elif self.front == "tool_calls":
            self.locate(call)
        else:
            self.choose("tool_calls")
            self.call_after_refresh(self.tool_calls.select, call.key)

    def locate(self, call: Call) -> None:
        """Show where a call was made."""
        if self.conversation.holds(call):
            self.choose("conversation")
            self.call_after_refresh(self.conversation.select_call, call)
        else:
            self.say("That call was made on a branch that was left; the conversation does not show it.")

    def film(self, call: Call) -> None:
        """Watch the session that works for a call, as of the moment that is shown."""
        from tui.screens.film import FilmScreen  # Late: it is made of all this.

        found = self.films(self.view.delegations.by_call[call.key].session)
        if found is None:
            self.say("The log of that session is not here.", wrong=True)
            return
        at_us = None if self.looking.at is None else self.view.timeline.at_us(self.looking.at)
        self.app.push_screen(FilmScreen(*found, clock=self.clock, at_us=at_us))

    # Other ways to look

    def action_fold(self) -> None:
        if not self.conversation.fold():
            self.say("Choose thinking or a result of several lines first; o folds and unfolds it.")

    def action_times(self) -> None:
        self.conversation.change_times()

    def action_same_tool(self) -> None:
        self.tool_calls.only_this_tool()

    # Copying

    @work(exit_on_error=False)
    async def action_copy(self) -> None:
        """What is selected with the mouse, else the item under the cursor; of a call's result all of it."""
        text = self.get_selected_text() or await self._text_to_copy()
        self.copy(text)

    async def _text_to_copy(self) -> str:
        if self.front == "tool_calls":
            return self.tool_calls.line_list.copy_text()
        item = self.conversation.selected
        if item is not None and item.kind == "result" and self.conversation.line_list.cursor is not None:
            event = await self.source.event(item.seq)
            if event is not None and isinstance(event.body, ToolFinished):
                return event.body.content
        return self.conversation.line_list.copy_text()

    def copy(self, text: str) -> None:
        """Put a text onto the clipboard, and say what that needs."""
        self.app.copy_to_clipboard(text)
        self.say(one_line(copied(text, os.environ)))
