"""The frame pump: many changes in, few drawings out.

Events arrive faster than anybody reads. The pump collects what changed and calls one function with the union, at once
after a quiet time and then at most `rate` times a second. While nothing is pending there is no timer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from enum import Flag
from typing import Generic, TypeVar

from textual.widget import Widget

from tui.line_speed import FAST

Changes = TypeVar("Changes", bound=Flag)


def stands(widget: Widget) -> bool:
    """Whether a widget can be drawn on: neither is it being taken away, nor does its app end."""
    return widget.is_attached and widget.display


class FramePump(Generic[Changes]):
    """Make it where drawing is allowed (in a handler of the screen): `draw` is called in that context, in its loop.

    `rate`: frames a second, from the next frame on. `here`: whether what is drawn on still stands; an app that ends
    takes widgets apart before it tells those around them.
    """

    def __init__(
        self, draw: Callable[[Changes], None], rate: float = FAST, here: Callable[[], bool] = lambda: True
    ) -> None:
        self.rate = rate
        self._here = here
        self._draw = draw
        self._pending: Changes | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False
        self._context = copy_context()

    def mark(self, changes: Changes) -> None:
        """These parts need drawing; call it as often as you like."""
        self._pending = changes if self._pending is None else self._pending | changes
        if self._timer is None and not self._stopped:
            self._wait(0.0)

    def flush(self) -> None:
        """Draw what is pending now."""
        changes, self._pending = self._pending, None
        if changes is not None:
            self._draw(changes)

    def stop(self) -> None:
        """No drawing from now on; what is pending is kept for `flush`."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def idle(self) -> bool:
        """True while no timer runs."""
        return self._timer is None

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._tick, context=self._context)

    def _tick(self) -> None:
        self._timer = None
        if self._pending is None or self._stopped or not self._here():
            return
        self._wait(1 / self.rate)  # First, so that a failing draw does not end the pump.
        self.flush()
