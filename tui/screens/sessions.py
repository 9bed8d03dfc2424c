"""The list of sessions: one line each, newest first; enter opens one. The rows are given, nothing is read here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen

from tui.actions import bindings, hinted, in_scope
from tui.docks.search import SearchDock, SearchGiven
from tui.messages import DockClosed
from tui.panes import figures
from tui.safe import one_line
from tui.screens.reader import ReaderScreen
from tui.screens.status_facts import STATES
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel
from tui.widgets.table import Column, Table

COLUMNS = (
    Column("", 1),
    Column("state", 11),
    Column("name", 24),
    Column("task", from_width=76),
    Column("calls", 7, right=True),
    Column("cost", 9, right=True),
    Column("lasted", 9, right=True, from_width=100),
    Column("age", 5, right=True, from_width=88),
)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session as plain values, ready to print.

    `state`: running, waiting, paused, finished, stopped, failed, interrupted, damaged.
    """

    id: str
    name: str
    state: str
    task: str = ""
    calls: int = 0
    cost: str = ""
    duration: str = ""
    changed: str = ""


class SessionRows:
    """The sessions that match what is searched for."""

    def __init__(self, rows: Sequence[SessionRow]) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def text(self, index: int) -> str:
        return self.rows[index].id

    def cells(self, index: int) -> Sequence[str | Content]:
        row = self.rows[index]
        glyph, style = STATES.get(row.state, ("·", "$muted"))
        mark, state = Content.styled(glyph, style), Content.styled(row.state, style)
        return mark, state, row.name, row.task, f"{row.calls:,}", row.cost, row.duration, row.changed


class SessionsScreen(Screen[str | None]):
    """Dismissed with the id of the session that was chosen, or None to leave."""

    DEFAULT_CSS = """
    SessionsScreen { background: $surface; layout: vertical; }
    SessionsScreen .sessions--title { padding: 0 1; background: $panel; text-style: bold; }
    SessionsScreen .sessions--none { display: none; padding: 1 2; height: 1fr; color: $muted; }
    SessionsScreen.-none .sessions--none { display: block; }
    SessionsScreen.-none Table { display: none; }
    SessionsScreen #dock { height: auto; }
    """
    AUTO_FOCUS = "LineList"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("sessions")]

    def __init__(self, rows: Sequence[SessionRow], report: Callable[[str], str]) -> None:
        super().__init__()
        self._all, self._report = list(rows), report
        self._words = ""

    def compose(self) -> ComposeResult:
        yield LiveLabel(f"Longwatch · {figures.plural(len(self._all), 'session')}", classes="sessions--title")
        yield Table(COLUMNS, SessionRows(self._all))
        yield LiveLabel("No sessions. Start one: longwatch run TASK, or longwatch demo.", classes="sessions--none")
        yield Vertical(id="dock")
        yield HintBar()

    def on_mount(self) -> None:
        hints = hinted(in_scope("sessions", "global"))
        owners = {"sessions": "screen", "global": "app"}
        self.query_one(HintBar).show([Hint(a.key_display, a.label, f"{owners[a.scope]}.{a.method}") for a in hints])
        self.set_class(not self._all, "-none")
        self._select_first()

    def _select_first(self) -> None:
        self.query_one(Table).list.select(0)

    @property
    def _shown(self) -> list[SessionRow]:
        wanted = self._words.casefold()
        return [row for row in self._all if wanted in f"{row.id} {row.name} {row.task} {row.state}".casefold()]

    @property
    def _selected(self) -> SessionRow | None:
        cursor, shown = self.query_one(Table).list.cursor, self._shown
        return shown[cursor] if cursor is not None and cursor < len(shown) else None

    @on(LineList.ItemOpened)
    def _opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        self.action_open_session()

    def action_open_session(self) -> None:
        row = self._selected
        if row is not None and row.state == "damaged":
            self.notify(one_line(row.task), severity="warning", markup=False)
        elif row is not None:
            self.dismiss(row.id)

    @work(exclusive=True, exit_on_error=False)
    async def action_report(self) -> None:
        row = self._selected
        if row is None:
            return
        try:
            text = await asyncio.to_thread(self._report, row.id)
        except Exception as fault:
            self.notify(one_line(str(fault)), severity="warning", markup=False)
        else:
            self.app.push_screen(ReaderScreen.of_text("Report", f"{row.name} · {row.state}", text))

    def action_leave_sessions(self) -> None:
        self.dismiss(None)

    async def action_search_sessions(self) -> None:
        dock = SearchDock(self._words)
        await self.query_one("#dock", Vertical).mount(dock)
        dock.focus_first()

    def on_search_given(self, message: SearchGiven) -> None:
        message.stop()
        self._words = message.words
        self.query_one(Table).reset(SessionRows(self._shown))
        self._select_first()

    async def on_dock_closed(self, message: DockClosed) -> None:
        message.stop()
        await self.query_one("#dock", Vertical).remove_children()
        self.query_one(Table).list.focus()
