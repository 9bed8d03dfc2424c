"""One tool call in full: its arguments, and its output as it is or, while it runs, as it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from core.events import ToolFinished
from core.folds.tool_calls import Call
from core.protocols import Source, Written
from tui.panes import figures
from tui.safe import one_line, safe_text
from tui.screens.call_text import Reading, arguments_of, facts_of, output_of
from tui.screens.reader import ReaderScreen
from tui.widgets.code_view import CodeView
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel
from tui.widgets.rows import TextRows

if TYPE_CHECKING:
    from tui.screens.reader import Neighbour

LOOK_EVERY_S = 0.5
"""How often one looks what a running command has written since."""
STILL = "The call is still running; nothing of its output can be seen yet."


class CallReader(ReaderScreen):
    """Arguments and output, side by side where there is room, else one at a time."""

    def __init__(
        self,
        call: Call,
        at: int | None,
        source: Source,
        neighbour: Neighbour | None = None,
        locate: Callable[[Call], None] | None = None,
    ) -> None:
        super().__init__(f"#{call.number}  {call.name}  {call.target}", facts_of(call, at), neighbour)
        self._call, self._at, self._source, self._locate = call, at, source, locate
        self._coming = TextRows()
        self._end = 0
        """Bytes of a running command's output that were read."""

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="sides"):
            with Vertical(id="arguments"):
                yield LiveLabel("arguments", classes="reader--side")
                yield CodeView(id="arguments-text")
            with Vertical(id="output"):
                yield LiveLabel("output", classes="reader--side", id="output-title")
                yield CodeView(id="output-text")
                yield LineList(self._coming, id="output-coming")

    def on_mount(self) -> None:
        super().on_mount()
        self._show("arguments", arguments_of(self._call))
        self.set_class(True, "-output")
        self._looking = self.set_interval(LOOK_EVERY_S, self._look, pause=True)
        if self._runs:
            self._show("output", Reading(STILL))
            self._looking.resume()
            self._look()
        else:
            self._load_output()
        self._focus_output()

    @property
    def _runs(self) -> bool:
        return self._call.status(self._at) == "running"

    def _focus_output(self) -> None:
        self.query_one("#output-coming" if self.has_class("-coming") else "#output-text", LineList).focus()

    # A call that runs

    @work(exit_on_error=False, exclusive=True, group="look")
    async def _look(self) -> None:
        """What the command has written since; when it is over, all of it."""
        if self._at is None and self._runs:
            self._take(await self._source.output(self._call.key, self._end))
            return
        self._looking.pause()
        if self._at is None:
            self.query_one(".reader--facts", LiveLabel).update(one_line(facts_of(self._call, self._at)))
            self.remove_class("-coming")
            self._load_output()

    def _take(self, written: Written | None) -> None:
        if written is None or written.end == self._end:
            return
        left_out = written.start > self._end
        self._end = written.end
        if left_out:
            self._coming.append(f"… the beginning of {figures.size(written.end)} is left out until it is done")
        for line in written.text.removesuffix("\n").split("\n"):
            self._coming.append(safe_text(line.removesuffix("\r").rpartition("\r")[2]))
        view = self.query_one("#output-coming", LineList)
        if not self.has_class("-coming"):
            self.add_class("-coming")
            self._focus_output()
        view.appended()
        self.query_one("#output-title", LiveLabel).update(f"output so far, {figures.size(self._end)}")

    # A call that is done

    @work(exit_on_error=False)
    async def _load_output(self) -> None:
        try:
            await self._read_output()
        except Exception as fault:
            self._show("output", Reading(f"The output can't be read: {one_line(str(fault))}", "text"))

    async def _read_output(self) -> None:
        call = self._call
        event = await self._source.event(call.finished_seq) if call.finished_seq is not None else None
        text = await self._whole(event.body) if event is not None and isinstance(event.body, ToolFinished) else ""
        self._show("output", output_of(call, text))
        self._focus_output()

    async def _whole(self, body: ToolFinished) -> str:
        """The whole output: the blob where the model saw only a part."""
        whole = await self._source.blob(body.blob) if body.blob else None
        if whole is None:
            self.query_one("#output-title", LiveLabel).update("output")
            return body.content
        shown = figures.tokens(len(body.content))
        self.query_one("#output-title", LiveLabel).update(
            f"output, whole: {figures.size(len(whole))} (the model saw {shown} characters of it)"
        )
        return whole.decode("utf-8", "replace")

    def _show(self, side: str, reading: Reading) -> None:
        view = self.query_one(f"#{side}-text", CodeView)
        view.show(reading.text or "(nothing)", reading.language, path=reading.path)

    # Keys

    def code(self) -> CodeView | None:
        return self.query_one("#output-text" if self.has_class("-output") else "#arguments-text", CodeView)

    def action_reader_side(self) -> None:
        self.toggle_class("-output")
        if self.has_class("-output"):
            self._focus_output()
        else:
            self.query_one("#arguments-text", CodeView).focus()

    def action_reader_widen(self) -> None:
        self.toggle_class("-one")

    def action_reader_locate(self) -> None:
        self.dismiss(None)
        if self._locate is not None:
            self._locate(self._call)


class DelegateReader(CallReader):
    """A call for which another session works, and the way into that. `film` opens it."""

    def __init__(
        self,
        call: Call,
        at: int | None,
        source: Source,
        neighbour: Neighbour | None = None,
        locate: Callable[[Call], None] | None = None,
        *,
        film: Callable[[Call], None],
    ) -> None:
        super().__init__(call, at, source, neighbour, locate)
        self._film = film

    def action_reader_film(self) -> None:
        self.dismiss(None)
        self._film(self._call)
