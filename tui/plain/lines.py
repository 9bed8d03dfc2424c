"""Events as lines: JSON for programs, plain sentences for pipes, screen readers and the plain mode."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal, NamedTuple

import msgspec

from core.clock import MICROSECONDS, iso
from core.events import (
    BudgetChanged,
    CommandAccepted,
    CommandRefused,
    DriverChanged,
    Event,
    GuidanceQueued,
    GuidanceRetracted,
    ItemEvicted,
    ItemPinned,
    ItemUnpinned,
    MemoryForgotten,
    MemoryKept,
    MemoryWritten,
    ModelResponded,
    SessionRenamed,
    ToolFinished,
    ToolStarted,
    Unknown,
    encode_body,
)
from core.folds.conversation import Conversation, Item
from core.folds.fold import Dispatcher
from core.folds.words import call_line, one_line
from tui.panes import figures
from tui.safe import safe_text

Tone = Literal["", "user", "agent", "quiet", "wrong", "needs"]
"""How a line may be coloured where there is colour; its words say the same."""

LONGEST = 160
"""Characters of what is only hinted at: the first line of a result, a thought."""


def json_line(event: Event) -> str:
    """One event as stored, as exports have it: `{"seq","parent","node","kind","key","at","actor","body"}`."""
    fields = {"seq": event.seq, "parent": event.parent, "node": event.node, "kind": event.kind}
    fields |= {"key": event.key, "at": iso(event.at_us), "actor": event.actor}
    return f'{msgspec.json.encode(fields).decode()[:-1]},"body":{encode_body(event.body)}}}'


class Told(NamedTuple):
    """What is said of an event, by whom."""

    speaker: str
    text: str
    tone: Tone = ""


class PlainLines:
    """Sentences for events, those left out that say nothing to a reader.

    `zone`: of the times, None for the local one. `conversation`: one that already has each event that is asked about.
    """

    def __init__(self, zone: tzinfo | None = UTC, conversation: Conversation | None = None) -> None:
        self._zone = zone
        self._conversation = conversation or Conversation()
        self._dispatch = Dispatcher([] if conversation else [self._conversation])
        self._shown = 0
        self._calls: dict[str, int] = {}

    def lines(self, event: Event) -> list[str]:
        """What to print for the next event: `12:00:04 #7 agent: ...`, further lines of the same text indented."""
        return [self.line(event, told) for told in self.told(event)]

    def line(self, event: Event, told: Told) -> str:
        """One of the things that were said of an event, as it is printed."""
        return f"{self.clock(event.at_us)} #{event.seq} {told.speaker}: {indented(told.text)}"

    def clock(self, at_us: int) -> str:
        """The time of day."""
        return datetime.fromtimestamp(at_us / MICROSECONDS, self._zone).strftime("%H:%M:%S")

    def told(self, event: Event) -> list[Told]:
        """What is to be said of the next event."""
        if isinstance(event.body, Unknown):
            return [Told("system", f"{event.kind}, which only a newer version understands", "quiet")]
        if isinstance(event.body, ToolStarted | ToolFinished):
            return [self._called(event)]
        if (words := _WORDS.get(event.kind)) is not None:
            text, tone = words(event)
            return [Told(event.actor, text, tone)]
        self._dispatch.apply(event)
        items = self._conversation.column.items[self._shown :]
        self._shown += len(items)
        return [_said(item) for item in items if item.text and item.seq == event.seq]

    def _called(self, event: Event) -> Told:
        body, key = event.body, event.key or ""
        if isinstance(body, ToolStarted):
            self._calls[key] = event.seq
            return Told("call", call_line(body.name, body.arguments))
        assert isinstance(body, ToolFinished)
        began = self._calls.pop(key, None)
        name = call_line(body.name, {})
        name = name if began is None else f"#{began} {name}"
        files = "".join(f"; {change.path} +{change.added} -{change.removed}" for change in body.files)
        first = one_line(body.content.lstrip().split("\n", 1)[0], LONGEST)
        text = f"{'ok' if body.ok else 'FAILED'} {name}, {figures.duration(body.ms)}: {first}{files}"
        return Told("result", text, "quiet" if body.ok else "wrong")


def indented(text: str) -> str:
    """Foreign text as it is printed after a speaker: no line of it looks like one of ours."""
    return safe_text(text).replace("\n", "\n  ")


def replies(event: Event) -> str:
    """What the agent says in a reply, the thoughts left out."""
    if not isinstance(event.body, ModelResponded):
        return ""
    texts = (str(block.get("text", "")).strip() for block in event.body.content if block.get("type") == "text")
    return "\n\n".join(text for text in texts if text)


def _said(item: Item) -> Told:
    if item.kind == "thinking":
        return Told("agent thinks", one_line(item.text, LONGEST), "quiet")
    tone: Tone = "wrong" if not item.ok else "user" if item.speaker == "user" else ""
    return Told(item.speaker, item.text, "agent" if item.speaker == "agent" else tone)


_Words = tuple[str, Tone]


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _remembers(event: Any) -> _Words:
    return f"remembers {event.key} ({event.body.category}): {event.body.text}", "quiet"


def _forgets(event: Any) -> _Words:
    return f"forgets {event.body.id}{_because(event.body.reason)}", "quiet"


def _budget(event: Any) -> _Words:
    return "the budget is lifted" if event.body.usd is None else f"the budget is now ${event.body.usd}", "user"


def _queued(event: Any) -> _Words:
    return f"{'standing guidance' if event.body.standing else 'guidance'} queued: {event.body.text}", "user"


_WORDS: dict[str, Callable[[Any], _Words]] = {
    MemoryWritten.KIND: _remembers,
    MemoryForgotten.KIND: _forgets,
    MemoryKept.KIND: lambda event: (f"keeps {event.body.id}", "user"),
    BudgetChanged.KIND: _budget,
    ItemPinned.KIND: lambda event: (f"pinned #{event.body.seq}", "user"),
    ItemUnpinned.KIND: lambda event: (f"unpinned #{event.body.seq}", "user"),
    ItemEvicted.KIND: lambda event: (f"#{event.body.seq} leaves with the next compression", "user"),
    GuidanceQueued.KIND: _queued,
    GuidanceRetracted.KIND: lambda event: ("guidance retracted", "user"),
    SessionRenamed.KIND: lambda event: (f"the session is now called {event.body.name}", "user"),
    CommandAccepted.KIND: lambda event: (f"{event.body.verb} taken", "user"),
    DriverChanged.KIND: lambda event: (f"{event.body.who} drives from here on", "user"),
    CommandRefused.KIND: lambda event: (f"{event.body.verb} refused: {event.body.reason}", "wrong"),
}
"""Events that the conversation of the screen leaves to other panes."""
