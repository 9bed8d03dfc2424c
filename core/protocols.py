"""The only seam between screen and core: a source of events in, commands out. Live and attached are the same path."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

import msgspec

from core.events import Event


class LiveDelta(msgspec.Struct, frozen=True):
    """A piece of the reply in flight. `kind`: text, thinking, tool (a call's name begins) or arguments."""

    attempt: str
    kind: str
    index: int
    text: str


class Source(Protocol):
    """The events so far, then each new one."""

    def batches(self) -> AsyncIterator[Sequence[Event]]:
        """Everything so far in a few batches, an empty batch when it has caught up, then what comes.

        Ends by itself only when nothing more can come (a file that is replayed).
        """
        ...

    def live(self) -> AsyncIterator[Sequence[LiveDelta]]:
        """Pieces of the reply in flight; an empty batch when a new attempt starts or the old one is settled."""
        ...

    async def event(self, seq: int) -> Event | None:
        """One event, whole."""
        ...

    async def blob(self, hash: str) -> bytes | None:
        """A big output by its hash."""
        ...

    async def close(self) -> None: ...


class Controls(Protocol):
    """Every control of the session, from here or from another shell."""

    @property
    def available(self) -> bool:
        """False for an exported file, which can only be read."""
        ...

    async def send(self, verb: str, args: dict[str, Any] | None = None, head: int | None = None) -> str:
        """Post a command; its id. Whether it was accepted is told by an event keyed by that id."""
        ...
