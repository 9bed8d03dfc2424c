"""One line to write: still, plain, and gone once it is closed."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen
from textual.signal import Signal
from textual.widget import Widget
from textual.widgets import Input

Started = Signal[Screen[Any]]
"""Textual's signal that a selection by the mouse has begun."""


def release(field: Widget, selecting: Started) -> None:
    """Let nothing remember a field that is removed.

    Textual's fields subscribe to a signal of the screen and watch the theme of the app, and both hold on to them until
    the signal is sent or the theme changes, which over days may be never.
    """
    selecting.unsubscribe(field)
    watched: dict[str, list[Any]] = getattr(field.app, "__watchers", {})
    for watchers in watched.values():
        watchers[:] = [entry for entry in watchers if entry[0] is not field]


class Line(Input):
    """One line to write: no border, no blinking cursor."""

    DEFAULT_CSS = """
    Line { border: none; padding: 0; height: 1; background: $surface; }
    Line:focus { border: none; background-tint: $foreground 0%; }
    Line > .input--placeholder { color: $muted; }
    """

    def __init__(self, value: str = "", *, placeholder: str = "") -> None:
        super().__init__(value, placeholder=placeholder, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def on_mount(self) -> None:
        self._started: Started = self.screen.text_selection_started_signal

    def on_unmount(self) -> None:
        release(self, self._started)
