"""What a compression would do takes a moment to compute: docks that ask for it and are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from textual.message import Message

from core.protocols import Preview
from tui.docks.dock import Dock

Ask = Callable[[str], Awaitable[Preview]]
"""Computes the preview for an instruction; may raise, with a sentence."""


@dataclass
class Previewed(Message):
    """What a compression that follows `instruction` would do."""

    instruction: str
    preview: Preview


@dataclass
class PreviewFailed(Message):
    """There is no preview; a sentence on why."""

    reason: str


class Previewing(Dock):
    """A dock that is told by `Previewed` or `PreviewFailed` what it asked for, only the latest question."""

    def compute(self, ask: Ask, instruction: str = "") -> None:
        """Ask; the answer to an earlier question is no longer wanted."""
        self.run_worker(self._tell(ask, instruction), group="preview", exclusive=True, exit_on_error=False)

    async def _tell(self, ask: Ask, instruction: str) -> None:
        try:
            preview = await ask(instruction)
        except Exception as fault:
            self.post_message(PreviewFailed(str(fault) or "What it would do could not be computed."))
        else:
            self.post_message(Previewed(instruction, preview))
