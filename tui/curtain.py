"""A screen whose first picture is a whole one.

Opening lays out an empty screen, fits it to the terminal, and lays it out again with what there is to show: to draw
each of these costs more than the last of them, and nobody wants to see them. It leans on private methods of Textual's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from textual import events
from textual.screen import Screen

AT_LATEST_S: Final = 0.5
"""From here on an unfinished picture is better than none."""
MOST_LAYOUTS: Final = 20
"""Layouts after which the picture need not settle any more."""


class CurtainScreen(Screen[None]):
    """Draws nothing until `raise_curtain`, or until it takes too long."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.raised = self._rising = False
        self._layouts = 0
        self._afterwards: list[Callable[[], object]] = []

    def on_mount(self) -> None:
        self.set_timer(AT_LATEST_S, self.raise_curtain)

    def raise_curtain(self) -> None:
        """Draw what there is, and from now on all that changes."""
        if not self._rising:
            self._rising = True
            self.call_after_refresh(self._draw)

    def _draw(self, layouts: int = -1) -> None:
        """Once everything has found its place: a layout may ask for another one, of scroll bars for one."""
        if layouts != self._layouts < MOST_LAYOUTS:
            self.call_after_refresh(self._draw, self._layouts)
            return
        self.raised = True
        self.refresh()
        for act in self._afterwards:
            self.call_after_refresh(act)
        self._afterwards.clear()

    def after_first_picture(self, act: Callable[[], object]) -> None:
        """Call this once something is drawn."""
        if self.raised:
            self.call_after_refresh(act)
        else:
            self._afterwards.append(act)

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        """The first time every widget has just been styled as it was mounted; Textual would do it all again."""
        event.refresh_styles = event.refresh_styles and self.raised

    def _refresh_layout(self, *args: Any, **options: Any) -> None:
        self._layouts += 1
        super()._refresh_layout(*args, **options)

    def _compositor_refresh(self) -> None:
        if self.raised:
            super()._compositor_refresh()

    def wear_classes_of_size(self) -> None:
        """Have the classes that Textual gives after the first layout already before it."""
        size = self.app.size
        for cells, breakpoints in (
            (size.width, self.HORIZONTAL_BREAKPOINTS),
            (size.height, self.VERTICAL_BREAKPOINTS),
        ):
            fitting = [name for least, name in breakpoints or () if cells >= least]
            if fitting:
                self.set_class(True, fitting[-1], update=False)
