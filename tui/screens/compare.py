"""Two sessions side by side: the figures of their reports, and how the second differs from the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from core.clock import MICROSECONDS
from tui.panes import figures
from tui.safe import one_line
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.live_label import LiveLabel
from tui.widgets.table import Column, Table

COLUMNS = (Column("", 17), Column("◆ first"), Column("second"), Column("second − first", 20))
HINTS = (Hint("esc", "close", "screen.close"), Hint("x", "swap", "screen.swap"), Hint("↑↓", "scroll", ""))


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the report: where it stands, how it is printed, and whether less (-1) or more (1) is better."""

    label: str
    read: Callable[[dict[str, Any]], float | None]
    show: Callable[[float], str] = lambda value: f"{value:,.0f}"
    better: int = 0


def _of(*path: str) -> Callable[[dict[str, Any]], float | None]:
    def read(fields: dict[str, Any]) -> float | None:
        value: Any = fields
        for name in path:
            value = value[name]
        return value

    return read


def _share(value: float) -> str:
    return f"{value * 100:.1f}%"


FIGURES = (
    Figure("Duration", _of("duration_s"), lambda value: figures.elapsed(int(value * MICROSECONDS))),
    Figure("Cost", _of("cost_usd_known_part"), lambda value: figures.usd(str(value)), -1),
    Figure("Turns", _of("turns")),
    Figure("Tool calls", _of("tool_calls")),
    Figure("failed", _of("tool_errors")),
    Figure("Calls per hour", _of("calls_per_hour"), better=1),
    Figure("Repetition", _of("repetition_rate"), _share, -1),
    Figure("no progress", _of("no_progress_repeats"), better=-1),
    Figure("Tokens sent", _of("tokens", "sent"), lambda value: figures.tokens(int(value))),
    Figure("Tokens received", _of("tokens", "output"), lambda value: figures.tokens(int(value))),
    Figure("Sent per new", _of("amplification"), lambda value: f"{value:.1f}"),
    Figure("Cache hits", _of("cache_hit_rate"), _share, 1),
    Figure("Compressions", _of("compressions")),
    Figure("Checkpoints", _of("checkpoints")),
    Figure("Rewinds", _of("rewinds")),
    Figure("Corrections", _of("corrections"), better=-1),
    Figure("Interventions", _of("interventions"), better=-1),
    Figure("Retries", _of("retries"), better=-1),
    Figure("Recoveries", _of("recoveries")),
    Figure("Memory entries", _of("memory_entries")),
    Figure("Plan steps done", _of("plan_steps", "done")),
    Figure("Files changed", lambda fields: len(fields["files_changed"])),
)


def compared(first: dict[str, Any], second: dict[str, Any]) -> Iterator[tuple[Content, ...]]:
    """The lines of the comparison: what is said in words, then each figure with its difference."""
    for label, name in (("State", "state"), ("Task", "task"), ("Model", "model"), ("Workspace", "workspace")):
        one, other = one_line(str(first[name])), one_line(str(second[name]))
        same = Content.styled("the same" if one == other else "another", "$muted" if one == other else "$warning")
        yield Content.styled(label, "$muted"), Content(one), Content(other), same
    for figure in FIGURES:
        values = figure.read(first), figure.read(second)
        shown = [Content("–" if value is None else figure.show(value)) for value in values]
        yield Content.styled(figure.label, "$muted"), *shown, difference(figure, *values)


def difference(figure: Figure, one: float | None, other: float | None) -> Content:
    """`+12 (+40%)`, `−$0.20 (−43%)`, `−8.2 points`; coloured only where one direction is the better one."""
    if one is None or other is None:
        return Content.styled("–", "$muted")
    if figure.show(one) == figure.show(other):
        return Content.styled("the same", "$muted")
    change = other - one
    sign, good = "+" if change > 0 else "−", (change > 0) == (figure.better > 0)
    style = "" if not figure.better else ("$success" if good else "$error")
    if figure.show is _share:
        return Content.styled(f"{sign}{abs(change) * 100:.1f} points", style)
    share = f" ({sign}{_grown(abs(change) / abs(one))})" if one else ""
    return Content.styled(f"{sign}{figure.show(abs(change))}{share}", style)


def _grown(share: float) -> str:
    return f"{share * 100:.0f}%" if share < 10 else f"{share:,.0f}×"


class _Compared:
    """The lines as rows of a table."""

    def __init__(self, lines: Sequence[tuple[Content, ...]]) -> None:
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def text(self, index: int) -> str:
        return "  ".join(cell.plain for cell in self._lines[index])

    def cells(self, index: int) -> Sequence[str | Content]:
        return self._lines[index]


class CompareScreen(ModalScreen[None]):
    """Covers the list; `x` swaps which of the two is the measure."""

    DEFAULT_CSS = """
    CompareScreen { align: center middle; background: $background 60%; }
    CompareScreen > Vertical {
        width: 100%; max-width: 120; height: 100%; max-height: 34;
        background: $surface; border: round $primary;
    }
    CompareScreen .compare--title { padding: 0 1; text-style: bold; color: $primary; }
    CompareScreen .compare--names { padding: 0 1; }
    """
    AUTO_FOCUS = "LineList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,c", "close", show=False),
        Binding("x", "swap", show=False),
    ]

    def __init__(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        super().__init__()
        self._sides = (first, second)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield LiveLabel(classes="compare--title")
            yield Table(COLUMNS, _Compared(self._lines()))
            yield HintBar()

    def on_mount(self) -> None:
        self.query_one(HintBar).show(HINTS)
        self._show_title()
        self.call_after_refresh(self.query_one(Table).list.hold_at, 0)

    def action_close(self) -> None:
        self.dismiss(None)

    def action_swap(self) -> None:
        """The second becomes the measure of the first."""
        self._sides = self._sides[::-1]
        table = self.query_one(Table)
        table.reset(_Compared(self._lines()))
        self._show_title()

    def _lines(self) -> list[tuple[Content, ...]]:
        return list(compared(*self._sides))

    def _show_title(self) -> None:
        first, second = (one_line(f"{side['name']} {side['session'][:10]}") for side in self._sides)
        title = Content.assemble("◆ ", first, ("  against  ", "$muted"), second)
        self.query_one(".compare--title", LiveLabel).update(title)
