"""What tools may ask of the session's past: memory entries, whole outputs by handle, exact text."""

from __future__ import annotations

import asyncio
from typing import Any

from core.agent.facts import Facts
from core.events import Event, GuidanceDelivered, ModelResponded, PlanStep, ToolFinished
from core.folds.memories import Entry
from core.folds.words import one_line
from core.journal.reader import Reader


class Recollection:
    """Implements `core.tools.base.Recall` over the facts and a read-only view of the journal."""

    def __init__(self, facts: Facts, reader: Reader) -> None:
        self._facts = facts
        self._reader = reader
        self._given = 0

    async def memories(self, query: str, category: str | None, limit: int) -> list[dict[str, Any]]:
        """Newest first; with a query those that hold most of its words come first."""
        words = [word for word in query.lower().split() if word]
        entries = [e for e in reversed(self._facts.memories.known()) if category in (None, "", e.category)]
        if words:
            ranked = [(_hits(entry, words), entry) for entry in entries]
            entries = [entry for hits, entry in sorted(ranked, key=lambda pair: -pair[0]) if hits]
        return [_row(entry) for entry in entries[:limit]]

    async def output(self, handle: str) -> str | None:
        """`out:<call>` or `#<seq>`: the whole text that stands behind it."""
        if handle.startswith("out:"):
            event = await asyncio.to_thread(self._reader.keyed, ToolFinished.KIND, handle.removeprefix("out:"))
        elif handle.lstrip("#").isdigit():
            event = await asyncio.to_thread(self._reader.event, int(handle.lstrip("#")))
        else:
            return next((e.text for e in self._facts.memories.known() if e.id == handle), None)
        return await self._text(event) if event else None

    async def search(self, text: str, limit: int) -> list[tuple[str, str]]:
        """(handle, excerpt) of the events that hold exactly this text, newest first."""
        events = await asyncio.to_thread(self._reader.find, text, limit)
        return [(_handle(event), _excerpt(_words(event), text)) for event in events]

    def next_memory_id(self) -> str:
        self._given = max(self._given, len(self._facts.memories.entries)) + 1
        return f"m{self._given}"

    def plan(self) -> list[PlanStep]:
        plan = self._facts.plan.at()
        return list(plan.steps) if plan else []

    async def _text(self, event: Event) -> str:
        body = event.body
        if isinstance(body, ToolFinished) and body.blob:
            data = await asyncio.to_thread(self._reader.blob, body.blob)
            return data.decode("utf-8", "replace") if data is not None else body.content
        return _words(event)


def _hits(entry: Entry, words: list[str]) -> int:
    text = f"{entry.topic} {entry.text}".lower()
    return sum(word in text for word in words)


def _row(entry: Entry) -> dict[str, Any]:
    return {"id": entry.id, "category": entry.category, "topic": entry.topic, "text": entry.text, "seq": entry.seq}


def _handle(event: Event) -> str:
    return f"out:{event.key}" if event.kind == ToolFinished.KIND else f"#{event.seq}"


def _words(event: Event) -> str:
    body = event.body
    match body:
        case ToolFinished():
            return body.content
        case GuidanceDelivered():
            return body.text
        case ModelResponded():
            return "\n\n".join(str(block.get("text") or block.get("input") or "") for block in body.content)
        case _:
            return str(getattr(body, "text", "") or body)


def _excerpt(text: str, wanted: str) -> str:
    place = max(0, text.find(wanted))
    return one_line(text[max(0, place - 80) : place + len(wanted) + 160], 280)
