"""The film strip: every mark of the session on one line, where one stands, and how fast it plays."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content, Span

from core.folds.timeline import Timeline
from core.folds.view import SessionView
from tui.docks.playback import Playback
from tui.messages import SeekRequested
from tui.panes import figures
from tui.panes.sheet_lines import MUTED, spread
from tui.widgets.live_label import LiveLabel

GLYPHS = {
    "bookmark": ("★", "$warning"),
    "human": ("▲", "$accent"),
    "rewind": ("↶", "$accent"),
    "error": ("×", "$error"),
    "compression": ("▼", "$secondary"),
    "edit": ("+", "$success"),
    "checkpoint": ("·", MUTED),
    "end": ("■", MUTED),
}
"""Marks by kind, the more telling one first where two share a cell."""

_RANK = {kind: rank for rank, kind in enumerate(GLYPHS)}


def track(timeline: Timeline, seq: int, width: int) -> Content:
    """The session in `width` cells: one mark a cell, the part already played in colour, the position reversed."""
    last = max(1, len(timeline.times))
    cells: list[tuple[str, str] | None] = [None] * width
    ranks = [len(GLYPHS)] * width
    for mark in timeline.marks:
        cell, rank = cell_of(mark.seq, last, width), _RANK[mark.kind]
        if rank < ranks[cell]:
            cells[cell], ranks[cell] = GLYPHS[mark.kind], rank
    here = cell_of(seq, last, width)
    plain = "".join(cell[0] if cell else "━" if index <= here else "─" for index, cell in enumerate(cells))
    spans = [Span(index, index + 1, cell[1]) for index, cell in enumerate(cells) if cell]
    rails = [Span(0, here + 1, "$primary"), Span(here + 1, width, "$faint")]
    return Content(plain, [*rails, *spans, Span(here, here + 1, "bold reverse")])


def cell_of(seq: int, last: int, width: int) -> int:
    """The cell of event `seq` of `last` in a track of `width` cells."""
    return min(width - 1, max(0, (seq - 1) * width // last))


def seq_of(cell: int, last: int, width: int) -> int:
    """The first event of a cell: what a click on it means."""
    return min(last, max(1, -(-cell * last // width) + 1))


class Track(LiveLabel):
    """The line of marks; a click seeks."""

    def on_click(self, event: events.Click) -> None:
        parent = self.parent
        if isinstance(parent, Scrubber):
            parent.seek_to_cell(event.x)


class Scrubber(Vertical):
    """Shown while one looks back or replays; it only shows, the screen holds the position."""

    DEFAULT_CSS = """
    Scrubber { height: auto; display: none; padding: 0 1; background: $panel; }
    Scrubber.-shown { display: block; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._view: SessionView | None = None
        self._seq = 0

    def compose(self) -> ComposeResult:
        yield LiveLabel(classes="scrubber--line")
        yield Track()

    def show(self, view: SessionView, seq: int, playback: Playback) -> None:
        """Show position `seq` of the session and how it plays."""
        self._view, self._seq = view, seq
        width = self.content_size.width
        if not width:
            self.call_after_refresh(self.show, view, seq, playback)
            return
        self.query_one(".scrubber--line", LiveLabel).update(position_line(view, seq, playback, width))
        self.query_one(Track).update(track(view.timeline, seq, width))

    def seek_to_cell(self, cell: int) -> None:
        """What a click on the track asks for."""
        if self._view is not None:
            self.post_message(SeekRequested(seq_of(cell, self._view.last_seq, self.content_size.width)))


def position_line(view: SessionView, seq: int, playback: Playback, width: int) -> Content:
    """Playing or held, speed, time of all, event of all; at the right what the marks count."""
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
    return spread(left, _legend(view.timeline, width - left.cell_length - 2), width)


def _legend(timeline: Timeline, room: int) -> Content:
    present = {mark.kind for mark in timeline.marks}
    legend = Content("")
    for kind, (glyph, style) in GLYPHS.items():
        part = Content.assemble((glyph, style), (f" {kind}  ", MUTED))
        if kind in present and legend.cell_length + part.cell_length <= room:
            legend += part
    return legend
