"""Keys in their order, also when several come at once.

A slow line delivers what was typed in bursts. Textual looks at each key while the effect of the one before it is still
under way, so that a sentence typed after the key of a dialog ends up as commands: an `x` in it would interrupt the
agent. Here a key waits until what the one before it caused has happened, focus included; and each key knows what had
been seen when it was pressed, so that it can't answer a question that was still on its way to the terminal.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from contextlib import suppress
from typing import Any

from textual import events
from textual.app import App, ReturnType
from textual.message_pump import MessagePump

from core.clock import monotonic
from tui.line_speed import LineSpeed, is_far
from tui.sightings import Sightings

BREATH_S = 0.7
"""Who has typed nothing for so long has stopped writing a sentence."""
WRITING = frozenset({"enter", "tab", "backspace"})
"""Keys beside the printable ones that belong to what is written."""
PATIENCE_S = 2.0
"""Longest wait for one handler; a key must get through to cancel what hangs."""


class TypingAheadApp(App[ReturnType]):
    """An app in which one can type ahead."""

    _typed: deque[tuple[events.Key | events.Paste, int]]
    _settling: asyncio.Task[None] | None = None
    _deaf_until_s = float("-inf")
    """Until then what is typed was meant for a dialog that did not open."""
    _pressed_at = 0
    """What had been seen when the key, or the click, that is acting now was pressed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.line = LineSpeed(far=is_far(os.environ))
        self._sightings = Sightings(self.write_terminal, self.line.answered)

    def on_mount(self) -> None:
        self.call_after_refresh(self.sight)

    def write_terminal(self, data: str) -> None:
        """Bytes that paint nothing, by the way of all others."""
        if self._driver is not None:
            self._driver.write(data)

    def sight(self) -> int:
        """Ask the terminal whether it shows what was painted so far; the number to ask `pressed_after` with."""
        return self._sightings.ask() if self._answers else 0

    def sight_again(self) -> None:
        """Writes were lost: what was asked may be, too."""
        if self._answers:
            self._sightings.ask_again()

    def pressed_after(self, sighting: int | None) -> bool:
        """Whether the key that acts now was pressed when that could be seen; None: it was not even painted."""
        return not self._answers or (sighting is not None and self._pressed_at >= sighting)

    def not_opened(self) -> None:
        """A dialog was refused: the words that are typed into it all the same are no commands, until they pause."""
        self._deaf_until_s = monotonic() + BREATH_S

    def _goes_nowhere(self, event: events.Key | events.Paste) -> bool:
        writes = isinstance(event, events.Paste) or event.is_printable or event.key in WRITING
        if not writes or monotonic() >= self._deaf_until_s:
            return False
        self.not_opened()
        return True

    @property
    def _answers(self) -> bool:
        """Whether there is a terminal that could be asked."""
        return bool(getattr(self._driver, "answers", False))

    async def on_event(self, event: events.Event) -> None:
        """Let a key act now, or once those before it have acted."""
        if isinstance(event, events.CursorPosition):
            self._sightings.answered(event.x, event.y)
        elif not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            if isinstance(event, events.MouseDown) and self._settling is None:
                self._pressed_at = self._sightings.seen
            await super().on_event(event)
        elif self._settling is not None:
            self._typed.append((event, self._sightings.seen))
        else:
            self._typed = deque()
            self._pressed_at = self._sightings.seen
            self._settling = asyncio.create_task(self._act_in_turn())
            await self._act(event)

    async def _act_in_turn(self) -> None:
        try:
            await self._settle()
            while self._typed:
                event, self._pressed_at = self._typed.popleft()
                await self._act(event)
                await self._settle()
        except Exception as error:
            self._handle_exception(error)
        finally:
            self._settling = None

    async def _act(self, event: events.Key | events.Paste) -> None:
        if not self._goes_nowhere(event):
            await super().on_event(event)

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
