"""Keys in their order, also when several come at once.

A slow line delivers what was typed in bursts. Textual looks at each key while the effect of the one before it is still
under way, so that a sentence typed after the key of a dialog ends up as commands: an `x` in it would interrupt the
agent. Here a key waits until what the one before it caused has happened, focus included.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from textual import events
from textual.app import App, ReturnType
from textual.message_pump import MessagePump

PATIENCE_S = 2.0
"""Longest wait for one handler; a key must get through to cancel what hangs."""


class TypingAheadApp(App[ReturnType]):
    """An app in which one can type ahead."""

    _typed: deque[events.Key | events.Paste]
    _settling: asyncio.Task[None] | None = None

    async def on_event(self, event: events.Event) -> None:
        """Let a key act now, or once those before it have acted."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._settling is not None:
            self._typed.append(event)
        else:
            self._typed = deque()
            self._settling = asyncio.create_task(self._act_in_turn())
            await super().on_event(event)

    async def _act_in_turn(self) -> None:
        try:
            await self._settle()
            while self._typed:
                await super().on_event(self._typed.popleft())
                await self._settle()
        except Exception as error:
            self._handle_exception(error)
        finally:
            self._settling = None

    async def _settle(self) -> None:
        """Wait until a key has gone its way from the focus to the app, and so has every message that it led to."""
        for _ in range(2):
            way = self.focused.ancestors_with_self if self.focused is not None else [*self.screen.ancestors_with_self]
            for pump in way:
                await _reached(pump)
        await _reached(self)


async def _reached(pump: MessagePump) -> None:
    """Wait until all that is in the queue of a widget now has been handled."""
    handled = asyncio.Event()
    if pump.is_running and pump.call_later(handled.set):
        with suppress(TimeoutError):
            await asyncio.wait_for(handled.wait(), PATIENCE_S)
