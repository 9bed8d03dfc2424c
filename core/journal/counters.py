"""Stored counters against the events that they were counted from: a snapshot has no checksum of its own."""

from __future__ import annotations

import msgspec

from core.folds.fold import Dispatcher
from core.folds.totals import Totals
from core.journal.reader import Reader

_CHUNK = 500


def recount(reader: Reader) -> str:
    """Count again from the first event; a sentence when the newest snapshot differs, else nothing.

    Raises JournalError when the journal is damaged.
    """
    stored = reader.snapshot(Totals.NAME, Totals.VERSION)
    if stored is None:
        return ""
    seq, body = stored
    try:
        kept = msgspec.json.decode(body, type=Totals)
    except (msgspec.DecodeError, TypeError, UnicodeDecodeError):
        return f"The stored counters of event {seq} can't be read."
    if kept.seq == seq and kept == _counted(reader, seq):
        return ""
    return f"The stored counters of event {seq} are not those of the events."


def _counted(reader: Reader, until: int) -> Totals:
    totals = Totals()
    dispatch = Dispatcher([totals])
    while batch := [event for event in reader.events(totals.seq, _CHUNK) if event.seq <= until]:
        for event in batch:
            totals.observe(event)
            dispatch.apply(event)
    return totals
