"""One thing in full: a message as Markdown, a text as it is; what every reader has in common."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Markdown

from core.folds.conversation import Item
from core.folds.tool_calls import Call
from core.folds.view import SessionView
from core.protocols import Source
from tui.actions import Action, KeyedApp, bindings, display, hinted, in_scope
from tui.clipboard import copied
from tui.panes import figures
from tui.panes.conversation_rows import SPEAKERS
from tui.safe import one_line, safe_text
from tui.widgets.code_view import CodeView
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.live_label import LiveLabel

if TYPE_CHECKING:
    Neighbour = Callable[[int], "ReaderScreen | None"]

SCROLL = Hint("↑↓ PgUp PgDn", "scroll", "")


class ReaderScreen(ModalScreen[None]):
    """Covers the panes; what it shows is fetched from the log when it opens.

    `neighbour` makes the reader of the thing after this one (1) or before it (-1).
    """

    CSS_PATH = "reader.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-split")]
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("reader", first=["reader-side"]),
        *bindings("global", owner="app."),
    ]

    def __init__(self, title: str, facts: str, neighbour: Neighbour | None = None) -> None:
        super().__init__()
        self._title, self._facts, self._neighbour = title, facts, neighbour
        self._words = ""

    @classmethod
    def of_call(
        cls,
        call: Call,
        at: int | None,
        source: Source,
        neighbour: Neighbour | None = None,
        locate: Callable[[Call], None] | None = None,
    ) -> ReaderScreen:
        """A reader for a tool call as of event `at`; `locate` shows where it was made."""
        from tui.screens.call_reader import CallReader

        return CallReader(call, at, source, neighbour, locate)

    @classmethod
    def of_item(cls, item: Item, view: SessionView, source: Source, neighbour: Neighbour | None = None) -> ReaderScreen:
        """A reader for something that was said or happened."""
        return TextReader(item, view, neighbour)

    @classmethod
    def of_text(cls, title: str, facts: str, text: str) -> ReaderScreen:
        """A reader for a text that is ready."""
        return PlainReader(title, facts, text)

    def compose(self) -> ComposeResult:
        with Vertical(id="reader"):
            yield LiveLabel(one_line(self._title), classes="reader--title")
            yield LiveLabel(one_line(self._facts), classes="reader--facts")
            yield from self.compose_body()
            yield Input(placeholder="words to find here · enter", compact=True, id="reader-search")
            yield HintBar(id="reader-hints")

    def compose_body(self) -> ComposeResult:
        """What is read."""
        raise NotImplementedError

    def on_mount(self) -> None:
        field = self.query_one("#reader-search", Input)
        field.cursor_blink = False
        self.show_hints()

    def show_hints(self, note: str = "") -> None:
        """The keys, after a note on what was found."""
        self.query_one(HintBar).show(self.hints(), note)

    def hints(self) -> tuple[Hint, ...]:
        """Keys that mean something here."""
        possible = [action for action in in_scope("reader") if hasattr(self, f"action_{action.method}")]
        return (*(self._hint(action) for action in hinted(possible)), SCROLL)

    def _hint(self, action: Action) -> Hint:
        keys = self.app.keys_of(action) if isinstance(self.app, KeyedApp) else action.keys
        return Hint(display(keys[0]) if keys else "", action.label, f"screen.{action.method}")

    def code(self) -> CodeView | None:
        """The text that is searched and copied; None while it is not shown as lines."""
        return self.query_one(CodeView)

    def action_reader_close(self) -> None:
        """Close the line of search, else the reader."""
        if self.has_class("-searching"):
            self._end_search()
        else:
            self.dismiss(None)

    def action_reader_previous(self) -> None:
        self._turn(-1, "That was the first one.")

    def action_reader_next(self) -> None:
        self._turn(1, "That was the last one.")

    def _turn(self, step: int, end: str) -> None:
        """Read a neighbour in place of this, or say that there is none."""
        if self._neighbour is None:
            return
        reader = self._neighbour(step)
        if reader is None:
            self.show_hints(end)
        else:
            self.app.switch_screen(reader)

    # Searching and copying

    def action_reader_search(self) -> None:
        self.add_class("-searching")
        field = self.query_one("#reader-search", Input)
        field.value = self._words
        field.focus()

    @on(Input.Submitted, "#reader-search")
    def _searched(self, event: Input.Submitted) -> None:
        event.stop()
        self._words = event.value.strip()
        self._end_search()
        self._go_to_match(1)

    def _end_search(self) -> None:
        self.remove_class("-searching")
        code = self.code()
        if code is not None:
            code.focus()

    def action_reader_next_match(self) -> None:
        self._go_to_match(1)

    def action_reader_previous_match(self) -> None:
        self._go_to_match(-1)

    def _go_to_match(self, step: int) -> None:
        code = self.code()
        if code is None or not self._words:
            if code is not None:
                code.highlight("")
            self.show_hints()
            return
        found = code.find(self._words, step)
        words = f"“{self._words}”"
        self.show_hints(f"{words} {found[0]:,} of {found[1]:,}" if found else f"{words} is not in here")

    def text(self) -> str:
        """What is copied."""
        code = self.code()
        return code.whole_text() if code is not None else ""

    def action_reader_copy(self) -> None:
        """What is selected with the mouse, else all of it."""
        text = self.get_selected_text() or self.text()
        self.app.copy_to_clipboard(text)
        self.show_hints(copied(text, os.environ))


class TextReader(ReaderScreen):
    """A message as Markdown (the agent's) or as it was written (everybody else's, and while one searches)."""

    def __init__(self, item: Item, view: SessionView, neighbour: Neighbour | None = None) -> None:
        elapsed = figures.elapsed(item.at_us - view.timeline.at_us(1))
        super().__init__(f"{SPEAKERS[item.speaker][0]} · {item.kind}", f"{elapsed} · event #{item.seq:,}", neighbour)
        self._item = item

    def compose_body(self) -> ComposeResult:
        if self._item.kind == "text":
            with VerticalScroll(id="message"):
                yield Markdown(safe_text(self._item.text), open_links=False)
        yield CodeView(id="message-text")

    def on_mount(self) -> None:
        super().on_mount()
        view = self.query_one("#message-text", CodeView)
        language = "markdown" if self._item.kind in ("text", "thinking") else "text"
        view.show(self._item.text, language, numbers=False)
        self.set_class(self._item.kind == "text", "-rendered")
        if self._item.kind == "text":
            self.query_one("#message", VerticalScroll).focus()
        else:
            view.focus()

    def action_reader_search(self) -> None:
        self.remove_class("-rendered")
        super().action_reader_search()

    def text(self) -> str:
        return self._item.text


class PlainReader(ReaderScreen):
    """A text as it is."""

    def __init__(self, title: str, facts: str, text: str) -> None:
        super().__init__(title, facts)
        self._text = text

    def compose_body(self) -> ComposeResult:
        yield CodeView(id="message-text")

    def on_mount(self) -> None:
        super().on_mount()
        view = self.query_one(CodeView)
        view.show(self._text, "text", numbers=False)
        view.focus()
