"""Finding words in the conversation, narrowing the calls, and the next failure: jumps of the eye, not of the time."""

from __future__ import annotations

from msgspec.structs import replace
from textual.content import Content

from core.folds.view import Changes
from tui.docks.search import CallsNarrowed, NarrowDock, SearchDock, SearchGiven
from tui.panes.conversation import ConversationPane
from tui.panes.matches import Hit
from tui.panes.tool_calls import ToolCallsPane
from tui.safe import one_line
from tui.screens.steering import Steering


class Searching(Steering):
    """`/`, `n`, `N`, and `e`. The pane in front says what `/` searches."""

    _words = ""
    _hit: Hit | None = None

    @property
    def conversation(self) -> ConversationPane:
        return self.query_one(ConversationPane)

    @property
    def tool_calls(self) -> ToolCallsPane:
        return self.query_one(ToolCallsPane)

    @property
    def front(self) -> str:
        """The id of the pane in front."""
        raise NotImplementedError

    def choose(self, name: str) -> None:
        """Bring a pane to the front."""
        raise NotImplementedError

    @property
    def search_chip(self) -> Content:
        """`“words” 3 of 17`; nothing while nothing is searched for."""
        if self._hit is None:
            return Content("")
        words = one_line(self._words)
        shown = words if len(words) <= 16 else f"{words[:15]}…"
        return Content.styled(f"“{shown}” {self._hit.number:,} of {self._hit.total:,}", "bold $accent")

    async def action_search(self) -> None:
        calls = self.front == "tool_calls"
        await self.put_dock(NarrowDock(self.tool_calls.wanted.words) if calls else SearchDock(self._words))

    def on_calls_narrowed(self, message: CallsNarrowed) -> None:
        message.stop()
        pane = self.tool_calls
        if message.words != pane.wanted.words:
            pane.narrow(replace(pane.wanted, words=message.words))

    def on_search_given(self, message: SearchGiven) -> None:
        message.stop()
        self._words, self._hit = message.words, None
        self.conversation.line_list.highlight(message.words)
        if message.words:
            self.action_next_match(-1)
        self.show_moment(Changes.STATUS)

    def action_next_match(self, step: int = 1) -> None:
        """To the next entry that holds the words; the search begins at the end, backwards."""
        if not self._words:
            self.say("Nothing is searched for yet; / begins a search.")
            return
        self._hit = self.conversation.find(self._words, step)
        if self._hit is None:
            self.say(f"{self._words!r} is not in the conversation.", wrong=True)
        elif self.front != "conversation":
            self.choose("conversation")
        self.show_moment(Changes.STATUS)

    def action_previous_match(self) -> None:
        self.action_next_match(-1)

    def action_next_error(self) -> None:
        """The next failure: in the past by time, now by moving the cursor of the conversation."""
        if self.looking.back:
            if self.looking.to_mark("error", 1):
                self.show_moment(Changes.STATUS)
            else:
                self.say("There is no later error.")
        elif self.conversation.find_failure() is None:
            self.say("Nothing has failed so far.")
