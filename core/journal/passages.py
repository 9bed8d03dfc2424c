"""What an event says: its texts under one handle, cut into chunks, and the exact names in them. Pure but for outputs.

What only repeats older words is said but not findable: a recall would else find itself, and old words would seem new.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from core.events import (
    ContextCompressed,
    Event,
    GuidanceDelivered,
    MemoryWritten,
    ModelResponded,
    PlanChanged,
    SessionOpened,
    ToolFinished,
    encode_body,
)
from core.journal.errors import JournalError
from core.journal.reader import Reader

CHUNK: Final = 1_500
"""Characters of a chunk, at most."""
OVERLAP: Final = 150
"""Characters that a chunk may share with the one before it, so that short passages are whole in one of them."""
LARGEST_TEXT: Final = 4_000_000
"""Characters of one output that are findable: half of them from its start, half from its end."""
_CUT_AFTER: Final = 1_000
_GAP: Final = "\n\n"
_SNIFFED: Final = 8_192
_ECHOES: Final = frozenset({"recall", "remember", "plan"})
"""Tools whose words are those of another event, or of older ones."""
_NAME = re.compile(r"(?<![\w.\-])(?:[\w.\-]++/)+[\w.\-]++|[A-Za-z_][A-Za-z0-9_]{8,}+|\b[0-9a-f]{7,40}\b|\b\d{4,}\b")
_SPACE = re.compile(r"\s")
_AROUND: Final = " \t\r\n`'\"()[]{}<>,;:!?=/.-"


class Block(NamedTuple):
    """A part of what an event says; `findable` says whether a search may come upon it."""

    text: str
    findable: bool = True


def handle_of(event: Event) -> str:
    """The name under which `recall` gives what an event says: `out:<call>`, `m<n>` or `#<seq>`."""
    if event.kind == ToolFinished.KIND and event.key:
        return f"out:{event.key}"
    return event.key if event.kind == MemoryWritten.KIND and event.key else f"#{event.seq}"


def title_of(event: Event) -> str:
    """What an event is, in a word or two for the model."""
    match event.body:
        case SessionOpened():
            return "task"
        case GuidanceDelivered(source=source):
            return "guidance by the user" if source == "user" else source
        case ModelResponded():
            return "your reply"
        case ToolFinished(name=name, ok=ok):
            return f"result of {name}" if ok else f"failed {name}"
        case MemoryWritten(category=category, topic=topic):
            return f"{category} · {topic}" if topic else category
        case PlanChanged():
            return "plan"
        case _:
            return event.kind


def blocks_of(event: Event, reader: Reader) -> list[Block]:
    """The parts of what an event says, in order; none for what says nothing to the model. Blocks on big outputs."""
    match event.body:
        case SessionOpened(task=text) | MemoryWritten(text=text):
            return [Block(text)]
        case GuidanceDelivered(text=text, source=source):
            return [Block(text, source != "anchor")]
        case ModelResponded(content=content):
            return [block for part in content if (block := _spoken(part)).text]
        case ToolFinished(name=name, ok=ok) as body:
            return [Block(whole_output(body, reader), not (ok and name in _ECHOES))]
        case PlanChanged(steps=steps):
            return [Block("\n".join(_step(step.id, step.intent, step.check, step.note) for step in steps))]
        case _:
            return []


def text_of(event: Event, reader: Reader) -> str:
    """Everything that an event says; of an event that says nothing to the model, its record."""
    blocks = blocks_of(event, reader)
    if blocks:
        return _GAP.join(block.text for block in blocks)
    body = event.body
    if isinstance(body, ContextCompressed):
        return _GAP.join(part for part in (*(held.text for held in body.held), body.ledger, body.digest) if part)
    return encode_body(body)


class Outputs(Protocol):
    """Where big outputs are kept."""

    def blob(self, name: str) -> bytes | None: ...


def whole_output(body: ToolFinished, reader: Outputs) -> str:
    """The whole of an output, also beyond the cap; what the model saw where the rest is no text or can't be read."""
    if body.blob is None:
        return body.content
    try:
        data = reader.blob(body.blob)
    except JournalError:
        return body.content
    return body.content if data is None or b"\x00" in data[:_SNIFFED] else data.decode("utf-8", "replace")


def findable_chunks(event: Event, reader: Reader) -> Iterator[tuple[int, str]]:
    """(offset in `text_of`, text) of what a search may come upon, in order."""
    start = 0
    for text, findable in blocks_of(event, reader):
        if findable:
            yield from ((start + offset, piece) for offset, piece in _both_ends(text) if piece.strip())
        start += len(text) + len(_GAP)


def names_in(text: str) -> set[str]:
    """The exact names in a text: paths, identifiers of nine characters and more, hashes, long numbers.

    A path is there as it is written and without what a sentence puts around it.
    """
    found = set(_NAME.findall(text))
    return found | {name.strip("./-") for name in found if "/" in name}


def name_of(text: str) -> str | None:
    """The one name that a text is, whatever stands around it; None when it is anything else."""
    bare = text.strip(_AROUND)
    return bare if bare in names_in(bare) else None


def _both_ends(text: str) -> Iterator[tuple[int, str]]:
    if len(text) <= LARGEST_TEXT:
        yield from _chunks(text)
        return
    tail = len(text) - LARGEST_TEXT // 2
    yield from _chunks(text[: LARGEST_TEXT // 2])
    yield from ((tail + offset, piece) for offset, piece in _chunks(text[tail:]))


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """Pieces of at most CHUNK characters, cut where a line or a word ends if one does, each overlapping the last."""
    start, end = 0, 0
    while end < len(text):
        end = _cut(text, start)
        yield start, text[start:end]
        back = _SPACE.search(text, end - OVERLAP, end)
        start = back.end() if back else end - OVERLAP


def _cut(text: str, start: int) -> int:
    end = start + CHUNK
    if end >= len(text):
        return len(text)
    for mark in ("\n", " "):
        if (place := text.rfind(mark, start + _CUT_AFTER, end)) > 0:
            return place + 1
    return end


def _spoken(part: dict[str, Any]) -> Block:
    """A block of a reply as text: arguments each under its name, strings as they are. Thinking is not said."""
    if part.get("type") != "tool_use":
        return Block(str(part.get("text") or ""))
    name, arguments = str(part.get("name")), part.get("input")
    fields = arguments.items() if isinstance(arguments, dict) else ()
    return Block(
        "\n".join([f"[{name}]", *(f"{field}: {_plain(value)}" for field, value in fields)]), name not in _ECHOES
    )


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _step(id: str, intent: str, check: str, note: str) -> str:
    return f"{id}. {intent}" + (f" · check: {check}" if check else "") + (f" · {note}" if note else "")
