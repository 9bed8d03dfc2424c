"""What tools may ask of the past: memory entries, whole texts by handle, and anything ever seen by name or words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from core.agent.facts import Facts
from core.events import Event, MemoryWritten, PlanStep, ToolFinished
from core.folds.branches import Span
from core.folds.memories import ABANDONED, KNOWN, Entry
from core.journal.passages import text_of
from core.journal.project_memory import Note, ProjectMemory
from core.journal.reader import Reader
from core.journal.recall_index import RecallIndex
from core.journal.recall_queries import Place
from core.tools.recalled import Passage, around, line_at

WHOLE_CHARS = 6_000
"""Characters that the best passage of an answer may have."""
EXCERPT_CHARS = 600
"""Characters of each other one."""
EARLIER = "earlier"
Labelled = tuple[Place, str]
_WORD = re.compile(r"\w+")


class Recollection:
    """Implements `core.tools.base.Recall` over the facts, the journal, its index and the project's memory.

    Left out, the index is the one in the session's folder; without a project there is none.
    """

    def __init__(
        self, facts: Facts, reader: Reader, index: RecallIndex | None = None, project: ProjectMemory | None = None
    ) -> None:
        self._facts = facts
        self._reader = reader
        self._index = index or RecallIndex(reader)
        self._project = project
        self._given = 0

    async def catch_up(self) -> None:
        """Index what is new, so that the next search finds little to do. Raises JournalError."""
        await asyncio.to_thread(self._index.catch_up)

    async def memories(self, query: str, category: str | None, limit: int) -> list[Passage]:
        """Entries that are known now, newest first: the session's, then those of earlier sessions of the workspace."""
        own = [_passage(entry) for entry in reversed(self._facts.memories.known()) if _of(entry, query, category)]
        notes = await asyncio.to_thread(self._notes) if len(own) < limit else []
        return [*own, *(_noted(note) for note in notes if _of(note, query, category))][:limit]

    async def search(self, query: str, limit: int) -> list[Passage]:
        """What holds exactly this string, or else most of its words: what still holds first, each newest first.

        The best answer comes whole, or as much around the words as WHOLE_CHARS allow; the others as excerpts.
        """
        spans = self._facts.branches.spans()
        finding = await asyncio.to_thread(self._index.find, query, limit, lambda place: not self._label(place, spans))
        ordered = _ordered([(place, self._label(place, spans)) for place in finding.places], limit)
        best = ordered[0][0] if finding.exact and ordered else next(iter(finding.places), None)
        found = await asyncio.to_thread(self._passages, query, ordered, best)
        notes = await asyncio.to_thread(self._notes) if len(found) < limit else []
        return [*found, *(_noted(note) for note in notes if _of(note, query, None))][:limit]

    async def near(self, query: str) -> list[str]:
        """Names that were seen, and topics of memory entries, that look like `query`."""
        topics = [entry.topic for entry in self._facts.memories.known() if entry.topic]
        return await asyncio.to_thread(self._index.near, query, topics)

    async def output(self, handle: str) -> str | None:
        """The whole text behind `out:<call>`, `#<seq>`, `m<n>` or `p<n>`; an entry says when it does not hold."""
        if (entry := self._facts.memories.get(handle)) is not None:
            return _entry_text(entry, self._facts.memories.status(entry))
        if re.fullmatch(r"p\d+", handle):
            note = next((note for note in await asyncio.to_thread(self._notes) if note.handle == handle), None)
            return note and f"[{_noted(note).title}] {note.text}"
        return await asyncio.to_thread(self._text, handle)

    def remembers(self, entry: str) -> bool:
        """Whether this entry of the session is known now."""
        found = self._facts.memories.get(entry)
        return found is not None and self._facts.memories.status(found) == KNOWN

    def next_memory_id(self) -> str:
        self._given = max(self._given, self._facts.memories.last_number) + 1
        return f"m{self._given}"

    def plan(self) -> list[PlanStep]:
        plan = self._facts.plan.at()
        return list(plan.steps) if plan else []

    def _label(self, place: Place, spans: Sequence[Span]) -> str:
        """Why what stands at a place does not hold any more; empty when it may."""
        if (entry := self._facts.memories.get(place.handle)) is not None:
            return self._facts.memories.status(entry)
        return KNOWN if any(first <= place.seq <= last for first, last in spans) else ABANDONED

    def _passages(self, query: str, ordered: Sequence[Labelled], best: Place | None) -> list[Passage]:
        """The places as passages: the best one from the whole text, the others from their chunks. Blocks."""
        passages: list[Passage] = []
        for place, label in ordered:
            label = label or (EARLIER if passages else "")
            whole = self._text(place.handle) if place is best else None
            passages.append(_excerpt(place, label, query) if whole is None else _fullest(place, label, query, whole))
        return passages

    def _notes(self) -> list[Note]:
        return self._project.notes() if self._project else []

    def _text(self, handle: str) -> str | None:
        event = self._event(handle)
        return text_of(event, self._reader) if event else None

    def _event(self, handle: str) -> Event | None:
        if handle.startswith("out:"):
            return self._reader.keyed(ToolFinished.KIND, handle.removeprefix("out:"))
        if (number := handle.lstrip("#")).isdecimal() and len(number) < 18:
            return self._reader.event(int(number))
        return self._reader.keyed(MemoryWritten.KIND, handle)


def _ordered(places: Sequence[Labelled], limit: int) -> list[Labelled]:
    """What still holds first, then some of what does not; each the newest first."""
    newest = sorted(places, key=lambda pair: -pair[0].seq)
    holding, lapsed = [pair for pair in newest if not pair[1]], [pair for pair in newest if pair[1]]
    lapsed = lapsed[: limit // 3 if holding else limit]
    return [*holding[: limit - len(lapsed)], *lapsed]


def _fullest(place: Place, label: str, query: str, whole: str) -> Passage:
    """All of a text that is not too long, else what stands around the first and the last mention."""
    if len(whole) <= WHOLE_CHARS:
        return Passage(place.handle, place.title, whole, label)
    here = _spot(place.text, query)
    last = (place.start + here[0], place.start + here[1])
    wanted = place.text[slice(*here)]
    first = whole.find(wanted) if wanted else last[0]
    spans = [(first, first + len(wanted)), last] if 0 <= first < last[0] else [last]
    text, start = around(whole, spans, WHOLE_CHARS)
    return Passage(place.handle, place.title, text, label, line_at(whole, start), whole=False)


def _excerpt(place: Place, label: str, query: str) -> Passage:
    text, start = around(place.text, [_spot(place.text, query)], EXCERPT_CHARS)
    return Passage(place.handle, place.title, text, label, line=0, whole=not start and text == place.text)


def _spot(text: str, query: str) -> tuple[int, int]:
    """Where in a text the query stands, or the longest of its words that does."""
    lowered = text.casefold()
    for wanted in (query.strip(), *sorted(_WORD.findall(query), key=len, reverse=True)):
        place = text.find(wanted)
        if place < 0 and len(lowered) == len(text):
            place = lowered.find(wanted.casefold())
        if place >= 0:
            return place, place + len(wanted)
    return 0, 0


def _of(entry: Entry | Note, query: str, category: str | None) -> bool:
    """Whether an entry is of the category and holds every word of the query."""
    text = f"{entry.topic} {entry.text}".lower()
    return category in (None, "", entry.category) and all(word in text for word in query.lower().split())


def _title(entry: Entry | Note) -> str:
    return f"{entry.category} · {entry.topic}" if entry.topic else entry.category


def _passage(entry: Entry) -> Passage:
    return Passage(entry.id, _title(entry), entry.text)


def _noted(note: Note) -> Passage:
    return Passage(note.handle, f"{_title(note)} · from session {note.session_name}", note.text)


def _entry_text(entry: Entry, status: str) -> str:
    return f"[{_title(entry)}{f' · {status}' if status else ''}] {entry.text}"
