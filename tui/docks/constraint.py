"""What the agent may not do: declared in one line, lifted from a short list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from core.constraints.reading import FORMS, read_constraint
from core.folds.constraints import Declared
from tui.docks.dock import Choice, ChoiceDock, LineDock
from tui.panes.sheet_lines import clip
from tui.safe import one_line

LONGEST_LIST = 9


class ConstraintDock(LineDock):
    """One constraint, refused at once where it can't be checked; those that stand are shown above."""

    TITLE = "Forbid something"
    PLACEHOLDER = "e.g. never touch migrations/ · no network · keep the tests green"
    VERB = "constraint"

    def __init__(self, standing: Sequence[Declared]) -> None:
        super().__init__()
        self._standing = standing

    def body(self) -> ComposeResult:
        words = " · ".join(f"{one.id} {one_line(one.body.text)}" for one in self._standing)
        yield Static(
            Content.styled(f"Now: {words}" if words else "Nothing is forbidden so far.", "$muted"), markup=False
        )
        yield from super().body()

    def accept(self, text: str) -> dict[str, Any]:
        if read_constraint(text) is None:
            raise ValueError(f"That can't be checked exactly. There are: {FORMS}")
        return {"text": text}


def lift_dock(standing: Sequence[Declared]) -> ChoiceDock:
    """Which constraint holds no more."""
    choices = [
        Choice(str(number), one.id, "lift", {"id": one.id}, clip(one_line(one.body.text), 60))
        for number, one in enumerate(standing[:LONGEST_LIST], start=1)
    ]
    return ChoiceDock("Lift a constraint", ["The agent is told with its next request."], choices)
