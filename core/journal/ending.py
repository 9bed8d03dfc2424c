"""The end of a log, read before the rest of it."""

from __future__ import annotations

from typing import Final

import msgspec

from core.folds.tail import Tail
from core.folds.totals import Totals
from core.journal import schema
from core.journal.reader import Reader

LENGTH: Final = 2_000
"""Events of a tail: some hundred calls, more than anybody scrolls through while the rest is read."""
COUNTED_WITHIN: Final = 10_000
"""Events since the counters were stored that are counted for a tail; more would hold up the reading of all."""


def read_tail(reader: Reader) -> Tail:
    """The last events, after those before that tell the state; blocks. Raises JournalError."""
    tail, first = Tail(), max(0, reader.last_seq() - LENGTH)
    told = [event for kind in schema.STATE_KINDS if (event := reader.latest(kind)) and event.seq <= first]
    tail.apply_all(sorted(told, key=lambda event: event.seq))
    tail.apply_all(reader.events(first))
    return tail


def count(tail: Tail, reader: Reader) -> None:
    """Bring the counters of the session to where its tail ends, if that is soon done; blocks. Raises JournalError."""
    totals = tail.totals or _stored(reader)
    if totals is not None and 0 <= tail.last_seq - totals.seq <= COUNTED_WITHIN:
        tail.count(totals, (event for event in reader.events(totals.seq) if event.seq <= tail.last_seq))
    else:
        tail.totals = None


def _stored(reader: Reader) -> Totals | None:
    stored = reader.snapshot(Totals.NAME, Totals.VERSION)
    try:
        return msgspec.json.decode(stored[1], type=Totals) if stored else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
