"""The line to the agent: what it is to read, when, and what became of what was said before."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from core.agent.commands import LONGEST_GUIDANCE
from core.folds.guidance import Receipt
from tui.docks.dock import Dock, Keys, title_line
from tui.docks.fates import Fates
from tui.editor import NoEditor, edited
from tui.messages import ControlGiven
from tui.panes.sheet_lines import clip
from tui.safe import one_line
from tui.widgets.live_label import LiveLabel
from tui.widgets.writing import Writing

NEWLINE_KEYS = ("ctrl+j", "alt+enter", "shift+enter")
"""ctrl+j is the one that every terminal sends; the others where the terminal can."""

WHEN = {
    (False, False): "once, with the next request, after the running tool",
    (False, True): "once and now: what runs is cut",
    (True, False): "standing: repeated for ever, survives every compression",
    (True, True): "standing and now: what runs is cut",
}
"""By (standing, now)."""


class GuidanceInput(Writing):
    """A text area in which enter sends, and up from its first line is what was said earlier."""

    DEFAULT_CSS = "GuidanceInput { height: auto; min-height: 1; max-height: 6; }"

    class Submitted(Message):
        """Enter was pressed."""

    class Recalled(Message):
        """What was said `steps` further back is wanted; a negative one comes forward again."""

        def __init__(self, steps: int) -> None:
            super().__init__()
            self.steps = steps

    async def _on_key(self, event: events.Key) -> None:
        message = self._meant_by(event.key)
        if message is not None:
            event.stop()
            event.prevent_default()
            self.post_message(message)
        elif event.key in NEWLINE_KEYS:
            event.stop()
            event.prevent_default()
            self.insert("\n")
        else:
            await super()._on_key(event)

    def _meant_by(self, key: str) -> Message | None:
        row, last = self.cursor_location[0], self.document.line_count - 1
        match key:
            case "enter":
                return self.Submitted()
            case "up" if row == 0:
                return self.Recalled(1)
            case "down" if row == last:
                return self.Recalled(-1)
            case _:
                return None


class GuidanceDock(Dock):
    """Write, choose how and when, send; change or take back what was not delivered yet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "toggle_standing", show=False, priority=True),
        Binding("ctrl+n", "toggle_now", show=False, priority=True),
        Binding("ctrl+o", "edit_elsewhere", show=False, priority=True),
        Binding("ctrl+r", "retract", show=False, priority=True),
        Binding("tab", "to_list", show=False),
    ]

    typed_ahead = True

    def __init__(
        self,
        receipts: Callable[[], Sequence[Receipt]],
        said_before: Callable[[], Awaitable[Sequence[str]]],
        begun: str = "",
    ) -> None:
        """`begun` is what stands in the field at first."""
        super().__init__()
        self._begun = begun
        self._receipts, self._said_before = receipts, said_before
        self._earlier: list[str] = []
        self._back = 0
        self._draft = ""
        self._changing: Receipt | None = None
        self._standing = self._now = False

    def body(self) -> ComposeResult:
        yield GuidanceInput()
        yield Fates(self._receipts)

    def on_mount(self) -> None:
        self._recollect()
        if self._begun:
            self._write(self._begun)

    @work(exit_on_error=False)
    async def _recollect(self) -> None:
        """Other sessions are read while one writes already."""
        here = dict.fromkeys(one.text for one in reversed(self._receipts()))
        self._earlier = list(here)
        self._earlier = list(here | dict.fromkeys(await self._said_before()))

    @property
    def field(self) -> GuidanceInput:
        return self.query_one(GuidanceInput)

    @property
    def fates(self) -> Fates:
        return self.query_one(Fates)

    def focus_first(self) -> None:
        self.field.focus()

    # What it says

    def title(self) -> Content:
        title = "Standing guidance" if self._standing else "Guide the agent"
        if self._changing is not None:
            title = f"Change what waits: {clip(one_line(self._changing.text), 24)}"
        return title_line(title, WHEN[self._standing, self._now])

    def keys(self) -> Keys:
        if self.is_mounted and self.fates.has_focus:
            return [("e", "change"), ("d", "take back"), ("esc", "to the text")]
        standing, now = "once" if self._standing else "standing", "wait" if self._now else "now"
        more = [("tab", "list"), ("^o", "editor")]
        return [("enter", "send"), ("esc", "close"), ("^t", standing), ("^n", now), ("↑", "earlier"), *more]

    def _show(self) -> None:
        self.query_one(".dock--title", LiveLabel).update(self.title())
        self.show_keys()

    def on_descendant_focus(self) -> None:
        self._show()

    # What the keys do

    def on_guidance_input_submitted(self, event: GuidanceInput.Submitted) -> None:
        event.stop()
        text = self.field.text.strip()
        if not text:
            self.action_close()
            return
        if (size := len(text)) > LONGEST_GUIDANCE:
            self.say(f"That is {size:,} characters, of at most {LONGEST_GUIDANCE:,}: put it into a file, say where.")
            return
        if self._changing is not None:
            self.post_message(ControlGiven("retract", {"id": self._changing.id}))
        now = {"now": True} if self._now else {}
        self.give("guide", text=text, standing=self._standing, **now)

    def on_guidance_input_recalled(self, event: GuidanceInput.Recalled) -> None:
        """Walk through what was said earlier; before the first of it stands what was being written."""
        event.stop()
        if self._back == 0:
            self._draft = self.field.text
        self._back = min(max(self._back + event.steps, 0), len(self._earlier))
        self._write(self._earlier[self._back - 1] if self._back else self._draft)

    def _write(self, text: str) -> None:
        self.field.load_text(text)
        self.field.move_cursor(self.field.document.end)

    def action_toggle_standing(self) -> None:
        """Between once and for ever."""
        self._standing = not self._standing
        self._show()

    def action_toggle_now(self) -> None:
        """Between after the running tool and at once."""
        self._now = not self._now
        self._show()

    @work(exit_on_error=False)
    async def action_edit_elsewhere(self) -> None:
        """Go on in the user's own editor."""
        try:
            self._write(await edited(self.app, self.field.text, os.environ))
        except NoEditor as sentence:
            self.say(str(sentence))

    def action_to_list(self) -> None:
        if self.fates.chosen is not None:
            self.fates.focus()

    def action_retract(self) -> None:
        """Take back the latest text that was not delivered."""
        queued = [one for one in self._receipts() if one.fate == "queued"]
        if queued:
            self.give("retract", id=queued[-1].id)

    def on_fates_retract(self, event: Fates.Retract) -> None:
        event.stop()
        if event.receipt.fate == "queued":
            self.post_message(ControlGiven("retract", {"id": event.receipt.id}))
        else:
            self.say("Only guidance that still waits can be taken back; rewind takes back what came of it.")

    def on_fates_change(self, event: Fates.Change) -> None:
        """Into the text: one that waits is replaced when it is sent, another is said again."""
        event.stop()
        receipt = event.receipt
        self._changing = receipt if receipt.fate == "queued" else None
        self._standing = receipt.standing
        self._write(receipt.text)
        self.field.focus()
        self._show()

    def on_fates_leave(self, event: Fates.Leave) -> None:
        event.stop()
        self.field.focus()
