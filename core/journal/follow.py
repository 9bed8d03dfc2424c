"""A session's events so far, and then each new one: the only way in for screens, live and attached alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, TypeVar

from core.events import Event
from core.journal import schema
from core.journal.reader import Reader
from core.journal.rows import Row
from core.journal.watch import Waker

CHUNK: Final = 2000

Found = TypeVar("Found", Event, Row)


class Follow:
    """`async for events in follow`: batches in order, without a gap, until `stop()`.

    Works beside a writer in this process (call `wake` after its commits) and in another one (the file's changes wake
    it). Raises JournalError when the journal is damaged.
    """

    def __init__(self, folder: Path, *, after: int = 0, watch: bool = True) -> None:
        self.folder = folder
        self.position = after
        """The last event that was handed out."""
        self.caught_up = False
        """Whether the last batch reached the end of the log at that time."""
        self._waker = Waker(folder, schema.DATABASE, watch=watch)
        self._stopped = False

    def wake(self) -> None:
        """Look for new events now. May be called from any thread."""
        self._waker.wake()

    def stop(self) -> None:
        """End the iteration after the batch in hand. May be called from any thread."""
        self._stopped = True
        self._waker.wake()

    def __aiter__(self) -> AsyncIterator[list[Event]]:
        return self._batches(Reader.events)

    def rows(self) -> AsyncIterator[list[Row]]:
        """The same as stored rows."""
        return self._batches(Reader.raw)

    async def _batches(self, read: Callable[[Reader, int, int], list[Found]]) -> AsyncIterator[list[Found]]:
        reader = await asyncio.to_thread(Reader, self.folder)
        try:
            async with self._waker:
                while not self._stopped:
                    batch = await asyncio.to_thread(read, reader, self.position, CHUNK)
                    self.caught_up = len(batch) < CHUNK
                    if batch:
                        self.position = batch[-1].seq
                        yield batch
                    if self.caught_up and not self._stopped:
                        await self._waker.wait()
        finally:
            reader.close()
