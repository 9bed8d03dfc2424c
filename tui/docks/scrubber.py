"""The session at a glance, below the panes: live where there is room or one asks for it, and the strip of a replay.

It only shows; the screen holds the position. A click seeks.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from core.folds.lanes import Axis, Cell, cell_of
from core.folds.view import SessionView
from tui.docks import strip
from tui.docks.playback import Playback
from tui.messages import SeekRequested
from tui.panes import figures
from tui.panes.sheet_lines import MUTED, clip, spread
from tui.safe import one_line
from tui.widgets.live_label import LiveLabel
from tui.widgets.painting import Painter

TALL = 38
"""Lines of the terminal from which on the strip has three lines."""
AXES: tuple[Axis, ...] = ("time", "events")


class Track(Widget):
    """Lines of content, repainted where they differ."""

    DEFAULT_CSS = """
    Track { height: 1; }
    Track.-three { height: 3; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[Content] = ()
        self._painter = Painter()

    def set_lines(self, lines: Sequence[Content]) -> None:
        """Show these."""
        before, self._lines = self._lines, lines
        if len(before) != len(lines):
            self.set_class(len(lines) > 1, "-three")
            self.refresh()
            return
        for row, (old, new) in enumerate(zip(before, lines, strict=True)):
            if not old.is_same(new):
                self.refresh(Region(0, row, self.size.width, 1))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget()

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else Content("")
        return self._painter.strip(line, self.visual_style, self.size.width)

    def on_click(self, event: events.Click) -> None:
        parent = self.parent
        if isinstance(parent, Scrubber):
            parent.seek_to_cell(event.x)


class Scrubber(Vertical):
    """The strip, and while one looks back a line that says where one stands and how it plays."""

    DEFAULT_CSS = """
    Scrubber { height: auto; display: none; padding: 0 1; background: $panel; }
    Scrubber > .scrubber--line { display: none; }
    Scrubber.-back > .scrubber--line { display: block; }
    Scrubber.-back, Scrubber.-asked { display: block; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._view: SessionView | None = None
        self._at: int | None = None
        self._playback: Playback | None = None
        self._axis: Axis = AXES[0]
        self._work = False
        """Whether it shows how well the work went, in place of what happened."""
        self._counted: tuple[object, ...] = ()
        self._cells: list[Cell] = []
        self._rows: list[strip.Row] = []
        self._shown: tuple[object, ...] = ()
        self._notes: Sequence[tuple[int, str]] = ()

    def compose(self) -> ComposeResult:
        yield LiveLabel(classes="scrubber--line")
        yield Track()

    def show(self, view: SessionView, at: int | None, playback: Playback) -> None:
        """Show the session, and event `at` as the position in it (None: live)."""
        self._view, self._at, self._playback = view, at, playback
        self.set_class(at is not None, "-back")
        if self.display:
            self._draw()

    def set_notes(self, notes: Sequence[tuple[int, str]]) -> None:
        """The notes that stand in the margin: (event, text), by event."""
        self._notes = notes
        if self.display:
            self._draw()

    def change(self) -> None:
        """By time, by events, how well it went, and out of sight again; never that while one looks back."""
        if not self.display:
            self.set_class(True, "-asked").set_class(False, "-dismissed")
        elif self._axis == AXES[0] and not self._work:
            self._axis = AXES[1]
        elif not self._work:
            self._axis, self._work = AXES[0], True
        else:
            self._work = False
            self.set_class(self._at is not None, "-asked").set_class(self._at is None, "-dismissed")
        self._draw()

    def on_show(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        view, width = self._view, self.content_size.width
        if view is None or not width:
            return
        three = self.screen.size.height >= TALL
        self._count(view, width, three=three)
        here = None if self._at is None else cell_of(self._cells, self._at)
        if (shown := (self._rows, here)) != self._shown:
            self.query_one(Track).set_lines(strip.lines(self._rows, here))
            self._shown = shown
        if self._at is not None and self._playback is not None:
            note = next((text for seq, text in self._notes if seq == self._at), "")
            line = position_line(view, self._at, self._playback, width, self._cells, note)
            self.query_one(".scrubber--line", LiveLabel).update(line)

    def _count(self, view: SessionView, width: int, *, three: bool) -> None:
        """Cells and rows, anew only when something of them can have changed: not with every second or seek."""
        wanted = (view.last_seq, width, three, self._axis, self._work, tuple(self._notes))
        if wanted == self._counted:
            return
        self._counted = wanted
        self._cells = view.lanes.strip(max(1, width - strip.GUTTER if three else width), axis=self._axis)
        if self._work:
            self._rows = strip.work_rows(self._cells, view, three=three)
        else:
            noted = {cell_of(self._cells, seq) for seq, _ in self._notes} if self._cells else set()
            self._rows = strip.rows(self._cells, noted, three=three)

    def seek_to_cell(self, x: int) -> None:
        """What a click on column `x` of the strip asks for."""
        cell = x - (strip.GUTTER if self.screen.size.height >= TALL else 0)
        if self._view is not None and self._cells and cell >= 0:
            clicked = self._cells[min(cell, len(self._cells) - 1)]
            noted = next((seq for seq, _ in self._notes if clicked.first <= seq <= clicked.last), None)
            self.post_message(SeekRequested(noted or strip.target(self._view.lanes, clicked)))


def position_line(
    view: SessionView, seq: int, playback: Playback, width: int, cells: Sequence[Cell], note: str = ""
) -> Content:
    """Playing or held, speed, time of all, event of all; at the right what the marks mean, or this event's note."""
    start = view.timeline.at_us(1)
    now = figures.elapsed(view.timeline.at_us(seq) - start)
    whole = figures.elapsed(view.timeline.at_us(view.last_seq) - start)
    left = Content.assemble(
        ("▶ playing" if playback.playing else "‖ held   ", "bold $accent"),
        (f" {playback.speed:g}×".ljust(7), "bold"),
        (now, "bold"),
        (f" / {whole}   ", MUTED),
        (f"#{seq:,}", "bold"),
        (f" of {view.last_seq:,}", MUTED),
    )
    room = width - left.cell_length - 2
    if note:
        return spread(left, Content.styled(clip(f"{strip.NOTE} {one_line(note)}", room), "bold $user"), width)
    return spread(left, strip.legend(cells, room), width)
