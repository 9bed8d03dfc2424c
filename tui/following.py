"""From a source into a view: everything so far in slices that let keys through, then what comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from core.clock import monotonic
from core.events import Event
from core.folds.tail import Tail
from core.folds.view import Changes, SessionView
from core.protocols import Source
from tui.screens.watch import WatchScreen
from tui.undisturbed import undisturbed

SLICE = 32
"""Events applied between two looks at the clock."""
SLICE_S = 0.03
"""Longest stretch for which applying events may keep the loop."""
LONG = 8_000
"""Events that are still to be read from which on the end of the log is shown meanwhile: a second of work."""
KEEP_WHEN_LONGER_BY = 1 / 8
"""A view is kept on the way too, lest a screen that is killed after a day leaves all of it to be read again."""


class Following:
    """Feeds `view`, and tells `screen` what changed."""

    def __init__(self, source: Source, view: SessionView, screen: WatchScreen) -> None:
        self._source, self._view, self._screen = source, view, screen

    async def follow(self) -> None:
        """Until nothing more can come. Raises what reading the log raises."""
        batches = aiter(self._source.batches())
        with undisturbed():
            await self._catch_up(batches)
        self._screen.caught_up()
        await self._source.keep(self._view)
        async for batch in batches:
            await self._apply(batch)
            await self._source.keep(self._view, KEEP_WHEN_LONGER_BY)

    async def _catch_up(self, batches: AsyncIterator[Sequence[Event]]) -> None:
        """All that is there already, up to the empty batch that says so; of a long log its end is shown meanwhile."""
        of = await self._source.last_seq()
        glimpsing = None
        if not self._screen.replay and of - self._view.last_seq >= LONG:
            self._screen.reading(self._view.last_seq, of)
            tails = aiter(self._source.tails())
            self._screen.glimpse(await anext(tails))
            glimpsing = asyncio.create_task(self._glimpse(tails))
        try:
            async for batch in batches:
                if not batch:
                    return
                await self._apply(batch, of)
        finally:
            if glimpsing is not None:
                glimpsing.cancel()
                await asyncio.gather(glimpsing, return_exceptions=True)

    async def _glimpse(self, tails: AsyncIterator[Tail]) -> None:
        async for tail in tails:
            self._screen.glimpse(tail)

    async def _apply(self, batch: Sequence[Event], of: int = 0) -> None:
        """Take in events in slices short enough that keys and drawing go on between them; `of` so many, at first."""
        changes, since = Changes.NONE, monotonic()
        for index, event in enumerate(batch, start=1):
            changes |= self._view.apply(event)
            if event.kind.startswith("command."):
                self._screen.note_command(event)
            if index % SLICE == 0 and monotonic() - since > SLICE_S:
                self._screen.view_changed(changes)
                self._screen.reading(event.seq, of)
                await asyncio.sleep(0)
                changes, since = Changes.NONE, monotonic()
        if changes:
            self._screen.view_changed(changes)
        self._source.put_away(self._view)
