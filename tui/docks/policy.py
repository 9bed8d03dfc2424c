"""The choices that are a short list: by what rule the context is compressed, and which memory is kept."""

from __future__ import annotations

from collections.abc import Sequence

from core.folds.memories import Entry
from tui.docks.dock import Choice, ChoiceDock
from tui.panes.sheet_lines import clip
from tui.safe import one_line

POLICIES = (
    ("a", "auto", "once the rent of the past has paid for it; no model needed"),
    ("s", "summarize", "so many turns stay, a digest takes the place of the rest"),
    ("w", "window", "the first and the latest turns stay, the middle leaves"),
    ("m", "mask", "old tool results give way to one line each, in batches"),
    ("o", "off", "only when asked; a full window then pauses the session"),
)
"""Key, policy, and what it does."""
LONGEST_LIST = 9
"""As many entries as there are digits to choose them by."""


def policy_dock(current: str, *, guarded: bool = False) -> ChoiceDock:
    """By which rule the context is compressed from here on; `guarded`: the guard chose it."""
    why = ", because the last compressions freed too little" if guarded else ""
    facts = [f"Now {current}{why}; the choice is in force from the next request on."]
    choices = [Choice(key, name, "policy", {"policy": name}, means) for key, name, means in POLICIES]
    return ChoiceDock("Compression policy", facts, choices)


def keep_dock(entries: Sequence[Entry]) -> ChoiceDock:
    """Which of the memories that abandoned branches left behind is to be known here too; the newest first."""
    newest = list(reversed(entries))[:LONGEST_LIST]
    choices = [
        Choice(str(number), entry.id, "keep", {"id": entry.id}, clip(one_line(entry.text), 60))
        for number, entry in enumerate(newest, start=1)
    ]
    return ChoiceDock("Keep a memory of an abandoned branch", ["It was written on a branch that was left."], choices)
