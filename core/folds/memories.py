"""The memory entries, each with the span of events in which it was known."""

from __future__ import annotations

from dataclasses import dataclass

from core.events import Event, MemoryForgotten, MemoryWritten
from core.folds.branches import Branches
from core.folds.fold import Handler


@dataclass(slots=True)
class Entry:
    """A memory entry; `forgotten_seqs` are the events that took it away (on whichever branch)."""

    id: str
    seq: int
    at_us: int
    text: str
    category: str
    topic: str
    pinned: bool
    actor: str
    forgotten_seqs: tuple[int, ...] = ()


class Memories:
    """All entries ever written; what an abandoned branch wrote is hidden on the others."""

    def __init__(self, branches: Branches) -> None:
        self.entries: list[Entry] = []
        self._branches = branches
        self._by_id: dict[str, Entry] = {}

    def handlers(self) -> dict[str, Handler]:
        return {"memory.written": self._written, "memory.forgotten": self._forgotten}

    def known(self, at: int | None = None) -> list[Entry]:
        """The entries known as of event `at`, oldest first."""
        spans = self._branches.spans(at)

        def on_branch(seq: int) -> bool:
            return any(first <= seq <= last for first, last in spans)

        return [e for e in self.entries if on_branch(e.seq) and not any(map(on_branch, e.forgotten_seqs))]

    def _written(self, event: Event) -> None:
        body = event.body
        if isinstance(body, MemoryWritten) and event.key:
            entry = Entry(
                id=event.key,
                seq=event.seq,
                at_us=event.at_us,
                text=body.text,
                category=body.category,
                topic=body.topic,
                pinned=body.pinned,
                actor=event.actor,
            )
            self.entries.append(entry)
            self._by_id[entry.id] = entry

    def _forgotten(self, event: Event) -> None:
        body = event.body
        if isinstance(body, MemoryForgotten) and (entry := self._by_id.get(body.id)) is not None:
            entry.forgotten_seqs = (*entry.forgotten_seqs, event.seq)
