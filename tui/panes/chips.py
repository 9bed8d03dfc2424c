"""A line of chips: what can be shown, each with its count, the chosen ones marked; a click chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace
from textual import events
from textual.content import Content
from textual.message import Message

from tui.safe import one_line
from tui.widgets.live_label import LiveLabel

CHOSEN = "bold reverse $front-background on $front-foreground"
"""Turned round, so that it stands out without colours too, and no terminal brightens bold black to grey."""


class Chip(Struct, frozen=True):
    """`id` is what a click on it says; a `count` of None is not shown; `removable` ones carry a cross."""

    id: str
    label: str
    count: int | None = None
    chosen: bool = False
    removable: bool = False

    def content(self) -> Content:
        text = one_line(self.label)
        number = "" if self.count is None else f" {self.count:,}"
        if self.removable:
            return Content.styled(f" {text} × ", CHOSEN)
        if self.chosen:
            return Content.styled(f"[{text}{number}]", CHOSEN)
        return Content.assemble(" ", (text, "$muted"), (number, "$muted"), " ")


class Chips(LiveLabel):
    """Fits its line by leaving out counts, the least interesting first."""

    DEFAULT_CSS = """
    Chips { height: 1; background: $surface; }
    """

    @dataclass
    class Chosen(Message):
        """A chip was clicked."""

        id: str

    def __init__(self) -> None:
        super().__init__()
        self._chips: Sequence[Chip] = ()
        self._ends: list[tuple[int, str]] = []

    def set_chips(self, chips: Sequence[Chip]) -> None:
        """Show these; nothing is drawn when they are the same."""
        if list(chips) != list(self._chips):
            self._chips = chips
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        parts, self._ends, end = [], [], 0
        for chip in fitting(self._chips, self.size.width):
            parts.append(chip.content())
            end += parts[-1].cell_length
            self._ends.append((end, chip.id))
        self.update(Content("").join(parts))

    def on_click(self, event: events.Click) -> None:
        for end, id in self._ends:
            if event.x < end:
                self.post_message(self.Chosen(id))
                return


def fitting(chips: Sequence[Chip], width: int) -> Sequence[Chip]:
    """The chips within `width`: counts go from the left, then chips that are not chosen from the right."""
    kept = list(chips)
    while kept and sum(chip.content().cell_length for chip in kept) > width:
        counted = next((at for at, chip in enumerate(kept) if chip.count is not None and not chip.chosen), None)
        spare = next((at for at in range(len(kept) - 1, -1, -1) if not kept[at].chosen), None)
        if counted is not None:
            kept[counted] = replace(kept[counted], count=None)
        elif spare is not None:
            del kept[spare]
        else:
            break
    return kept
