"""One result is to leave the context: with the next compression, or at once, which has a price of its own."""

from __future__ import annotations

from tui.docks.compress_lines import change_note, price
from tui.docks.dock import Choice, ChoiceDock
from tui.docks.previewing import Ask, Previewed, PreviewFailed, Previewing
from tui.messages import ItemEvictAsked
from tui.panes import figures
from tui.panes.sheet_lines import clip
from tui.safe import one_line

STUB = "A line with its handle takes its place; recall(handle) returns all of it."


class EvictDock(Previewing, ChoiceDock, can_focus=True):
    """Leaving later costs nothing by itself; leaving at once can be chosen only when its own price is there.

    `ask` computes what it would do to evict this one item now.
    """

    def __init__(self, item: ItemEvictAsked, ask: Ask) -> None:
        self._what = f"{clip(one_line(item.label), 58)}: {figures.tokens(item.tokens)} tokens."
        self._later = Choice("w", "with the next compression", "evict", {"seq": item.seq})
        self._now = Choice("n", "now", "evict", {"seq": item.seq, "now": True})
        self._ask = ask
        facts = [self._what, STUB, "Now: computing what that costs…"]
        super().__init__("Evict from the context", facts, [self._later])

    def on_mount(self) -> None:
        self.compute(self._ask)

    def on_previewed(self, message: Previewed) -> None:
        message.stop()
        preview = message.preview
        if preview.problem:
            self._say_instead(preview.problem)
        else:
            costs = f"Now it costs {price(preview).plain}."
            does = f"{change_note(preview)}. u takes it back."
            self.ask([self._what, STUB, costs, does], [self._later, self._now])

    def on_preview_failed(self, message: PreviewFailed) -> None:
        message.stop()
        self._say_instead(message.reason)

    def _say_instead(self, sentence: str) -> None:
        """In place of a price: without one it can only leave with the next compression."""
        self.ask([self._what, STUB, f"Not now: {sentence}"], [self._later])
