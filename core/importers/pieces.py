"""Pieces of a record in the shapes of our events; nothing is known of them but what the record tells."""

from __future__ import annotations

from typing import Any, Final

from core.events import FileChange, ModelRequested
from core.importers.records import Edited, Replied
from core.importers.rows import fields, words

UNKNOWN: Final = ""
"""The hash of a file whose content the transcript does not tell."""
_SHOWN: Final = 60_000
"""Characters of an output that an event holds; more is kept as a blob."""
_END: Final = 20_000
_KEPT: Final = 20_000
"""Characters of a kept row."""


def typed_block(block: dict[str, Any]) -> dict[str, Any]:
    """A block whose fields have the types that every reader of ours relies on."""
    match block.get("type"):
        case "tool_use":
            typed = {"id": words(block.get("id")), "name": words(block.get("name"), "tool")}
            return block | typed | {"input": fields(block.get("input"))}
        case "text" | "thinking" as kind:
            return block | {kind: words(block.get(kind))}
        case str():
            return block
        case _:
            return {"type": "text", "text": f"[{str(block)[:200]}]"}


def request_of(model: str, purpose: str, **known: Any) -> ModelRequested:
    """A request of which nothing is known but what is `known`."""
    told: dict[str, Any] = {"messages": 0, "parts": {}, **known}
    return ModelRequested(
        model=model, purpose=purpose, body="", body_bytes=0, marks=[], max_tokens=0, prompt_version="", **told
    )


def change_of(edit: Edited) -> FileChange:
    return FileChange(
        path=edit.path,
        before=None if edit.new else UNKNOWN,
        after=None if edit.gone else UNKNOWN,
        added=edit.added,
        removed=edit.removed,
    )


def capped(text: str) -> tuple[str, bytes | None]:
    """What an event holds of an output, and the whole as a blob where that is more."""
    if len(text) <= _SHOWN:
        return text, None
    left_out = len(text) - 2 * _END
    shown = f"{text[:_END]}\n\n[… {left_out:,} characters left out here …]\n\n{text[-_END:]}"
    return shown, text.encode("utf-8", "replace")


def brief(row: dict[str, Any]) -> dict[str, Any]:
    text = str(row)
    return row if len(text) <= _KEPT else {"text": text[:_KEPT], "characters": len(text)}


def size_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def took_ms(record: Replied) -> int:
    if record.ms is not None:
        return record.ms
    return max(0, (record.at_us - record.asked_us) // 1_000) if record.at_us and record.asked_us else 0
