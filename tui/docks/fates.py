"""What became of each guidance, the ones that still wait first: those can be changed or taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from core.folds.guidance import Receipt
from tui.panes.sheet_lines import MUTED, clip, fit
from tui.safe import one_line

ROWS = 5
"""Guidance in sight at once."""
STYLES = {
    "queued": "$warning",
    "acted on": "$success",
    "answered": "$success",
    "apparently ignored": "$error",
}
FATE_CELLS = 9
"""The widest word of a fate in the list."""
WORDS = {"apparently ignored": "ignored?"}
AGAIN_S = 1.0
"""How often the list looks whether something has become of one."""


def in_order(receipts: Sequence[Receipt]) -> list[Receipt]:
    """Those that wait in the order in which they go out; then the others, the latest first."""
    queued = [one for one in receipts if one.fate == "queued"]
    return [*queued, *(one for one in reversed(receipts) if one.fate != "queued")]


def fate_line(receipt: Receipt, width: int, *, chosen: bool = False) -> Content:
    """`▸ acted on  Use bound parameters.  delivered with request 12; acted on by 3 calls`, in `width` cells."""
    word = fit(WORDS.get(receipt.fate, receipt.fate), FATE_CELLS)
    room = width - FATE_CELLS - 4
    told = clip(one_line(receipt.sentence), max(0, room * 3 // 5))
    said = fit(one_line(receipt.text), max(8, room - len(told) - 2))
    line = Content.assemble(
        ("▸ " if chosen else "  ", "bold $accent"),
        (word, STYLES.get(receipt.fate, MUTED)),
        ("  " + said, "bold" if chosen else ""),
        ("  " + told, MUTED),
    )
    return line.truncate(width, ellipsis=True)


class Fates(Static, can_focus=True):
    """The list; `receipts` gives them as they are now."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("enter,e", "change", show=False),
        Binding("d,delete", "retract", show=False),
        Binding("tab,shift+tab,escape", "leave", show=False),
    ]
    DEFAULT_CSS = "Fates { height: auto; }"

    @dataclass
    class Change(Message):
        """This one is to be written anew."""

        receipt: Receipt

    @dataclass
    class Retract(Message):
        """This one is to be taken back."""

        receipt: Receipt

    class Leave(Message):
        """Back to the text."""

    def __init__(self, receipts: Callable[[], Sequence[Receipt]]) -> None:
        super().__init__("", markup=False)
        self._source = receipts
        self._shown: list[Receipt] = []
        self._cursor = 0

    def on_mount(self) -> None:
        self.look()
        self.set_interval(AGAIN_S, self.look)

    def look(self) -> None:
        """Show what has become of them; the cursor stays on what it was on."""
        found = in_order(self._source())
        if found != self._shown:
            chosen = self.chosen
            ids = [one.id for one in found]
            self._shown = found
            self._cursor = ids.index(chosen.id) if chosen and chosen.id in ids else 0
            self.draw()

    @property
    def chosen(self) -> Receipt | None:
        return self._shown[self._cursor] if self._shown else None

    def draw(self) -> None:
        width = max(20, self.app.size.width - 2)
        top = max(0, min(self._cursor - ROWS // 2, len(self._shown) - ROWS))
        rows = range(top, min(top + ROWS, len(self._shown)))
        lines = [
            fate_line(self._shown[index], width, chosen=self.has_focus and index == self._cursor) for index in rows
        ]
        self.update(Content("\n").join(lines))

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.draw()

    def on_resize(self) -> None:
        self.draw()

    def action_move(self, steps: int) -> None:
        self._cursor = min(max(self._cursor + steps, 0), max(0, len(self._shown) - 1))
        self.draw()

    def action_change(self) -> None:
        if self.chosen is not None:
            self.post_message(self.Change(self.chosen))

    def action_retract(self) -> None:
        if self.chosen is not None:
            self.post_message(self.Retract(self.chosen))

    def action_leave(self) -> None:
        self.post_message(self.Leave())
