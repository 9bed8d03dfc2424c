"""The memory entries, each with the events that made it known and those that took it away, by branch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from core.events import Event, MemoryForgotten, MemoryKept, MemoryWritten
from core.folds.branches import Branches, Column, Span
from core.folds.fold import Handler

KNOWN = ""
FORGOTTEN = "forgotten"
ABANDONED = "abandoned branch"


class Loss(NamedTuple):
    """Event `seq` took an entry away; `by` is the entry that replaced it, empty when it was forgotten."""

    seq: int
    by: str = ""

    def __str__(self) -> str:
        return f"replaced by {self.by}" if self.by else FORGOTTEN


class Entry(Struct):
    """A memory entry; `births` and `losses` are the events that gave and took it (on whichever branch), ascending.

    `scope` is `session`, or `project` for what is offered to the next sessions of the workspace.
    """

    id: str
    seq: int
    at_us: int
    text: str
    category: str
    topic: str
    pinned: bool
    actor: str
    scope: str
    replaces: str | None
    births: tuple[int, ...]
    losses: tuple[Loss, ...] = ()


class Memories:
    """All entries ever written; what an abandoned branch wrote is hidden on the others until it is kept."""

    def __init__(self, branches: Branches) -> None:
        self.entries: list[Entry] = []
        self._branches = branches
        self._born: Column[Entry] = Column([])  # A list: what is lost later changes an entry, wherever it is kept.
        self._by_id: dict[str, Entry] = {}
        self._changes = 0
        self._known: tuple[tuple[tuple[Span, ...], int], tuple[Entry, ...]] = (((), -1), ())

    def handlers(self) -> dict[str, Handler]:
        return {"memory.written": self._written, "memory.forgotten": self._forgotten, "memory.kept": self._kept}

    @property
    def last_number(self) -> int:
        """The highest number among the ids `m<n>` so far."""
        return max((int(entry.id[1:]) for entry in self.entries[-50:] if entry.id[1:].isdecimal()), default=0)

    def get(self, id: str) -> Entry | None:
        """The entry, known or not."""
        return self._by_id.get(id)

    def known(self, at: int | None = None) -> Sequence[Entry]:
        """The entries known as of event `at`, in the order in which they were written.

        Costs as much as there are, but nothing when the same is asked again.
        """
        spans = tuple(self._branches.spans(at))
        asked = (spans, self._changes)
        if self._known[0] != asked:
            born = {entry.id: entry for entry in self._born.within(spans)}
            found = [entry for entry in born.values() if not entry.losses or _status(entry, spans) == KNOWN]
            self._known = (asked, tuple(sorted(found, key=lambda entry: entry.seq)))
        return self._known[1]

    def hidden(self, at: int | None = None) -> list[Entry]:
        """What was written by event `at` and nowhere taken back, but on a branch that is abandoned as of then."""
        known = {entry.id for entry in self._born.within(self._branches.spans(at))}
        return [entry for entry in self.entries if entry.id not in known and _held(entry, at)]

    def status(self, entry: Entry, at: int | None = None) -> str:
        """As of event `at`: empty when it is known, else `forgotten`, `replaced by m9` or `abandoned branch`."""
        return _status(entry, self._branches.spans(at))

    def _written(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, MemoryWritten) or not event.key:
            return
        entry = Entry(
            id=event.key,
            seq=event.seq,
            at_us=event.at_us,
            text=body.text,
            category=body.category,
            topic=body.topic,
            pinned=body.pinned,
            actor=event.actor,
            scope=body.scope,
            replaces=body.replaces,
            births=(event.seq,),
        )
        self._changes += 1
        self.entries.append(entry)
        self._by_id[entry.id] = entry
        self._born.append(event.seq, entry)
        self._lose(entry.replaces, Loss(event.seq, entry.id))

    def _forgotten(self, event: Event) -> None:
        if isinstance(event.body, MemoryForgotten):
            self._lose(event.body.id, Loss(event.seq))

    def _kept(self, event: Event) -> None:
        """Known again, and with it that it replaces another."""
        if isinstance(event.body, MemoryKept) and (entry := self._by_id.get(event.body.id)) is not None:
            self._changes += 1
            entry.births = (*entry.births, event.seq)
            self._born.append(event.seq, entry)
            self._lose(entry.replaces, Loss(event.seq, entry.id))

    def _lose(self, id: str | None, loss: Loss) -> None:
        if id is not None and (entry := self._by_id.get(id)) is not None and id != loss.by:
            self._changes += 1
            entry.losses = (*entry.losses, loss)


def _status(entry: Entry, spans: Sequence[Span]) -> str:
    birth = max(_within(entry.births, spans), default=None)
    if birth is None:
        return ABANDONED
    lost = max(_within((loss.seq for loss in entry.losses), spans), default=0)
    return KNOWN if lost < birth else next(str(loss) for loss in entry.losses if loss.seq == lost)


def _within(seqs: Iterable[int], spans: Sequence[Span]) -> list[int]:
    return [seq for seq in seqs if any(first <= seq <= last for first, last in spans)]


def _held(entry: Entry, at: int | None) -> bool:
    """Whether, of all that befell an entry by event `at` on any branch, the last gave it."""
    births = [seq for seq in entry.births if at is None or seq <= at]
    losses = [loss.seq for loss in entry.losses if at is None or loss.seq <= at]
    return bool(births) and max(losses, default=0) < births[-1]
