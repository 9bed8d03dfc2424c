"""The vocabulary of the screen: what panes and docks say to the screen that holds them. Events belong to core."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from textual.message import Message

from core.folds.conversation import Item


@dataclass
class ControlGiven(Message):
    """The user decided: send this verb with these arguments."""

    verb: str
    args: dict[str, Any] = field(default_factory=dict)


@dataclass
class DockClosed(Message):
    """The dock at the bottom is done with, whatever came of it."""


@dataclass
class CallOpened(Message):
    """Open the tool call with this key in the reader."""

    key: str


@dataclass
class ItemOpened(Message):
    """Open this entry of the conversation in the reader."""

    item: Item


@dataclass
class SeekRequested(Message):
    """Show the session as of this event; None: as it is now."""

    seq: int | None


@dataclass
class PaneChosen(Message):
    """Bring this pane (its id) to the front."""

    pane: str


@dataclass
class LeaveRequested(Message):
    """Leave the screen; the agent goes on. `how` is what the caller is told: quit or detached."""

    how: Literal["quit", "detached"]
