"""The log of a session up to one of its events, copied under another id: event for event, but for what opened it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from core.events import Event, SessionOpened, encode_body
from core.journal import rows
from core.journal.bulk import BulkWriter
from core.journal.reader import Reader
from core.journal.rows import Row

_CHUNK: Final = 2_000


def copy_log(source: Reader, folder: Path, upto: int, **opened: Any) -> None:
    """Write the first `upto` events into a new journal in `folder`, with the outputs that they point to.

    `opened` replaces what the first event says. Raises JournalError.
    """
    with BulkWriter(folder, str(opened["session"])) as writer:
        for row in _rows(source, upto):
            event = rows.decode(row)
            if isinstance(event.body, SessionOpened):
                row = row._replace(body=encode_body(replace(event.body, **opened)))
            writer.add(row, _outputs(source, event))
        writer.seal()


def _rows(source: Reader, upto: int) -> Iterator[Row]:
    after = 0
    while after < upto and (batch := source.raw(after, min(_CHUNK, upto - after))):
        yield from batch
        after = batch[-1].seq


def _outputs(source: Reader, event: Event) -> list[bytes]:
    found = (source.blob(name) for name in sorted(rows.blobs_of(event.body)))
    return [data for data in found if data is not None]
