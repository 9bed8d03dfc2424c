"""The list of sessions: what can be done with the one under the cursor, and with two of them.

Enter does the natural thing and the hint bar says which; nothing that costs money happens on it. Deleting needs no
question because it can be taken back; what can't be asks first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeVar

from textual import on, work
from textual.binding import BindingType
from textual.containers import Vertical

from core.journal.trash import KEEP_DAYS, Trashed, folder_size
from tui.actions import Action, bindings, hinted, in_scope
from tui.docks.dock import Choice, ChoiceDock
from tui.messages import ControlGiven, DockClosed
from tui.panes import figures
from tui.safe import one_line
from tui.screens.compare import CompareScreen
from tui.screens.reader import ReaderScreen
from tui.screens.session_list_base import ListScreen
from tui.screens.session_list_fields import NameField
from tui.screens.session_list_rows import NAME
from tui.screens.session_list_words import GROUPS, Group, natural, natural_words, openings
from tui.session_rows import Chosen, Opening, SessionRow, row_fields, row_text
from tui.widgets.hint_bar import Hint
from tui.widgets.line_list import LineList
from tui.widgets.table import column_widths

Result = TypeVar("Result")

FILTERS: tuple[Group | None, ...] = (None, *GROUPS)
NEEDS: dict[str, Opening] = {"watch-session": "watch", "resume-session": "resume", "replay-session": "replay"}
"""Actions that are possible only where the session can be opened so."""
_METHODS = frozenset(action.method for action in in_scope("sessions"))
OF_ONE = ("open-session", "report", "compare", "rename-session", "delete-session", "fork-session")
"""Actions that need a session under the cursor."""
OF_ITS_OWN = ("rename-session", "delete-session", "fork-session")
"""Actions that only the machine can do on which the session is."""


class SessionsScreen(ListScreen):
    """Dismissed with what was opened, or None to leave."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("sessions")]
    _undo: list[Trashed]

    def on_mount(self) -> None:
        self._undo = []

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a question is open, its keys mean what it says, and no other key does anything to a session."""
        asked = action in _METHODS and bool(self.query(ChoiceDock))
        return not asked and super().check_action(action, parameters)

    # Hints

    def hints(self, row: SessionRow | None) -> list[Hint]:
        actions = [action for action in hinted(in_scope("sessions", "global")) if action.id != "palette"]
        return [self._hint(action, row) for action in actions if self._possible(action, row)]

    def _hint(self, action: Action, row: SessionRow | None) -> Hint:
        label = action.label
        if action.id == "open-session" and row is not None:
            label = natural_words(row)
        elif action.id == "compare" and self.marked is not None and row is not None:
            label = "unmark" if row.id == self.marked.id else f"compare with {one_line(self.marked.name)[:16]}"
        elif action.id == "delete-session" and row is not None and row.trashed is not None:
            label = "delete for good"
        owner = "app" if action.scope == "global" else "screen"
        return Hint(action.key_display, label, f"{owner}.{action.method}")

    def _possible(self, action: Action, row: SessionRow | None) -> bool:
        if action.id in NEEDS:
            opening = NEEDS[action.id]
            done = opening == "resume" and row is not None and row.overview.summary.state == "finished"
            return row is not None and opening in openings(row) and opening != natural(row) and not done
        if action.id == "undo-delete":
            return bool(self._undo) or (row is not None and row.trashed is not None)
        if row is not None and row.box and action.id in OF_ITS_OWN:
            return False
        if action.id == "fork-session":
            return row is not None and row.trashed is None and "replay" in openings(row)
        if action.id == "rename-session":
            return row is not None and row.trashed is None and "watch" in openings(row)
        return row is not None or action.id not in OF_ONE

    # Opening

    @on(LineList.ItemOpened)
    def _opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        self.action_open_session()

    def action_open_session(self) -> None:
        row = self.selected
        if row is None:
            return
        opening = natural(row)
        if opening is None:
            self.tell(row.overview.summary.detail, warning=True)
        else:
            self._open(row, opening)

    def action_watch_session(self) -> None:
        self._open_if("watch", "can only be looked at as a film, with p, or put back, with u")

    def action_resume_session(self) -> None:
        self._open_if("resume", "has a runner already, or can't go on: enter opens it as it is")

    def action_replay_session(self) -> None:
        self._open_if("replay", "can't be read")

    def _open_if(self, opening: Opening, otherwise: str) -> None:
        row = self.selected
        if row is not None and opening in openings(row):
            self._open(row, opening)
        elif row is not None:
            self.tell(f"{row.name} {otherwise}.", warning=True)

    def _open(self, row: SessionRow, opening: Opening) -> None:
        self.dismiss(Chosen(opening, row.folder, row.box))

    def _selected_here(self) -> SessionRow | None:
        """The session under the cursor if it is one of this machine; of another one it is said what can be done."""
        row = self.selected
        if row is None or not row.box:
            return row
        box = one_line(row.box)
        self.tell(f"{row.name} is on {box}: watch it (enter, a) or replay it (p) from here; the rest is done on {box}.")
        return None

    def action_leave_sessions(self) -> None:
        self.dismiss(None)

    # Reading reports

    @work(exclusive=True, group="reports", exit_on_error=False)
    async def action_report(self) -> None:
        row = self.selected
        if row is not None:
            width = min(self.size.width - 4, 110)
            await self._try(lambda: asyncio.to_thread(row_text, row, width), self._show_report(row))

    def _show_report(self, row: SessionRow) -> Callable[[str], None]:
        return lambda text: self._push(ReaderScreen.of_text("Report", one_line(row.name), text))

    def action_compare(self) -> None:
        row = self.selected
        if row is None:
            return
        if self.marked is None or self.marked.id == row.id:
            self.marked = row if self.marked is None else None
            self._show()
        else:
            self._compare(self.marked, row)

    @work(exclusive=True, group="reports", exit_on_error=False)
    async def _compare(self, first: SessionRow, second: SessionRow) -> None:
        async def both() -> CompareScreen:
            sides = [await asyncio.to_thread(row_fields, row) for row in (first, second)]
            return CompareScreen(*sides)

        await self._try(both, self._push)

    def _push(self, screen: CompareScreen | ReaderScreen) -> None:
        self.app.push_screen(screen)

    # Filters

    def action_next_group(self) -> None:
        self._turn(1)

    def action_previous_group(self) -> None:
        self._turn(-1)

    def action_show_group(self, name: str) -> None:
        """A click on a filter; the one that is on goes off."""
        chosen = next((group for group in GROUPS if group == name), None)
        self.listing.group = None if chosen == self.listing.group else chosen
        self._show()

    def _turn(self, step: int) -> None:
        """To the next filter that shows anything."""
        counts, at = self.listing.counts(), FILTERS.index(self.listing.group)
        ring = [FILTERS[(at + step * turn) % len(FILTERS)] for turn in range(1, len(FILTERS) + 1)]
        self.listing.group = next(group for group in ring if group is None or counts[group])
        self._show()

    # Names

    @property
    def held_still(self) -> bool:
        return bool(self.query(NameField))

    async def action_rename_session(self) -> None:
        row, lines = self._selected_here(), self.table.list
        if row is None or lines.cursor is None or row.trashed is not None or "watch" not in openings(row):
            return
        lines.select(lines.cursor)
        width = lines.scrollable_content_region.width - 1
        widths = column_widths(self.columns, width)
        name = NameField(row.id, row.overview.summary.name)
        name.styles.width = widths[NAME]
        name.styles.offset = (
            lines.region.x + 1 + sum(wide + 1 for wide in widths[:NAME]),
            lines.region.y + lines.cursor - lines.scroll_offset.y,
        )
        await self.mount(name)
        name.focus()

    @on(NameField.Given)
    async def _named(self, event: NameField.Given) -> None:
        row = next((row for row in self._rows.rows if row.id == event.id), None)
        await self.query(NameField).remove()
        self.table.list.focus()
        self._show()
        if row is not None and event.name is not None:
            self._rename(row, event.name)

    @work(group="names", exit_on_error=False)
    async def _rename(self, row: SessionRow, name: str) -> None:
        waits = " The runner takes it up at its next step." if row.overview.summary.held else ""
        done = f"{row.name} is now called {name}." if not waits else f"{row.name} is to be called {name}.{waits}"
        await self._try(lambda: self.home.rename(row, name), lambda _: self.tell(done))
        self.look_again()

    # Branching off

    def action_fork_session(self) -> None:
        row = self._selected_here()
        if row is None or row.trashed is not None or "replay" not in openings(row):
            return
        facts = [
            "Its conversation up to its end, its files of then, in a worktree or a copy beside the workspace.",
            "The original stays as it is; what it cost is not counted again. The new one stands until it is resumed.",
        ]
        choices = [Choice("b", "branch off", "fork", {"id": row.id})]
        self._dock(ChoiceDock(f"A new session from the end of {one_line(row.name)}?", facts, choices))

    @work(group="forks", exit_on_error=False)
    async def _fork(self, row: SessionRow) -> None:
        def done(made: tuple[str, str]) -> None:
            self._anchor = made[0]
            self.notify(one_line(made[1]), title="Forked", markup=False, timeout=30)

        await self._try(lambda: self.home.fork(row), done)
        self.look_again()

    # The trash

    def action_delete_session(self) -> None:
        row = self._selected_here()
        if row is not None and row.trashed is None:
            self._discard(row)
        elif row is not None:
            self._ask_to_purge(row)

    @work(group="trash", exit_on_error=False)
    async def _discard(self, row: SessionRow) -> None:
        async def moved() -> tuple[Trashed, int]:
            trashed = await asyncio.to_thread(self.home.discard, row)
            return trashed, await asyncio.to_thread(folder_size, trashed.folder)

        def done(result: tuple[Trashed, int]) -> None:
            trashed, size = result
            self._undo.append(trashed)
            told = f"{one_line(row.name)} is in the trash ({figures.size(size)}) for {KEEP_DAYS} days; u puts it back."
            self.tell(told)

        await self._try(moved, done)
        self.look_again()

    @work(group="trash", exit_on_error=False)
    async def action_undo_delete(self) -> None:
        row = self.selected
        trashed = row.trashed if row is not None and row.trashed is not None else None
        if trashed is None and self._undo:
            trashed = self._undo.pop()
        if trashed is None:
            return
        self._undo = [one for one in self._undo if one != trashed]
        self._anchor = trashed.id
        await self._try(lambda: asyncio.to_thread(self.home.restore, trashed), lambda _: self.tell("It is back."))
        self.look_again()

    def _ask_to_purge(self, row: SessionRow) -> None:
        trash = self.listing.trash
        total = figures.size(sum(one.size for one in trash))
        choices = [Choice("y", f"this one ({figures.size(row.size)})", "purge", {"id": row.id})]
        if len(trash) > 1:
            choices.append(Choice("a", f"all {len(trash)} of the trash ({total})", "purge", {"id": None}))
        self._dock(ChoiceDock(f"Delete {one_line(row.name)} for good?", ["Nobody can bring it back then."], choices))

    @work(exclusive=True, group="docks", exit_on_error=False)
    async def _dock(self, dock: ChoiceDock) -> None:
        place = self.query_one("#dock", Vertical)
        await place.remove_children()
        await place.mount(dock)
        dock.focus_first()

    @on(ControlGiven)
    def _given(self, message: ControlGiven) -> None:
        message.stop()
        wanted = message.args["id"]
        if message.verb == "fork":
            for row in [row for row in self.listing.rows if row.id == wanted]:
                self._fork(row)
            return
        self._purge([row for row in self.listing.trash if wanted in (None, row.id)])

    @work(group="trash", exit_on_error=False)
    async def _purge(self, rows: list[SessionRow]) -> None:
        size = figures.size(sum(row.size for row in rows))
        told = f"{figures.plural(len(rows), 'session')} deleted for good: {size}."
        await self._try(lambda: asyncio.to_thread(self.home.purge, rows), lambda _: self.tell(told))
        self.look_again()

    @on(DockClosed)
    async def _dock_closed(self, message: DockClosed) -> None:
        message.stop()
        await self.query_one("#dock", Vertical).remove_children()
        self.table.list.focus()

    async def _try(self, what: Callable[[], Awaitable[Result]], then: Callable[[Result], None]) -> None:
        """Do it; what went wrong is told in its own sentence."""
        try:
            result = await what()
        except Exception as fault:
            self.tell(str(fault) or type(fault).__name__, warning=True)
        else:
            then(result)
