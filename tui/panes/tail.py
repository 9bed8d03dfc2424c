"""The reply in flight, gathered from its pieces: thinking, words, and the calls that are being written.

Each block stands as the entry that the log will have for it, in the same place and of the same height: when the log
takes over, nothing moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from textual.content import Content

from core.folds.conversation import Item
from core.protocols import LiveDelta
from tui.panes.growing import Growing
from tui.panes.sheet_lines import MUTED
from tui.safe import one_line

SPOKEN = ("text", "thinking")


class Block(Struct):
    """A part of the reply. `kind`: text, thinking or tool; of a tool only its name and how much was written."""

    kind: str
    growing: Growing
    name: str = ""
    arguments: int = 0
    whole: bool = False
    """Whether all of the reply is there: a call waits for those before it, then."""

    def __bool__(self) -> bool:
        return bool(self.name or self.growing)

    def add(self, delta: LiveDelta) -> None:
        if delta.kind == "arguments":
            self.arguments += len(delta.text)
        elif self.kind == "tool":
            self.name += delta.text
        else:
            self.growing.append(delta.text)

    @property
    def item(self) -> Item:
        """What stands for it among the entries."""
        return Item(0, 0, "agent", "call" if self.kind == "tool" else self.kind, "")

    @property
    def text(self) -> str:
        """What is copied of it."""
        return self.name if self.kind == "tool" else self.growing.plain

    def call_line(self) -> Content:
        """A call that is being written, or has not begun yet."""
        written = f"  {self.arguments:,} characters of arguments" if self.arguments else ""
        written = "  waits for its turn" if self.whole else written
        return Content.assemble(("◌ ", "$tool-running"), (one_line(self.name), "$tool-name"), (written, MUTED))


class LiveTail:
    """The blocks of one attempt, in order. The log takes them over one by one (`settle`); a new attempt drops them."""

    def __init__(self) -> None:
        self._attempt: str | None = None
        self._blocks: dict[int, Block] = {}
        self._over = False

    def take(self, deltas: Sequence[LiveDelta], answered: str = "") -> None:
        """More pieces; none at all: this attempt is over, and what comes next begins anew.

        Pieces of the attempt that the log has `answered` come late: it says all of them.
        """
        self._over = self._over or not deltas
        for delta in deltas:
            if delta.attempt == answered:
                continue
            if self._over or delta.attempt != self._attempt:
                self.clear()
                self._attempt = delta.attempt
            self._block(delta).add(delta)

    def _block(self, delta: LiveDelta) -> Block:
        if delta.index not in self._blocks:
            kind = "tool" if delta.kind == "arguments" else delta.kind
            self._blocks[delta.index] = Block(kind, Growing(markdown=kind == "text"))
        return self._blocks[delta.index]

    def settle(self, fresh: Iterable[Item], answered: str = "") -> None:
        """The log has these entries now: they stand for blocks of ours. It has `answered` that attempt."""
        for item in fresh:
            if not item.ok and item.kind == "event":
                self.clear()
            elif item.speaker == "agent" and item.kind in SPOKEN:
                self._drop(*[at for at, block in self._blocks.items() if block.kind in SPOKEN])
            elif item.kind == "call":
                spoken_or_first = [at for at, block in self._blocks.items() if block.kind in SPOKEN]
                first = min((at for at, block in self._blocks.items() if block.kind == "tool"), default=None)
                self._drop(*spoken_or_first, *([] if first is None else [first]))
        for block in self._blocks.values() if self._attempt == answered else ():
            block.whole = True

    def _drop(self, *places: int) -> None:
        for place in places:
            del self._blocks[place]

    def clear(self) -> None:
        """Forget everything."""
        self._blocks.clear()
        self._attempt, self._over = None, False

    def blocks(self) -> list[Block]:
        """What is shown of it, in order."""
        return [block for _, block in sorted(self._blocks.items()) if block]
