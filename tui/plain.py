"""Events as lines: JSON for programs, one plain sentence for pipes and screen readers."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from core.clock import MICROSECONDS, iso
from core.events import Event, ModelRequested, ModelResponded, ToolFinished, ToolStarted, encode_body
from core.folds.conversation import Conversation
from core.folds.fold import Dispatcher
from core.folds.words import call_line, one_line
from tui.safe import safe_text


def json_line(event: Event) -> str:
    """One event as stored, as exports have it: `{"seq","parent","node","kind","key","at","actor","body"}`."""
    fields = {"seq": event.seq, "parent": event.parent, "node": event.node, "kind": event.kind}
    fields |= {"key": event.key, "at": iso(event.at_us), "actor": event.actor}
    return f'{msgspec.json.encode(fields).decode()[:-1]},"body":{encode_body(event.body)}}}'


class PlainLines:
    """Sentences for events, those left out that say nothing to a reader."""

    def __init__(self) -> None:
        self._conversation = Conversation()
        self._dispatch = Dispatcher([self._conversation])
        self._shown = 0

    def lines(self, event: Event) -> list[str]:
        """What to print for the next event."""
        clock = datetime.fromtimestamp(event.at_us / MICROSECONDS, UTC).strftime("%H:%M:%S")
        own = _own_words(event)
        if own is not None:
            return [f"{clock} {safe_text(own)}"] if own else []
        self._dispatch.apply(event)
        items = self._conversation.column.items[self._shown :]
        self._shown = len(self._conversation.column.items)
        return [f"{clock} {item.speaker}: {safe_text(item.text)}" for item in items if item.text]


def _own_words(event: Event) -> str | None:
    """Calls and requests in a form of their own; None: as the conversation shows it."""
    match event.body:
        case ToolStarted() as body:
            return f"call {event.key}: {call_line(body.name, body.arguments)}"
        case ToolFinished() as body:
            first = one_line(body.content.split("\n", 1)[0], 160)
            return f"{'ok' if body.ok else 'FAILED'} {event.key}: {first}"
        case ModelRequested():
            return ""
        case ModelResponded() if all(block.get("type") == "tool_use" for block in event.body.content):
            return ""
    return None
