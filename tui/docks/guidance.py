"""The line to the agent: text that goes out with the next request, and what still waits to go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from core.events import GuidanceQueued
from core.folds.words import one_line
from tui.docks.dock import Dock, title_line
from tui.safe import safe_text
from tui.widgets.live_label import LiveLabel
from tui.widgets.writing import Writing

NEWLINE_KEYS = ("ctrl+j", "alt+enter", "shift+enter")
"""ctrl+j is the one that every terminal sends; the others where the terminal can."""


class GuidanceInput(Writing):
    """A text area in which enter sends."""

    DEFAULT_CSS = "GuidanceInput { height: auto; min-height: 1; max-height: 6; }"

    class Submitted(Message):
        """Enter was pressed."""

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self.post_message(self.Submitted())
        elif event.key in NEWLINE_KEYS:
            event.stop()
            event.prevent_default()
            self.insert("\n")
        else:
            await super()._on_key(event)


class GuidanceDock(Dock):
    """Write, toggle standing, send; take back what was queued and not yet delivered."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "toggle_standing", "standing", show=False, priority=True),
        Binding("ctrl+r", "retract", "take back", show=False, priority=True),
    ]

    typed_ahead = True

    def __init__(self, queued: Mapping[str, GuidanceQueued]) -> None:
        super().__init__()
        self._queued = dict(queued)
        self._standing = False

    def compose(self) -> ComposeResult:
        yield LiveLabel(self._title(), classes="dock--title")
        yield GuidanceInput()
        yield Static(self._waiting(), markup=False, classes="dock--waiting")

    def focus_first(self) -> None:
        self.query_one(GuidanceInput).focus()

    def _title(self) -> Content:
        title = "Standing guidance" if self._standing else "Guide the agent"
        other = "once" if self._standing else "standing"
        return title_line(title, f"enter sends · ctrl+j new line · ctrl+t {other} · esc closes")

    def _waiting(self) -> Content:
        if self._queued:
            latest = safe_text(one_line(list(self._queued.values())[-1].text, 60))
            more = f" and {len(self._queued) - 1} more" if len(self._queued) > 1 else ""
            return Content.assemble(
                ("not read yet: ", "$warning"), latest, (f"{more} · ctrl+r takes it back", "$muted")
            )
        if self._standing:
            return Content.styled("Pinned: it is repeated for ever and survives every compression.", "$muted")
        return Content.styled("It is read with the next request, after the running tool's result.", "$muted")

    def on_guidance_input_submitted(self, event: GuidanceInput.Submitted) -> None:
        event.stop()
        text = self.query_one(GuidanceInput).text.strip()
        if text:
            self.give("guide", text=text, standing=self._standing)
        else:
            self.action_close()

    def action_toggle_standing(self) -> None:
        """Between once and for ever."""
        self._standing = not self._standing
        self.query_one(".dock--title", LiveLabel).update(self._title())
        self.query_one(".dock--waiting", Static).update(self._waiting())

    def action_retract(self) -> None:
        """Take back the latest text that was not delivered."""
        if self._queued:
            self.give("retract", id=list(self._queued)[-1])
