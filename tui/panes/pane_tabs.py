"""A strip of panes to choose from, each with its key and its figure: a hidden pane still says the main thing."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from textual import events
from textual.content import Content

from tui.messages import PaneChosen
from tui.panes.chips import CHOSEN
from tui.widgets.live_label import LiveLabel


class Tab(Struct, frozen=True):
    """A pane's id, key, label and figure."""

    pane: str
    key: str
    label: str
    figure: str = ""

    def content(self, *, chosen: bool) -> Content:
        """The tab as it is painted."""
        figure = f" {self.figure}" if self.figure else ""
        if chosen:
            return Content.styled(f" {self.key} {self.label}{figure} ", CHOSEN)
        return Content.assemble((f" {self.key} ", "$hint-key"), self.label, (f"{figure} ", "$muted"))


def fitting(tabs: Sequence[Tab], width: int) -> Sequence[Tab]:
    """The tabs, the longest figures left out until they fit into `width`."""
    while sum(tab.content(chosen=False).cell_length for tab in tabs) > width:
        longest = max(tabs, key=lambda tab: len(tab.figure))
        if not longest.figure:
            break
        tabs = [replace(tab, figure="") if tab is longest else tab for tab in tabs]
    return tabs


class PaneTabs(LiveLabel):
    """One line of tabs. A click chooses."""

    DEFAULT_CSS = """
    PaneTabs { height: 1; background: $panel; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._tabs: Sequence[Tab] = ()
        self._chosen = ""
        self._ends: list[int] = []

    def set_tabs(self, tabs: Sequence[Tab], chosen: str) -> None:
        """Show these; nothing is drawn when they are the same."""
        if (list(tabs), chosen) != (list(self._tabs), self._chosen):
            self._tabs, self._chosen = tabs, chosen
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        parts = [tab.content(chosen=tab.pane == self._chosen) for tab in fitting(self._tabs, self.size.width)]
        self._ends = [sum(part.cell_length for part in parts[: index + 1]) for index in range(len(parts))]
        self.update(Content("").join(parts))

    def on_click(self, event: events.Click) -> None:
        for tab, end in zip(self._tabs, self._ends, strict=False):
            if event.x < end:
                self.post_message(PaneChosen(tab.pane))
                return
