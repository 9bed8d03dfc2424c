"""When the session is to pause by itself, in one line."""

from __future__ import annotations

from typing import Any

from core.folds.attention import FORMS
from tui.docks.dock import LineDock


class PauseAtDock(LineDock):
    """A time, a cost, the end of this step, or silence of the user."""

    TITLE = "Pause by itself"
    PLACEHOLDER = "e.g. 02:00 · $12 · +$5 · step · unless 02:00 · never"
    VERB = "pause-at"

    def accept(self, text: str) -> dict[str, Any]:
        if not text:
            raise ValueError(FORMS)
        return {"when": text}
