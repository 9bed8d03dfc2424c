"""A reply played out: frames at a human pace, with the faults that strike in mid-stream."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from core.clock import Clock
from core.simulator.errors import ApiError
from core.simulator.faults import Fault, FaultKind
from core.simulator.wire import Frame, error_frame

_DEFAULT_EVENTS = 5


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a model talks at speed 1: seconds before the first token, tokens a second, and the longest reply."""

    speed: float = 1.0
    first_s: float = 0.6
    tokens_per_s: float = 70.0
    longest_s: float = 8.0

    @property
    def factor(self) -> float:
        """What waits are multiplied with; 0 at speed 0 and infinity, both meaning at once."""
        return 0.0 if self.speed <= 0 or math.isinf(self.speed) else 1.0 / self.speed

    def seconds(self, tokens: int, of: int) -> float:
        """How long so many tokens of a reply of `of` tokens take."""
        return self.factor * tokens * min(1 / self.tokens_per_s, self.longest_s / max(1, of))


@dataclass(frozen=True, slots=True)
class Player:
    """Plays frames; `hang_up` closes the connection at once."""

    clock: Clock
    pace: Pace
    hang_up: Callable[[], None]

    async def think(self, delay_s: float, tokens: int) -> None:
        """Take the time that a reply of so many tokens takes, without sending anything."""
        await self._wait((delay_s + self.pace.first_s) * self.pace.factor + self.pace.seconds(tokens, tokens))

    async def play(self, frames: Iterable[Frame], delay_s: float, fault: Fault | None) -> AsyncIterator[bytes]:
        """Chunks of the stream. A stall for ever ends when the client goes away."""
        played = [frame for frame in frames if not (_is(fault, FaultKind.NO_START) and frame.event == "message_start")]
        strike_at = _strike_at(fault, len(played))
        slower = fault.number(10) if fault and fault.kind is FaultKind.SLOW else 1.0
        await self._wait((delay_s + self.pace.first_s) * self.pace.factor * slower)
        async for chunk in self._paced(played[:strike_at], slower):
            yield chunk
        if fault is None or strike_at is None:
            return
        if fault.kind is FaultKind.ERROR_EVENT:
            yield error_frame(ApiError(529, "Overloaded").envelope()).encode()
        elif fault.kind is FaultKind.RESET:
            self.hang_up()
        elif fault.kind is FaultKind.STALL:
            await self._stall(fault)
            async for chunk in self._paced(played[strike_at:], slower):
                yield chunk

    async def _paced(self, frames: list[Frame], slower: float) -> AsyncIterator[bytes]:
        """One chunk a frame where frames take time, else all in one."""
        if not self.pace.factor:
            yield b"".join(frame.encode() for frame in frames)
            return
        total = sum(frame.tokens for frame in frames)
        for frame in frames:
            yield frame.encode()
            await self._wait(self.pace.seconds(frame.tokens, total) * slower)

    async def _stall(self, fault: Fault) -> None:
        if not fault.value:
            await asyncio.Event().wait()
        await self._wait(fault.number(0))

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await self.clock.sleep(seconds)


def _is(fault: Fault | None, kind: FaultKind) -> bool:
    return fault is not None and fault.kind is kind


def _strike_at(fault: Fault | None, frames: int) -> int | None:
    """Before which frame a mid-stream fault strikes; None for never."""
    if fault is None:
        return None
    match fault.kind:
        case FaultKind.CUT | FaultKind.RESET | FaultKind.ERROR_EVENT:
            return min(int(fault.number(_DEFAULT_EVENTS)), frames - 1)
        case FaultKind.STALL:
            return min(_DEFAULT_EVENTS, frames - 1)
    return None
