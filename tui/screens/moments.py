"""The way into a long session: a dozen moments that tell it, then its chapters; enter goes there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from core.folds.highlights import Moment
from core.journal.errors import JournalError
from tui.panes import figures
from tui.panes.sheet_lines import MUTED, clip, fit
from tui.safe import one_line
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel

KIND_CELLS, TIME_CELLS, SEQ_CELLS = 12, 9, 8
ALARMS = frozenset(("error", "guard", "rewind"))
HUMAN = frozenset(("human", "bookmark", "ask", "note"))

Read = Callable[[], Awaitable[tuple[Sequence[Moment], Sequence[Moment]]]]


class MomentRows:
    """One line a moment: its kind, when, its number, what happened; a title stands in place of one."""

    def __init__(self, start_us: int) -> None:
        self._start_us = start_us
        self.rows: list[Moment | str] = []

    def __len__(self) -> int:
        return len(self.rows)

    def text(self, index: int) -> str:
        row = self.rows[index]
        return row if isinstance(row, str) else f"{row.kind} {one_line(row.text)}"

    def height(self, index: int, width: int) -> int:
        return 1

    def render(self, index: int, width: int) -> list[Content]:
        row = self.rows[index]
        if isinstance(row, str):
            return [Content.styled(clip(row, width), "bold $primary")]
        colour = "$error" if row.kind in ALARMS else "$user" if row.kind in HUMAN else "$accent"
        when = figures.elapsed(row.at_us - self._start_us) if row.at_us else ""
        left = Content.assemble(
            (fit(row.kind, KIND_CELLS), colour),
            (fit(when, TIME_CELLS), MUTED),
            (fit(f"#{row.seq:,}", SEQ_CELLS), MUTED),
        )
        return [left + Content(clip(one_line(row.text), max(8, width - left.cell_length - 1)))]


class MomentsScreen(ModalScreen[int | None]):
    """Dismissed with the event to go to, None for nothing. `read` looks through the whole log; `notes` are people's."""

    DEFAULT_CSS = """
    MomentsScreen { align: center middle; background: $background 60%; }
    MomentsScreen > Vertical { width: 100%; max-width: 110; height: 92%; background: $surface; border: round $primary; }
    MomentsScreen .moments--title { padding: 0 1; text-style: bold; color: $primary; }
    MomentsScreen LineList { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,h", "close", "close", show=False)]

    def __init__(self, read: Read, start_us: int, notes: Sequence[Moment] = ()) -> None:
        super().__init__()
        self._read, self._notes, self._rows = read, notes, MomentRows(start_us)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield LiveLabel("The way in: reading the log…", classes="moments--title")
            yield LineList(self._rows)
            yield HintBar()

    def on_mount(self) -> None:
        hints = [("enter", "go there"), ("↑↓", "choose"), ("esc", "close")]
        self.query_one(HintBar).show([Hint(key, label, "") for key, label in hints])
        self.query_one(LineList).focus()
        self.run_worker(self._load(), exit_on_error=False)

    async def _load(self) -> None:
        title = self.query_one(".moments--title", LiveLabel)
        try:
            moments, chapters = await self._read()
        except (JournalError, OSError) as fault:
            title.update(one_line(f"The log can't be read: {fault}"))
            return
        title.update("The way in")
        notes: list[Moment | str] = ["Notes", *self._notes, ""] if self._notes else []
        self._rows.rows = ["In a few moments", *moments, "", *notes, "Chapters", *chapters]
        lines = self.query_one(LineList)
        lines.reset(self._rows)
        lines.hold_at(0)
        lines.select(1 if moments else 0)

    def on_line_list_item_opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        row = self._rows.rows[event.index]
        if isinstance(row, Moment):
            self.dismiss(row.seq)

    def action_close(self) -> None:
        self.dismiss(None)
