"""Before a change is taken back: what goes, and whether a person's own work goes with it."""

from __future__ import annotations

from dataclasses import dataclass

from tui.docks.dock import Choice, ChoiceDock
from tui.safe import one_line


@dataclass(frozen=True, slots=True)
class Change:
    """What a row belongs to: a file, one hunk of it (by its fingerprint), and whether a person's hand is in it."""

    path: str
    hunk: str = ""
    by_hand: bool = False


def revert_dock(change: Change) -> ChoiceDock:
    """The question; what somebody changed by hand there is only taken back by a key that says so."""
    what = "this change" if change.hunk else "everything that was changed"
    facts = [f"It takes back {what} in {one_line(change.path)}. The agent is told; u brings it back."]
    args = {"path": change.path, **({"hunk": change.hunk} if change.hunk else {})}
    if not change.by_hand:
        return ChoiceDock("Revert?", facts, [Choice("y", "revert", "revert", args)])
    facts.append("Some of it was changed by hand, not by the agent.")
    return ChoiceDock("Revert?", facts, [Choice("h", "revert, by hand too", "revert", {**args, "overwrite": True})])
