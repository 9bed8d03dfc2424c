"""The vocabulary of the screen: what panes and docks say to the screen that holds them. Events belong to core."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from textual.message import Message

from core.folds.conversation import Item


@dataclass
class ControlGiven(Message):
    """The user decided: send this verb with these arguments; `head` is the node it is meant for (None: the latest)."""

    verb: str
    args: dict[str, Any] = field(default_factory=dict)
    head: int | None = None


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
class ItemPinToggled(Message):
    """Keep the words of event `seq` in the request (`pinned`), or let them go the way of all others again."""

    seq: int
    pinned: bool


@dataclass
class ItemEvictAsked(Message):
    """The words of event `seq` are to leave the request; `label` names them, `tokens` is what they take."""

    seq: int
    label: str
    tokens: int


@dataclass
class ItemChosen(Message):
    """The cursor of the context pane stands on another item, or on none."""


@dataclass
class ForkAsked(Message):
    """A new session may go on from event `seq`; it is asked what it shall be called."""

    seq: int


@dataclass
class ForkGiven(Message):
    """Make a new session that goes on from event `seq`."""

    seq: int
    name: str


@dataclass
class SeekRequested(Message):
    """Show the session as of this event; None: as it is now."""

    seq: int | None


@dataclass
class PlaceWanted(Message):
    """Show where event `seq` stands in the conversation."""

    seq: int


@dataclass
class RemedyChosen(Message):
    """Do what helps against something that is wrong: the id of an action."""

    action: str


@dataclass
class PaneChosen(Message):
    """Bring this pane (its id) to the front."""

    pane: str


@dataclass
class LeaveRequested(Message):
    """Leave the screen; the agent goes on. `how` is what the caller is told: quit or detached."""

    how: Literal["quit", "detached"]
