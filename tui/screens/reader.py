"""One thing in full: a message as Markdown, a call with its arguments and its whole output."""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Markdown

from core.events import ToolFinished
from core.folds.conversation import Item
from core.folds.tool_calls import Call
from core.folds.view import SessionView
from core.protocols import Source
from tui.panes import figures
from tui.panes.conversation_rows import SPEAKERS
from tui.safe import one_line, safe_text
from tui.screens.call_text import Reading, arguments_of, facts_of, output_of
from tui.widgets.code_view import CodeView
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.live_label import LiveLabel

HINTS = (
    Hint("esc", "close", "screen.close"),
    Hint("tab", "arguments, output", "screen.other"),
    Hint("w", "wide or split", "screen.widen"),
    Hint("↑↓ PgUp PgDn", "scroll", ""),
)


class ReaderScreen(ModalScreen[None]):
    """Covers the panes; what it shows is fetched from the log when it opens."""

    CSS_PATH = "reader.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-split")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "close", show=False),
        Binding("tab,shift+tab", "other", "arguments, output", show=False, priority=True),
        Binding("w", "widen", "wide or split", show=False),
    ]

    def __init__(self, title: str, facts: str) -> None:
        super().__init__()
        self._title, self._facts = title, facts

    @classmethod
    def of_call(cls, call: Call, at: int | None, source: Source) -> ReaderScreen:
        """A reader for a tool call as of event `at`."""
        return CallReader(call, at, source)

    @classmethod
    def of_item(cls, item: Item, view: SessionView, source: Source) -> ReaderScreen:
        """A reader for something that was said or happened."""
        return TextReader(item, view, source)

    @classmethod
    def of_text(cls, title: str, facts: str, text: str) -> ReaderScreen:
        """A reader for a text that is ready."""
        return PlainReader(title, facts, text)

    def compose(self) -> ComposeResult:
        with Vertical(id="reader"):
            yield LiveLabel(one_line(self._title), classes="reader--title")
            yield LiveLabel(one_line(self._facts), classes="reader--facts")
            yield from self.compose_body()
            yield HintBar(id="reader-hints")

    def compose_body(self) -> ComposeResult:
        """What is read."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.query_one(HintBar).show(self.hints())

    def hints(self) -> tuple[Hint, ...]:
        """Keys that mean something here."""
        return HINTS[:1] + HINTS[3:]

    def action_close(self) -> None:
        self.dismiss(None)

    def action_other(self) -> None:
        """Only a call has two sides."""

    def action_widen(self) -> None:
        """Only a call has two sides."""


class CallReader(ReaderScreen):
    """Arguments and output, side by side where there is room, else one at a time."""

    def __init__(self, call: Call, at: int | None, source: Source) -> None:
        super().__init__(f"#{call.number}  {call.name}  {call.target}", facts_of(call, at))
        self._call, self._at, self._source = call, at, source

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="sides"):
            with Vertical(id="arguments"):
                yield LiveLabel("arguments", classes="reader--side")
                yield CodeView(id="arguments-text")
            with Vertical(id="output"):
                yield LiveLabel("output", classes="reader--side")
                yield CodeView(id="output-text")

    def hints(self) -> tuple[Hint, ...]:
        return HINTS

    def on_mount(self) -> None:
        self._show("arguments", arguments_of(self._call))
        self.set_class(True, "-output")
        self._load_output()

    @work(exit_on_error=False)
    async def _load_output(self) -> None:
        try:
            await self._read_output()
        except Exception as fault:
            self._show("output", Reading(f"The output can't be read: {one_line(str(fault))}", "text"))

    async def _read_output(self) -> None:
        call = self._call
        if call.status(self._at) == "running" or call.finished_seq is None:
            self._show("output", Reading("The call is still running.", "text"))
        else:
            event = await self._source.event(call.finished_seq)
            text = await self._whole(event.body) if event is not None and isinstance(event.body, ToolFinished) else ""
            self._show("output", output_of(call, text))
        self.query_one("#output-text", CodeView).focus()

    async def _whole(self, body: ToolFinished) -> str:
        """The whole output: the blob where the model saw only a part."""
        whole = await self._source.blob(body.blob) if body.blob else None
        if whole is None:
            return body.content
        shown = figures.tokens(len(body.content))
        self.query_one("#output .reader--side", LiveLabel).update(
            f"output, whole (the model saw {shown} characters of it)"
        )
        return whole.decode("utf-8", "replace")

    def _show(self, side: str, reading: Reading) -> None:
        view = self.query_one(f"#{side}-text", CodeView)
        view.show(reading.text or "(nothing)", reading.language, path=reading.path)

    def action_other(self) -> None:
        self.toggle_class("-output")
        shown = "output" if self.has_class("-output") else "arguments"
        self.query_one(f"#{shown}-text", CodeView).focus()

    def action_widen(self) -> None:
        self.toggle_class("-one")


class TextReader(ReaderScreen):
    """A message as Markdown (the agent's) or as it was written (everybody else's)."""

    def __init__(self, item: Item, view: SessionView, source: Source) -> None:
        elapsed = figures.elapsed(item.at_us - view.timeline.at_us(1))
        super().__init__(f"{SPEAKERS[item.speaker][0]} · {item.kind}", f"{elapsed} · event #{item.seq:,}")
        self._item, self._source = item, source

    def compose_body(self) -> ComposeResult:
        if self._item.kind == "text":
            with VerticalScroll(id="message"):
                yield Markdown(safe_text(self._item.text), open_links=False)
        else:
            yield CodeView(id="message-text")

    def on_mount(self) -> None:
        if self._item.kind == "text":
            self.query_one("#message", VerticalScroll).focus()
        else:
            view = self.query_one("#message-text", CodeView)
            view.show(self._item.text, "markdown" if self._item.kind == "thinking" else "text", numbers=False)
            view.focus()


class PlainReader(ReaderScreen):
    """A text as it is."""

    def __init__(self, title: str, facts: str, text: str) -> None:
        super().__init__(title, facts)
        self._text = text

    def compose_body(self) -> ComposeResult:
        yield CodeView(id="message-text")

    def on_mount(self) -> None:
        view = self.query_one(CodeView)
        view.show(self._text, "text", numbers=False)
        view.focus()
