"""When the session is to pause by itself, in one line."""

from __future__ import annotations

from typing import Any

from core.folds.attention import read_schedule
from core.folds.checkins import read_check_ins
from tui.docks.dock import LineDock


class PauseAtDock(LineDock):
    """A time, a cost, the end of this step, silence of the user; `every` so often it tells what was done."""

    TITLE = "Pause by itself"
    PLACEHOLDER = "e.g. 02:00 · $12 · +$5 · step · unless 02:00 · never · every 30m · every $5 pause"
    VERB = "pause-at"

    def submit(self, text: str) -> None:
        if text.startswith("every"):
            read_check_ins(text)
            self.give("check-in", every=text.removeprefix("every").strip())
        else:
            super().submit(text)

    def accept(self, text: str) -> dict[str, Any]:
        """What the clock and the bill say about it is for the runner to judge; whether it is understood, not."""
        read_schedule(text or "nothing", 0, 0.0, "any")
        return {"when": text}
