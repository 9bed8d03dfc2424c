"""The list of sessions: one line each, newest first; enter opens one. The rows are given, nothing is read here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen

from tui.actions import bindings, hinted, in_scope
from tui.docks.search import SearchDock, SearchGiven
from tui.messages import DockClosed
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
    Column("changed", 16, from_width=88),
)


LAID_OUT_S = 0.05
"""After this the list knows its size, and its first row can be selected."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session as plain values, ready to print. `state`: running, waiting, paused, finished, stopped, failed, …"""

    id: str
    name: str
    state: str
    task: str = ""
    calls: int = 0
    cost: str = ""
    duration: str = ""
    changed: str = ""


@dataclass(frozen=True, slots=True)
class SessionChoice:
    """What was chosen: open the session, or show its report."""

    id: str
    action: str


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


class SessionsScreen(Screen[SessionChoice | None]):
    """Dismissed with what was chosen, or None to leave."""

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

    def __init__(self, rows: Sequence[SessionRow]) -> None:
        super().__init__()
        self._all = list(rows)
        self._words = ""

    def compose(self) -> ComposeResult:
        yield LiveLabel(f"Longwatch · {len(self._all)} sessions", classes="sessions--title")
        yield Table(COLUMNS, SessionRows(self._all))
        yield LiveLabel("No sessions. Start one: longwatch run TASK, or longwatch demo.", classes="sessions--none")
        yield Vertical(id="dock")
        yield HintBar()

    def on_mount(self) -> None:
        hints = hinted(in_scope("sessions", "global"))
        self.query_one(HintBar).auto_links = False
        owners = {"sessions": "screen", "global": "app"}
        self.query_one(HintBar).show([Hint(a.key_display, a.label, f"{owners[a.scope]}.{a.method}") for a in hints])
        self.set_class(not self._all, "-none")
        self.set_timer(LAID_OUT_S, self._select_first)

    def _select_first(self) -> None:
        line_list = self.query_one(Table).list
        if self._shown and line_list.top_item is not None:
            line_list.select(0)
            line_list.hold_at(0)

    @property
    def _shown(self) -> list[SessionRow]:
        wanted = self._words.casefold()
        return [row for row in self._all if wanted in f"{row.id} {row.name} {row.task} {row.state}".casefold()]

    @on(LineList.ItemOpened)
    def _opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        self._choose("open")

    def _choose(self, action: str) -> None:
        cursor, shown = self.query_one(Table).list.cursor, self._shown
        if cursor is not None and cursor < len(shown):
            self.dismiss(SessionChoice(shown[cursor].id, action))

    def action_open_session(self) -> None:
        self._choose("open")

    def action_report(self) -> None:
        self._choose("report")

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
