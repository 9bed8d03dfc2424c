"""A strip of panes to choose from, each with its key and its figure, so that a hidden pane still says the main thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.widgets import Static

from tui.messages import PaneChosen


@dataclass(frozen=True, slots=True)
class Tab:
    """A pane's id, key, label and figure."""

    pane: str
    key: str
    label: str
    figure: str = ""

    def content(self, *, chosen: bool, spacious: bool) -> Content:
        """The tab, with its figure where there is room."""
        label = Content.assemble((f" {self.key} ", "$hint-key"), (self.label, "bold $primary" if chosen else ""))
        figure = f" {self.figure}" if spacious and self.figure else ""
        content = label + Content.styled(f"{figure} ", "$muted")
        return content.stylize("reverse" if chosen else "")


class PaneTabs(Static):
    """One line of tabs. A click chooses."""

    DEFAULT_CSS = """
    PaneTabs { height: 1; background: $panel; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__("", id=id)
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
        for spacious in (True, False):
            parts = [tab.content(chosen=tab.pane == self._chosen, spacious=spacious) for tab in self._tabs]
            if sum(part.cell_length for part in parts) <= self.size.width:
                break
        self._ends = [sum(part.cell_length for part in parts[: index + 1]) for index in range(len(parts))]
        self.update(Content("").join(parts), layout=False)

    def on_click(self, event: events.Click) -> None:
        for tab, end in zip(self._tabs, self._ends, strict=False):
            if event.x < end:
                self.post_message(PaneChosen(tab.pane))
                return
