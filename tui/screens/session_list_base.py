"""The list of sessions without its verbs: reading the home again and again, and keeping each row where the eye left it.

The home is read in a thread, little by little. What is written to the terminal is the lines that read differently; the
cursor stands on a session, not on a line, and a list that is scrolled keeps the session at its top.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from decimal import Decimal

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input

from core.boxes.ssh import Box
from core.clock import monotonic, pause_real
from core.journal.errors import JournalError
from core.overview import Look
from tui.box_rows import Boxes
from tui.panes import figures
from tui.safe import one_line
from tui.screens.session_list_fields import SearchField
from tui.screens.session_list_rows import BOX_FROM, COLUMNS, WITH_BOXES, ListedRows, Listing, filter_bar
from tui.screens.session_list_words import SAID, Group, detail_lines
from tui.session_rows import Chosen, SessionHome, SessionRow
from tui.widgets.follow import Following
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel
from tui.widgets.table import Table

LOOK_EVERY_S = 1.0
LOOK_SHARE, LOOK_AT_LEAST_S = 25, 5.0
"""A look may take one part in so many of the time, so a home of thousands of sessions is looked at less often."""


class BoxNote(LiveLabel):
    """Why a machine says nothing, on one line; no line while it answers."""

    DEFAULT_CSS = """
    BoxNote { display: none; height: 1; padding: 0 1; color: $warning; }
    BoxNote.-silent { display: block; }
    """

    def __init__(self, box: Box) -> None:
        super().__init__()
        self.box = box

    def say(self, trouble: str) -> None:
        self.set_class(bool(trouble), "-silent")
        self.update(trouble)


class ListScreen(Screen[Chosen | None]):
    """Shows what is known of a home. `select` is the id of the session to begin at, `notice` what to say first."""

    DEFAULT_CSS = """
    ListScreen { background: $surface; layout: vertical; layers: default above; }
    ListScreen .sessions--top { height: 1; background: $panel; }
    ListScreen .sessions--title { padding: 0 1; }
    ListScreen #search { width: 28; }
    ListScreen .sessions--groups { height: 1; }
    ListScreen .sessions--none { display: none; padding: 1 2; height: 1fr; color: $muted; text-wrap: wrap; }
    ListScreen.-none .sessions--none { display: block; }
    ListScreen.-none Table { display: none; }
    ListScreen .sessions--detail { height: 4; padding: 0 1; border-top: hkey $faint; }
    ListScreen #dock { height: auto; }
    """
    AUTO_FOCUS = "LineList"

    def __init__(self, home: SessionHome, select: str | None = None, notice: str = "") -> None:
        super().__init__()
        self.home = home
        self.listing = Listing()
        self.boxes = home.boxes or Boxes((), home.clock)
        self.columns = WITH_BOXES if self.boxes.boxes else COLUMNS
        self._rows = ListedRows([], self._now_us, boxes=bool(self.boxes.boxes))
        self._anchor, self._notice = select, notice
        self._look: Look | None = None
        self._fault, self._rows_read, self._measuring = "", False, False
        self._again = asyncio.Event()
        self._told: dict[str, tuple[str, str]] = {}
        self._asked: tuple[Group | None, str] = (None, "")
        self.marked: SessionRow | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(classes="sessions--top"):
            yield LiveLabel(classes="sessions--title")
            yield SearchField()
        yield LiveLabel(classes="sessions--groups")
        for box in self.boxes.boxes:
            yield BoxNote(box)
        yield Table(self.columns, self._rows)
        yield LiveLabel(classes="sessions--none")
        with Vertical(classes="sessions--detail"):
            for _ in range(3):
                yield LiveLabel()
        yield Vertical(id="dock")
        yield HintBar()

    def on_mount(self) -> None:
        self.query_one(".sessions--groups", LiveLabel).auto_links = False
        self._show()
        self.set_interval(1.0, self._tick)
        self._read_on()
        for box in self.boxes.boxes:
            self._ask_on(box)
        if self._notice:
            self.tell(self._notice, warning=True)

    # Reading

    @work(name="sessions", exit_on_error=False)
    async def _read_on(self) -> None:
        with contextlib.suppress(JournalError):
            await asyncio.to_thread(self.home.sweep)
        while True:
            self._again.clear()
            began_s = monotonic()
            try:
                await self._read()
                self._fault = ""
            except Exception as fault:
                self._fault = one_line(str(fault)) or type(fault).__name__
            self._rows_read = self._look is not None
            self._show()
            pause_s = min(max(LOOK_EVERY_S, LOOK_SHARE * (monotonic() - began_s)), LOOK_AT_LEAST_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._again.wait()

    async def _read(self) -> None:
        first, looks = self._look is None, self.home.look()
        while (look := await asyncio.to_thread(next, looks, None)) is not None:
            self._look = look
            self.listing.rows = [SessionRow(overview) for overview in look.sessions]
            if look.unread:
                self._show()
        self.listing.trash = await asyncio.to_thread(self.home.trash)
        if first:
            await asyncio.to_thread(self.home.keep)

    def look_again(self) -> None:
        """Something was done: look now."""
        self._again.set()

    @work(name="box", exit_on_error=False)
    async def _ask_on(self, box: Box) -> None:
        """Ask a machine for its sessions now and then; nobody waits for it."""
        while True:
            pause_s = await self.boxes.look(box)
            self.listing.elsewhere = self.boxes.rows
            if self._anchor is None and self.selected is not None:
                self._anchor = self.selected.id  # What comes late takes the cursor off nothing.
            self._show()
            await pause_real(pause_s)

    def on_resize(self) -> None:
        self._rows.narrow = self.size.width < BOX_FROM

    # Showing

    @property
    def held_still(self) -> bool:
        """Whether the rows must stay in their places, because one of them is being written in."""
        return False

    @property
    def complete(self) -> bool:
        """Whether everything that there is has been read once."""
        return self._look is not None and not self._look.unread and self._rows_read

    @property
    def selected(self) -> SessionRow | None:
        """The session under the cursor."""
        cursor, shown = self.query_one(Table).list.cursor, self._rows.rows
        return shown[cursor] if cursor is not None and cursor < len(shown) else None

    @property
    def table(self) -> Table:
        return self.query_one(Table)

    def _now_us(self) -> int:
        return self.home.clock.now_us()

    def _show(self) -> None:
        """Bring the screen to what is known."""
        if self.held_still:
            return
        before, marked_before, rows = self._rows.rows, self._rows.marked, self._rows
        rows.rows, rows.marked = self.listing.shown(), self.marked.id if self.marked else None
        if [row.id for row in before] == [row.id for row in rows.rows]:
            for index, row in enumerate(rows.rows):
                if row != before[index] or (rows.marked != marked_before and row.id in (rows.marked, marked_before)):
                    self.table.changed(index)
        else:
            self._replace(before)
        self.set_class(not rows.rows, "-none")
        self.query_one(".sessions--none", LiveLabel).update(self._nothing())
        if rows.rows and self.focused is None:  # What is not in sight can't have the focus.
            self.call_after_refresh(self.table.list.focus)
        self._show_around()

    def _replace(self, before: Sequence[SessionRow]) -> None:
        """Other sessions, or another order: the cursor and the top of the view stay with their sessions."""
        lines, rows = self.table.list, self._rows.rows
        places = {row.id: index for index, row in enumerate(rows)}
        old_top, anchored = lines.top_item or 0, places.get(self._anchor or "")
        asked, self._asked = self._asked, (self.listing.group, self.listing.words)
        beside = min(lines.cursor or 0, max(0, len(rows) - 1)) if asked == self._asked else 0
        lines.cursor = anchored if anchored is not None else beside
        self.table.reset(self._rows)
        if not rows:
            return
        stays = asked == self._asked and 0 < old_top < len(before)
        lines.hold_at(min(places.get(before[old_top].id, old_top), len(rows) - 1) if stays else 0)
        if anchored is not None and (not stays or not any(row.id == self._anchor for row in before)):
            lines.select(anchored)

    def _show_around(self) -> None:
        self.query_one(".sessions--title", LiveLabel).update(self._title())
        self.query_one(".sessions--groups", LiveLabel).update(filter_bar(self.listing.counts(), self.listing.group))
        for note in self.query(BoxNote):
            note.say(self.boxes.trouble(note.box))
        self._show_selected()

    def _show_selected(self) -> None:
        row, sizes = self.selected, self.home.sizes
        lines = detail_lines(row, self._now_us(), sizes.of(row)) if row else (Content(""),) * 3
        for label, line in zip(self.query(".sessions--detail LiveLabel").results(LiveLabel), lines, strict=True):
            label.update(line)
        self.query_one(HintBar).show(self.hints(row))
        if row and not self._measuring and sizes.due(row):
            self._measuring = True
            self._measure(row)

    @work(name="size", exit_on_error=False)
    async def _measure(self, row: SessionRow) -> None:
        try:
            await asyncio.to_thread(self.home.sizes.measure, row)
        finally:
            self._measuring = False
        self._show_selected()

    def hints(self, row: SessionRow | None) -> list[Hint]:
        """What can be done with this session, and besides."""
        return []

    def _title(self) -> Content:
        look = self._look
        count = figures.plural(look.total, "session") if look else "reading the sessions"
        reading = f" · reading, {look.unread:,} to go" if look and look.unread else ""
        rows, asked = (*self.listing.rows, *self.listing.elsewhere), self.boxes.asked
        away = f" here, {len(self.listing.elsewhere):,} elsewhere" if self.listing.elsewhere else ""
        cost = sum((row.overview.usd for row in rows), start=Decimal(0))
        spent = f" · {figures.cents(cost)} in all" if look and cost else ""
        fault = (f"  {self._fault} Trying again.", "$error") if self._fault and look else ""
        asking = f" · asking {asked} more {'boxes' if asked > 1 else 'box'}" if asked else ""
        told = (f"{spent}{reading}{asking}", "$muted")
        return Content.assemble(("Longwatch", "bold $primary"), f"  {count}{away}", told, fault)

    def _nothing(self) -> str:
        """Why no session is shown, and what to do."""
        listing = self.listing
        if self._look is None:
            return f"{self._fault} Trying again; q leaves." if self._fault else f"Reading {self.home.home} …"
        if listing.words:
            return (
                f"No session here has {one_line(listing.words)!r} in it. Escape in the search starts over; f filters."
            )
        if listing.group is not None and (listing.rows or listing.trash):
            what = "The trash is empty" if listing.group == "trash" else f"No session is {SAID[listing.group]}"
            return f"{what}. f shows the next group."
        if self._look.unread:
            return f"Reading {figures.plural(self._look.total, 'session')} …"
        return "No sessions yet. Leave with q and start one: longwatch run TASK, or longwatch demo, which needs no key."

    def _tick(self) -> None:
        """Ages and heartbeats of the rows in view; nothing is written for those that read the same."""
        lines, rows = self.table.list, self._rows
        first = lines.top_item or 0
        for index in range(first, min(first + self.size.height, len(rows))):
            row = rows.rows[index]
            told = rows.ticking(index)
            if self._told.get(row.id) != told:
                self._told[row.id] = told
                self.table.changed(index)
        self._show_selected()

    # The cursor

    @on(LineList.ItemSelected)
    def _moved(self, event: LineList.ItemSelected) -> None:
        row = self.selected
        if row is not None:
            self._anchor = row.id
            self._show_selected()

    @on(LineList.FollowChanged)
    def _at_end(self, event: LineList.FollowChanged) -> None:
        """End goes to the last session, and selects it."""
        lines = self.table.list
        if isinstance(lines.follow, Following) and lines.cursor is None and len(lines.rows):
            lines.select(len(lines.rows) - 1)

    # Searching and filtering

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "search":
            self.listing.words = event.value
            self._show()

    def action_search_sessions(self) -> None:
        self.query_one(SearchField).focus()

    @on(SearchField.Left)
    def _search_left(self) -> None:
        self.table.list.focus()

    @on(SearchField.Stepped)
    def _stepped(self, event: SearchField.Stepped) -> None:
        self.table.list.action_move(event.step)

    # Words

    def tell(self, words: str, *, warning: bool = False) -> None:
        """Say in a corner what came of something."""
        self.notify(one_line(words), severity="warning" if warning else "information", markup=False)
