"""All of one event, for `show #SEQ`: a message word for word, a call with what it was asked and what it answered."""

from __future__ import annotations

import msgspec

from core.events import (
    ContextCompressed,
    Event,
    GuidanceDelivered,
    ModelResponded,
    SessionOpened,
    ToolFinished,
    ToolStarted,
    encode_body,
)
from core.folds.view import SessionView
from core.protocols import Source
from tui.panes import figures
from tui.screens.call_text import arguments_of


async def whole(view: SessionView, source: Source, seq: int) -> str:
    """The event as text. Raises JournalError when it can't be read."""
    event = await source.event(seq)
    if event is None:
        return f"There is no event #{seq}; the last one is #{view.last_seq}."
    match event.body:
        case ToolStarted() | ToolFinished():
            return await _call(view, source, event)
        case ModelResponded(content=blocks):
            return "\n".join(_block(block) for block in blocks)
        case GuidanceDelivered(text=text) | SessionOpened(task=text):
            return text
        case ContextCompressed() as body:
            return "\n\n".join(part for part in (*(held.text for held in body.held), body.ledger, body.digest) if part)
    return f"{event.kind}\n{msgspec.json.format(encode_body(event.body), indent=2)}"


async def _call(view: SessionView, source: Source, event: Event) -> str:
    call = view.tool_calls.get(event.key)
    if call is None:
        return f"{event.kind}\n{msgspec.json.format(encode_body(event.body), indent=2)}"
    asked = f"{call.name}, {call.status(None)}, asked in #{call.seq}:\n{arguments_of(call).text}"
    finished = event if call.finished_seq is None else await source.event(call.finished_seq)
    if finished is None or not isinstance(finished.body, ToolFinished):
        return f"{asked}\nIt is still running."
    body = finished.body
    output = await source.blob(body.blob) if body.blob else None
    text = body.content if output is None else output.decode("utf-8", "replace")
    answered = f"answered in #{finished.seq} after {figures.duration(body.ms)}, {figures.size(len(text.encode()))}:"
    return f"{asked}\n{answered}\n{text or '(nothing)'}"


def _block(block: dict[str, object]) -> str:
    match block.get("type"):
        case "text":
            return str(block.get("text", "")).strip()
        case "thinking":
            return f"(thinks) {str(block.get('thinking', '')).strip()}"
        case "tool_use":
            return f"(calls) {block.get('name')}"
        case kind:
            return f"({kind})"
