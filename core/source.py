"""What a screen reads: a session's events and the reply in flight, whether its runner is in this process or in none.

What only some key asks for is imported with the first of them: a screen opens without it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from core.clock import pause_real
from core.events import Event
from core.folds.fold import Dispatcher
from core.folds.highlights import Highlights, Moment
from core.folds.tail import Tail
from core.folds.view import SessionView
from core.journal.ending import count, read_tail
from core.journal.errors import JournalError
from core.journal.finding import find
from core.journal.follow import Follow
from core.journal.kept_view import KeptView
from core.journal.live import LiveTail
from core.journal.reader import Reader
from core.journal.schema import JOBS
from core.protocols import Found, LiveDelta, Written

if TYPE_CHECKING:
    from core.changes.net import FileDiff
    from core.tools.secrets import Redactor

LIVE_EVERY_S = 0.1
TAIL_EVERY_S = 0.5
READ_CHUNK = 2_000
MUCH = 50_000
"""Events to be read at once from which on it is worth a few milliseconds that they leave little free memory behind."""


class SessionSource:
    """`core.protocols.Source` over a session folder, whether its runner is in this process or in none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._follow = Follow(folder)
        self._reader: Reader | None = None
        self._kept: KeptView | None = None
        self._saving: asyncio.Task[None] | None = None
        self._reads_much = False

    def wake(self) -> None:
        """There is something new; may be called from any thread."""
        self._follow.wake()

    def restored(self) -> SessionView:
        try:
            reader = self._read()
        except JournalError:
            return SessionView()  # Following it will say what is wrong.
        self._kept = KeptView(self._folder)
        view = self._kept.restored(reader)
        self._follow.position = view.last_seq
        self._prepare(reader, view)
        return view

    def _prepare(self, reader: Reader, view: SessionView) -> None:
        with suppress(JournalError):
            self._reads_much = reader.last_seq() - view.last_seq >= MUCH
        if self._reads_much:
            from core.allocator import set_large_apart, share_memory

            share_memory()
            set_large_apart()

    def put_away(self, view: SessionView) -> None:
        if self._kept is not None:
            self._kept.put_away(view)

    async def keep(self, view: SessionView, longer_by: float = 0.0) -> None:
        kept = self._kept
        if kept is None or (picture := kept.picture(view, longer_by)) is None:
            return
        large = picture.is_large
        self._saving = asyncio.create_task(asyncio.to_thread(kept.save, picture, self._read()))
        del picture
        await asyncio.shield(self._saving)  # whoever waits for it may be cancelled: on leaving, for one
        if large:
            await _tidy()

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        """Every event so far, an empty batch when caught up for the first time, then what comes."""
        goal = await self.last_seq()
        caught_up = 0 < self._follow.position >= goal
        if caught_up:
            yield []
        async for batch in self._follow:
            yield batch
            if self._follow.caught_up and self._follow.position >= goal and not caught_up:
                caught_up = True
                if self._reads_much:
                    await _tidy()
                yield []

    async def tails(self) -> AsyncIterator[Tail]:
        reader = self._read()
        tail = await asyncio.to_thread(read_tail, reader)
        yield tail
        while True:
            await asyncio.to_thread(count, tail, reader)
            yield tail
            while not (news := await asyncio.to_thread(reader.events, tail.last_seq)):
                await pause_real(TAIL_EVERY_S)
            tail.apply_all(news)

    async def last_seq(self) -> int:
        """The number of the newest event."""
        return await asyncio.to_thread(self._read().last_seq)

    async def live(self) -> AsyncIterator[Sequence[LiveDelta]]:
        """Pieces of the reply in flight; an empty batch when the attempt changes or is settled."""
        tail, attempt = LiveTail(self._folder), None
        while True:
            deltas = await asyncio.to_thread(tail.read)
            if tail.attempt != attempt:
                attempt = tail.attempt
                yield []
            if deltas and attempt:
                yield [LiveDelta(attempt, delta.kind, delta.index, delta.text) for delta in deltas]
            await pause_real(LIVE_EVERY_S)

    async def event(self, seq: int) -> Event | None:
        return await asyncio.to_thread(self._read().event, seq)

    async def blob(self, hash: str) -> bytes | None:
        return await asyncio.to_thread(self._read().blob, hash)

    def find(self, words: str) -> AsyncIterator[Found]:
        return find(self._read(), words)

    @cached_property
    def _redact(self) -> Redactor:
        """What is printed right now was not stored yet: secrets are taken out of it here."""
        from core.tools.secrets import Redactor

        return Redactor(os.environ)

    async def changes(self) -> list[FileDiff]:
        from core.changes.net import changes_of

        return await asyncio.to_thread(changes_of, self._folder)

    async def differing(self, before: str, after: str) -> list[FileDiff]:
        from core.changes.net import differing

        return await asyncio.to_thread(differing, self._folder, before, after)

    async def highlights(self) -> tuple[list[Moment], list[Moment]]:
        return await asyncio.to_thread(self._highlights)

    def _highlights(self) -> tuple[list[Moment], list[Moment]]:
        found, after = Highlights(), 0
        dispatch = Dispatcher([found])
        while batch := self._read().events(after, READ_CHUNK):
            for event in batch:
                dispatch.apply(event)
            after = batch[-1].seq
        return found.moments(), found.chapters

    async def output(self, call: str, after: int = 0) -> Written | None:
        from core.tools.jobs import written

        return await asyncio.to_thread(written, self._folder / JOBS / call, after, self._redact)

    async def close(self) -> None:
        self._follow.stop()
        if self._saving is not None:
            await self._saving
        if self._kept is not None:
            self._kept.close()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _read(self) -> Reader:
        if self._reader is None:
            self._reader = Reader(self._folder)
        return self._reader


async def _tidy() -> None:
    """Return to the system what was only needed for a moment."""
    from core.allocator import give_back

    await asyncio.to_thread(give_back)
