"""Another model from the next request on, and what changing it costs: no cache is shared between models."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from core.folds.rent import NextCall
from tui.docks.dock import LineDock
from tui.panes import figures

DROPPED = "The old model's thinking is dropped."


def switching_costs(prompt: int, call: NextCall) -> str:
    """What the next request costs with a cold cache; at the present model's rates, for those of another are unknown."""
    if not prompt:
        return "Nothing was sent yet, so nothing is read anew."
    anew = f"The whole prompt is read anew: {figures.tokens(prompt)} tokens"
    if call.cold is None or call.warm is None:
        return f"{anew}, at an unknown price. {DROPPED}"
    cold, warm = figures.usd(call.cold), figures.usd(call.warm)
    return f"{anew}, {cold} at the present model's rates instead of {warm} with its cache. {DROPPED}"


class ModelDock(LineDock):
    """The model that answers from the next request on; `costs` is a sentence."""

    TITLE = "Model from the next request on"
    VERB = "model"

    def __init__(self, present: str, costs: str) -> None:
        super().__init__(present)
        self._present, self._costs = present, costs

    def body(self) -> ComposeResult:
        yield Static(Content.styled(self._costs, "$muted"), markup=False)
        yield from super().body()

    def accept(self, text: str) -> dict[str, Any]:
        if not text:
            raise ValueError("Write the model's name as the provider spells it.")
        if text == self._present:
            raise ValueError(f"{text} is the present model; write another one's name.")
        return {"model": text}
