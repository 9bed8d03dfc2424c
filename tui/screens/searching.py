"""Finding words in the conversation, and the next failure: jumps of the eye, not of the time."""

from __future__ import annotations

from core.folds.view import Changes
from tui.docks.search import SearchDock, SearchGiven
from tui.panes.conversation import ConversationPane
from tui.screens.steering import Steering


class Searching(Steering):
    """`/`, `n`, `N`, and `e`."""

    _words = ""

    @property
    def conversation(self) -> ConversationPane:
        return self.query_one(ConversationPane)

    async def action_search(self) -> None:
        await self.put_dock(SearchDock(self._words))

    def on_search_given(self, message: SearchGiven) -> None:
        message.stop()
        self._words = message.words
        self.conversation.line_list.highlight(message.words)
        if message.words:
            self.action_next_match(-1)

    def action_next_match(self, step: int = 1) -> None:
        """To the next entry that holds the words; the search begins at the end, backwards."""
        if not self._words:
            self.say("Nothing is searched for yet; / begins a search.")
        elif not self.conversation.find(self._words, step):
            self.say(f"{self._words!r} is not in the conversation.", wrong=True)

    def action_previous_match(self) -> None:
        self.action_next_match(-1)

    def action_next_error(self) -> None:
        """The next failure: in the past by time, now by moving the cursor of the conversation."""
        if self.looking.back:
            if self.looking.to_mark("error", 1):
                self.show_moment(Changes.STATUS)
            else:
                self.say("There is no later error.")
        elif not self.conversation.find_failure():
            self.say("Nothing has failed so far.")
