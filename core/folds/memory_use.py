"""What memory entries are good for and what they cost: how often recall gave them, and the rent of carrying them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from core.events import ContextCompressed, ContextRestored, Event, HeadMoved, ToolFinished
from core.folds.context_items import ContextItems
from core.folds.fold import Handler, Series
from core.folds.memories import Entry

RECALLS = "recall"
_CARRIED = re.compile(r"^\[([mu]\d+)\] ", re.MULTILINE)
"""How an entry begins in the texts that a compression sends."""
_GIVEN = re.compile(r"^([mu]\d+) (?:\[|· lines )", re.MULTILINE)
"""How an entry begins in what recall answers."""


class Use(Struct, frozen=True):
    """`uses`: how often recall gave the entry, `last` the event of the latest time. `carried`: it is in each request.

    `usd`: what reading it with every turn has cost since a compression put it there; the turns before, it stood in the
    call that wrote it.
    """

    uses: int = 0
    last: int | None = None
    carried: bool = False
    usd: Decimal = Decimal(0)


class _Carried(NamedTuple):
    """The entries in the request: held by event, in the ledger, in the digest."""

    held: frozenset[tuple[int, str]] = frozenset()
    ledger: frozenset[str] = frozenset()
    digest: frozenset[str] = frozenset()

    @property
    def ids(self) -> frozenset[str]:
        return self.ledger | self.digest | {id for _seq, id in self.held}


class MemoryUse:
    """Per entry, as of any event. Rent that an abandoned branch paid was paid."""

    def __init__(self, items: ContextItems) -> None:
        self._items = items
        self._given: dict[str, Series[int]] = {}
        self._carried: Series[_Carried] = Series(_Carried())
        self._spans: dict[str, list[tuple[int, int | None]]] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "tool.finished": self._finished,
            "context.compressed": self._compressed,
            "context.restored": self._restored,
            "head.moved": self._moved,
        }

    def of(self, entry: Entry, at: int | None = None) -> Use:
        """What became of an entry as of event `at`; costs as much as compressions took it in and out."""
        given = self._given.get(entry.id)
        tokens = self._items.tokens_of(f"[{entry.id}] {entry.category} · {entry.topic}: {entry.text}", at)
        spans = [span for span in self._spans.get(entry.id, ()) if at is None or span[0] <= at]
        usd = sum((self._items.carriage(since, _earlier(until, at)) for since, until in spans), Decimal(0))
        return Use(
            uses=given.at(at) if given else 0,
            last=(given.since(at) or None) if given else None,
            carried=entry.id in self._carried.at(at).ids,
            usd=usd * tokens,
        )

    def _finished(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ToolFinished) and body.name == RECALLS and body.ok:
            for id in set(_GIVEN.findall(body.content)):
                given = self._given.setdefault(id, Series(0))
                given.append(event.seq, given.last + 1)

    def _compressed(self, event: Event) -> None:
        body, before = event.body, self._carried.last
        if not isinstance(body, ContextCompressed):
            return
        kept = frozenset(pair for pair in before.held if pair[0] not in body.released)
        new = frozenset((text.seq, id) for text in body.held for id in _CARRIED.findall(text.text))
        ledger = before.ledger | frozenset(_CARRIED.findall(body.ledger))
        self._carry(event.seq, _Carried(kept | new, ledger, frozenset(_CARRIED.findall(body.digest))))

    def _restored(self, event: Event) -> None:
        if isinstance(event.body, ContextRestored):
            self._carry(event.seq, self._carried.at(event.body.seq - 1))

    def _moved(self, event: Event) -> None:
        if isinstance(event.body, HeadMoved):
            self._carry(event.seq, self._carried.at(event.body.to))

    def _carry(self, seq: int, now: _Carried) -> None:
        before = self._carried.last.ids
        for id in before - now.ids:
            self._spans[id][-1] = (self._spans[id][-1][0], seq)
        for id in now.ids - before:
            self._spans.setdefault(id, []).append((seq, None))
        self._carried.append(seq, now)


def _earlier(until: int | None, at: int | None) -> int | None:
    """The earlier of two ends, None being none."""
    return min((end for end in (until, at) if end is not None), default=None)
