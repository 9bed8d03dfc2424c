"""Words anywhere in the session: hits come in while one types, each with what it is, when, and its line."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from core.journal.errors import JournalError
from core.protocols import Found, Hit
from tui.panes import figures
from tui.panes.sheet_lines import MUTED, clip, fit, spread
from tui.safe import one_line
from tui.widgets.hint_bar import Hint as Key
from tui.widgets.hint_bar import HintBar
from tui.widgets.line import Line
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel

PAUSE_S = 0.15
"""So long nothing is typed before a search begins."""
SHORTEST = 2
"""Characters from which words are searched for."""
MOST = 2_000
"""Hits that are listed; more are counted."""
KIND_CELLS, TIME_CELLS, SEQ_CELLS = 9, 9, 8
NARROW = 100
"""Cells below which the times give way."""

Search = Callable[[str], AsyncIterator[Found]]


class HitRows:
    """One line a hit: its kind, when, its number, and its line with the words marked."""

    def __init__(self, words: str, start_us: int, on_branch: Callable[[int], bool]) -> None:
        self.words, self.hits = words, list[Hit]()
        self._start_us, self._on_branch = start_us, on_branch

    def __len__(self) -> int:
        return len(self.hits)

    def text(self, index: int) -> str:
        return self.hits[index].line

    def height(self, index: int, width: int) -> int:
        return 1

    def render(self, index: int, width: int) -> list[Content]:
        hit = self.hits[index]
        when = f"{figures.elapsed(hit.at_us - self._start_us):<{TIME_CELLS}} " if width >= NARROW else ""
        left = Content.assemble(
            (fit(hit.kind, KIND_CELLS) + " ", "$accent"), (f"{when}{fit(f'#{hit.seq:,}', SEQ_CELLS)} ", MUTED)
        )
        more = f" ×{hit.times:,}" if hit.times > 1 else ""
        mark = more + ("" if self._on_branch(hit.seq) else "  left branch")
        room = max(8, width - 1 - left.cell_length - len(mark))
        line = Content(clip(one_line(self._shown(hit, room)), room))
        return [spread(left + line, Content.styled(mark, MUTED), width - 1)]

    def _shown(self, hit: Hit, room: int) -> str:
        """The line, begun so late that the words are in sight."""
        late = hit.start + len(self.words) > room
        return f"…{hit.line[max(0, hit.start - room // 3) :]}" if late else hit.line.lstrip()


class FindScreen(Screen[int | None]):
    """Dismissed with the event to go to, None for nothing. `search` gives the hits of some words, newest first."""

    DEFAULT_CSS = """
    FindScreen { background: $surface; }
    FindScreen .find--title { padding: 0 1; background: $panel; }
    FindScreen Line { padding: 0 1; margin: 1 1 0 1; background: $panel; }
    FindScreen .find--counts { padding: 0 1; margin: 0 1 1 1; }
    FindScreen LineList { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", show=False),
        Binding("down", "into_list", show=False),
        Binding("slash", "into_words", show=False),
    ]

    def __init__(self, search: Search, last_seq: int, start_us: int, on_branch: Callable[[int], bool]) -> None:
        super().__init__()
        self._search, self._last_seq = search, last_seq
        self._start_us, self._on_branch = start_us, on_branch
        self._kinds: Counter[str] = Counter()
        self._timer: Timer | None = None
        self._rows = self._nothing("")

    def compose(self) -> ComposeResult:
        with Vertical():
            yield LiveLabel(Content.styled("Find in everything", "bold $accent"), classes="find--title")
            yield Line(placeholder="words: said, thought, called, put out, remembered, planned")
            yield LiveLabel(classes="find--counts")
            yield LineList(self._rows)
            yield HintBar()

    def on_mount(self) -> None:
        self.query_one(Line).focus()
        hints = [("enter", "go there"), ("↑↓", "choose"), ("/", "other words"), ("esc", "close")]
        self.query_one(HintBar).show([Key(key, label, "") for key, label in hints])
        self._count("")

    def _nothing(self, words: str) -> HitRows:
        return HitRows(words, self._start_us, self._on_branch)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE_S, self._begin)

    def _begin(self) -> None:
        """A new search: the one before is given up."""
        words = self.query_one(Line).value.strip()
        if words == self._rows.words:
            return
        self._rows, self._kinds = self._nothing(words), Counter()
        lines = self.query_one(LineList)
        lines.highlight(words if len(words) >= SHORTEST else "")
        lines.reset(self._rows)
        lines.hold_at(0)
        self._count("")
        self.run_worker(self._look(words), group="find", exclusive=True, exit_on_error=False)

    async def _look(self, words: str) -> None:
        if len(words) < SHORTEST:
            return
        try:
            async for found in self._search(words):
                self._add(found)
        except (JournalError, OSError) as fault:
            self._count(f"Not read on: {fault}", "$error")

    def _add(self, found: Found) -> None:
        old = len(self._rows)
        self._kinds.update(hit.kind for hit in found.hits)
        self._rows.hits += found.hits[: max(0, MOST - old)]
        if len(self._rows) > old:
            self.query_one(LineList).appended()
        left = found.reached - 1
        self._count(f"{left:,} events to go" if left else "")

    def _count(self, note: str, style: str = MUTED) -> None:
        """`34 found: 12 output, 9 said`, and how far the search is."""
        words, total = self._rows.words, self._kinds.total()
        if len(words) < SHORTEST:
            said = Content.styled(f"{self._last_seq:,} events, searched from {SHORTEST} characters on", MUTED)
        elif total:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in self._kinds.most_common())
            listed = f", the newest {MOST:,} listed" if total > MOST else ""
            said = Content.assemble((f"{total:,} found", "bold"), f": {kinds}{listed}")
        else:
            said = Content("searching…" if note else "Not in anything that was said, done or kept.")
        room = max(20, self.size.width - 4)
        self.query_one(".find--counts", LiveLabel).update(spread(said, Content.styled(note, style), room))

    def action_into_list(self) -> None:
        lines = self.query_one(LineList)
        if len(self._rows):
            lines.focus()
            lines.select(0 if lines.cursor is None else lines.cursor)

    def action_into_words(self) -> None:
        self.query_one(Line).focus()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Into the list; enter there goes to the place, so that nothing is gone to unseen."""
        event.stop()
        self.action_into_list()

    def on_line_list_item_opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        self.dismiss(self._rows.hits[event.index].seq)

    def action_close(self) -> None:
        self.dismiss(None)
