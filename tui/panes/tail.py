"""The reply in flight, gathered from its pieces: thinking, words, and the calls that are being written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from core.protocols import LiveDelta
from tui.panes.light_markdown import light_markdown
from tui.panes.sheet_lines import MUTED
from tui.safe import one_line, safe_text

LONGEST_THINKING = 1_200
"""Characters of thinking in flight that are shown; the whole of it comes with the settled reply."""


@dataclass(slots=True)
class _Block:
    kind: str
    text: str = ""
    arguments: int = 0


class LiveTail:
    """The blocks of one attempt, by index. `settled` means that nothing more comes and the log will replace it."""

    def __init__(self) -> None:
        self._attempt: str | None = None
        self._blocks: dict[int, _Block] = {}
        self.settled = False

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def take(self, deltas: Sequence[LiveDelta]) -> None:
        """More pieces; none at all: this attempt is over."""
        if not deltas:
            self.settled = True
        for delta in deltas:
            if self.settled or delta.attempt != self._attempt:
                self.clear()
                self._attempt = delta.attempt
            self._add(delta)

    def _add(self, delta: LiveDelta) -> None:
        block = self._blocks.setdefault(delta.index, _Block("tool" if delta.kind == "arguments" else delta.kind))
        if delta.kind == "arguments":
            block.arguments += len(delta.text)
        else:
            block.text += delta.text

    def clear(self) -> None:
        """Forget everything: the log has it now."""
        self._blocks.clear()
        self._attempt, self.settled = None, False

    def content(self) -> Content:
        """What is shown of it."""
        parts = [_block_content(block) for _index, block in sorted(self._blocks.items())]
        return Content("\n").join([part for part in parts if part])


def _block_content(block: _Block) -> Content:
    if block.kind == "tool":
        written = f"  {block.arguments:,} characters of arguments" if block.arguments else ""
        return Content.assemble(("◌ ", "$tool-running"), (one_line(block.text), "$tool-name"), (written, MUTED))
    text = safe_text(block.text.strip("\n")).expandtabs(4)
    if block.kind == "thinking":
        cut = "…" + text[-LONGEST_THINKING:] if len(text) > LONGEST_THINKING else text
        return Content.styled(cut, "$thinking italic")
    return light_markdown(text)
