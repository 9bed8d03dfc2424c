"""One text is to leave the context: with the next compression, or at once, which has a price of its own."""

from __future__ import annotations

from tui.docks.compress_lines import price
from tui.docks.dock import Choice, ChoiceDock
from tui.docks.previewing import Ask, Previewed, PreviewFailed, Previewing
from tui.messages import ItemEvictAsked
from tui.panes import figures
from tui.panes.sheet_lines import clip
from tui.safe import one_line


class EvictDock(Previewing, ChoiceDock, can_focus=True):
    """Leaving later costs nothing by itself; leaving at once counts only when what it means is there."""

    def __init__(self, item: ItemEvictAsked, ask: Ask) -> None:
        tokens = figures.tokens(item.tokens)
        self._what = f"{clip(one_line(item.label), 60)}: {tokens} tokens; recall still reaches it."
        self._later = Choice("w", "with the next compression", "evict", {"seq": item.seq})
        self._now = Choice("n", "now", "evict", {"seq": item.seq, "now": True})
        self._ask = ask
        super().__init__("Evict from the context", [self._what, "Now: computing what that costs…"], [self._later])

    def on_mount(self) -> None:
        self.compute(self._ask)

    def on_previewed(self, message: Previewed) -> None:
        message.stop()
        problem = message.preview.problem
        self._offer(problem or f"For comparison, a whole compression: {price(message.preview).plain}.")

    def on_preview_failed(self, message: PreviewFailed) -> None:
        message.stop()
        self._offer(message.reason)

    def _offer(self, compared: str) -> None:
        now = "Now: all that stands behind it is written to the cache anew. u takes it back."
        self.ask([self._what, now, compared], [self._later, self._now])
