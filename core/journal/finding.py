"""Words anywhere in a session: said, thought, called, put out (by handle too), remembered, planned; newest first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import msgspec

from core.events import (
    BookmarkAdded,
    Event,
    GuidanceDelivered,
    MemoryWritten,
    ModelResponded,
    PlanChanged,
    SessionOpened,
    ToolFinished,
)
from core.journal.passages import Outputs, whole_output
from core.journal.reader import Reader
from core.protocols import Found, Hit

CHUNK: Final = 200
"""Events that are read at once: between two reads a search can be given up."""
LINE: Final = 400
"""Characters of the line that is shown of a hit."""
BEFORE: Final = 80
"""Characters of a long line that stand before the words."""
_LARGEST: Final = 4_000_000
"""Characters of one output that are searched."""


def search(reader: Reader, words: str, before: int) -> Found:
    """The hits in the CHUNK events before event `before`. Blocks for as long as that takes. Raises JournalError."""
    wanted, after = words.casefold(), max(0, before - 1 - CHUNK)
    needle = msgspec.json.encode(words).decode()[1:-1].casefold()
    hits: list[Hit] = []
    for row in reversed(reader.raw(after, before - 1 - after)):
        if needle in row.body.casefold() or (row.kind == ToolFinished.KIND and '"blob":"' in row.body):
            event = reader.event(row.seq)
            hits += hits_of(event, wanted, reader) if event else ()
    return Found(hits, after + 1)


async def find(reader: Reader, words: str) -> AsyncIterator[Found]:
    """All hits, newest first, a chunk at a time and each in a thread; given up by no longer asking for more."""
    before = await asyncio.to_thread(reader.last_seq) + 1
    while before > 1:
        found = await asyncio.to_thread(search, reader, words, before)
        yield found
        before = found.reached


def hits_of(event: Event, wanted: str, reader: Outputs) -> Iterator[Hit]:
    """One hit for each kind of text of an event that holds the words, which are case-folded."""
    for kind, text in texts_of(event, reader):
        times = (folded := text.casefold()).count(wanted)
        if times:
            place = folded.index(wanted)
            line, start = _line(text if len(text) == len(folded) else folded, place)
            yield Hit(event.seq, event.at_us, kind, line, start, times)


def texts_of(event: Event, reader: Outputs) -> Iterator[tuple[str, str]]:
    """What an event is found by, each text with its kind."""
    match event.body:
        case SessionOpened(task=task):
            yield "task", task
        case ModelResponded(content=content):
            yield from (found for block in content for found in _block(block))
        case ToolFinished(files=files) as body:
            yield "output", whole_output(body, reader)[:_LARGEST]
            yield "file", "\n".join(change.path for change in files)
        case GuidanceDelivered(text=text, source=source):
            yield "guidance" if source == "user" else source, text
        case MemoryWritten(text=text, topic=topic):
            yield "memory", f"{topic}\n{text}" if topic else text
        case PlanChanged(steps=steps):
            yield "plan", "\n".join(" · ".join(filter(None, (one.intent, one.check, one.note))) for one in steps)
        case BookmarkAdded(text=text):
            yield "bookmark", text


def _block(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    match block.get("type"):
        case "text":
            yield "said", str(block.get("text") or "")
        case "thinking":
            yield "thinking", str(block.get("thinking") or "")
        case "tool_use":
            yield "call", "\n".join([str(block.get("name") or ""), *_strings(block.get("input"))])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from (f"{name}: {text}" for text in _strings(item))
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    else:
        yield value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _line(text: str, place: int) -> tuple[str, int]:
    """The line on which the words begin, cut around them, and where they begin in it."""
    first = text.rfind("\n", 0, place) + 1
    last = text.find("\n", place)
    first = max(first, place - BEFORE)
    line = text[first : len(text) if last < 0 else last][:LINE]
    return line, place - first
