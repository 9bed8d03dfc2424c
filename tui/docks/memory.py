"""The memory under the user's hands: write an entry, change its words, pin it, take it out of use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from core.folds.memories import Entry
from tui.docks.dock import Dock, Keys
from tui.panes.sheet_lines import MUTED, fit
from tui.safe import one_line, safe_text
from tui.widgets.line import Line

ROWS = 7
"""Entries in sight at once; the list scrolls with the cursor."""


class MemoryDock(Dock, can_focus=True):
    """Choose with the arrows, then one key; `f` counts only when it is pressed twice on the same entry."""

    TITLE = "Memory"
    KEYS = (("n", "new"), ("e", "edit"), ("p", "pin, unpin"), ("f f", "forget"), ("↑↓", "choose"), ("esc", "close"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "move(-7)", show=False),
        Binding("pagedown", "move(7)", show=False),
        Binding("n", "write(False)", show=False),
        Binding("e", "write(True)", show=False),
        Binding("p", "pin", show=False),
        Binding("f", "forget", show=False),
    ]
    DEFAULT_CSS = "MemoryDock Line { display: none; } MemoryDock.-writing Line { display: block; }"

    def __init__(self, entries: Sequence[Entry], chosen: str = "") -> None:
        super().__init__()
        self._entries = list(reversed(entries))
        self._cursor = next((index for index, entry in enumerate(self._entries) if entry.id == chosen), 0)
        self._revised: Entry | None = None
        self._doomed: Entry | None = None

    def body(self) -> ComposeResult:
        yield Static(self._list(), markup=False, classes="dock--list")
        yield Line(placeholder="one fact, complete in itself")
        yield Static("", markup=False, classes="dock--facts -empty")

    def keys(self) -> Keys:
        return (("enter", "remember"), ("esc", "back")) if self.has_class("-writing") else self.KEYS

    @property
    def typed_ahead(self) -> bool:
        """Words, not what is done with the chosen entry."""
        return self.has_class("-writing")

    def on_resize(self) -> None:
        self._draw()

    def action_move(self, steps: int) -> None:
        """Up or down the list."""
        self._doomed = None
        self._cursor = min(max(self._cursor + steps, 0), max(0, len(self._entries) - 1))
        self._draw()

    def action_write(self, revise: bool) -> None:
        """Open the line for a new entry, or with the words of the chosen one."""
        self._revised = self._chosen if revise else None
        if revise and self._revised is None:
            return
        self.add_class("-writing")
        self.show_keys()
        field = self.query_one(Line)
        field.value = self._revised.text if self._revised else ""
        field.focus()

    def action_pin(self) -> None:
        if (entry := self._chosen) is not None:
            self.give("unpin-memory" if entry.pinned else "pin-memory", id=entry.id)

    def action_forget(self) -> None:
        """The first time it asks, the second time it does."""
        entry = self._chosen
        if entry is None:
            return
        if self._doomed is entry:
            self.give("forget", id=entry.id)
            return
        self._doomed = entry
        self._draw()

    def action_close(self) -> None:
        """Out of the line first, then out of the dock."""
        if self.has_class("-writing"):
            self.remove_class("-writing")
            self.show_keys()
            self.focus()
        else:
            super().action_close()

    @on(Input.Submitted)
    def _written(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if not text:
            self.action_close()
        elif self._revised is None:
            self.give("remember", text=text)
        else:
            self.give("revise", id=self._revised.id, text=text)

    @property
    def _chosen(self) -> Entry | None:
        return self._entries[self._cursor] if self._entries else None

    def _draw(self) -> None:
        self.query_one(".dock--list", Static).update(self._list())
        asked = f"f again takes {self._doomed.id} out of use; it stays in the history." if self._doomed else ""
        facts = self.query_one(".dock--facts", Static)
        facts.update(Content.styled(asked, "$warning"))
        facts.set_class(not asked, "-empty")

    def _list(self) -> Content:
        if not self._entries:
            return Content.styled("Nothing is remembered yet. n writes the first entry.", MUTED)
        top = max(0, min(self._cursor - ROWS // 2, len(self._entries) - ROWS))
        return Content("\n").join([self._row(index) for index in range(top, min(top + ROWS, len(self._entries)))])

    def _row(self, index: int) -> Content:
        entry, chosen = self._entries[index], index == self._cursor
        pin = "*" if entry.pinned else " "
        topic = f"{entry.topic}: " if entry.topic else ""
        words = safe_text(one_line(f"{topic}{entry.text}"))
        text = (
            f"{'▸' if chosen else ' '}{pin} {fit(entry.id, 5)} {fit(safe_text(one_line(entry.category)), 12)} {words}"
        )
        return Content.styled(
            fit(text, max(20, self.app.size.width - 2)), "bold $accent on $cursor-line" if chosen else ""
        )
