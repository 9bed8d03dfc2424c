"""Calls that run side by side and are told in their order, so that the same session has the same log twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import takewhile


class Row:
    """`keys`: those of the calls, in their order; first all begin, then all are told. Others wait for nobody."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._begun = {key: asyncio.Event() for key in keys}
        self._told = {key: asyncio.Event() for key in keys}

    async def may_begin(self, key: str) -> None:
        """Wait until the beginnings of the calls before it are written."""
        if key in self._begun:
            await _all(self._begun[ahead] for ahead in self._ahead_of(key))

    async def may_tell(self, key: str) -> None:
        """Wait until all have begun, and until what the calls before it came to is written."""
        if key in self._told:
            await _all([*self._begun.values(), *(self._told[ahead] for ahead in self._ahead_of(key))])

    def begun(self, key: str) -> None:
        """Its beginning is written, or has no place of its own."""
        if key in self._begun:
            self._begun[key].set()

    def told(self, key: str) -> None:
        """What it came to is written, or it comes to nothing for now."""
        self.begun(key)
        if key in self._told:
            self._told[key].set()

    def _ahead_of(self, key: str) -> Iterable[str]:
        return takewhile(lambda other: other != key, self._told)


async def _all(events: Iterable[asyncio.Event]) -> None:
    for event in events:
        await event.wait()
