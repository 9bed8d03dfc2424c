"""The list of sessions as rows: which ones are shown, in what order, and what each column says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from textual.content import Content
from textual.style import Style

from tui.panes import figures
from tui.safe import one_line
from tui.screens.session_list_words import (
    GROUPS,
    Group,
    fullness,
    group_of,
    spent,
    state_style,
    state_words,
)
from tui.session_rows import SessionRow
from tui.widgets.table import Column

COLUMNS = (
    Column("", 1),
    Column("state", 19),
    Column("name", share=2),
    Column("task", share=5, from_width=112),
    Column("model", 18, from_width=150),
    Column("workspace", 24, from_width=170),
    Column("calls", 7, right=True),
    Column("cost", 9, right=True),
    Column("ctx", 5, right=True),
    Column("lasted", 9, right=True, from_width=96),
    Column("last", 4, right=True),
)
BOX_FROM = 100
"""Cells from which on the machine of a session has a column; before, it stands before the name, as commands take it."""
WITH_BOXES = (*COLUMNS[:3], Column("box", 12, from_width=BOX_FROM), *COLUMNS[3:])
HERE = Content.styled("here", "$muted")
_LONGEST = 400
NAME = 2
"""The column that is edited in place."""
FIRST: Sequence[Group] = ("needs you", "running")
"""Groups that come before all others, which are in the order of their last activity."""


@dataclass
class Listing:
    """Everything that is known, and the part of it that is asked for by filter and words."""

    rows: list[SessionRow] = field(default_factory=list)
    elsewhere: list[SessionRow] = field(default_factory=list)
    trash: list[SessionRow] = field(default_factory=list)
    group: Group | None = None
    words: str = ""

    def shown(self) -> list[SessionRow]:
        """The rows asked for, in order."""
        if self.group == "trash":
            candidates: Iterable[SessionRow] = self.trash
        else:
            candidates = sorted((*self.rows, *self.elsewhere), key=_order)
        wanted = self.words.casefold().split()
        return [row for row in candidates if self._in_group(row) and _matches(row, wanted)]

    def counts(self) -> Counter[str]:
        """How many there are of each group."""
        return Counter(group_of(row) for row in (*self.rows, *self.elsewhere, *self.trash))

    def _in_group(self, row: SessionRow) -> bool:
        return self.group is None or group_of(row) == self.group


def _order(row: SessionRow) -> tuple[int, int, str]:
    """Who needs the user, then what runs, then the newest. What runs stands by its start, so it never jumps about."""
    group, overview = group_of(row), row.overview
    rank = FIRST.index(group) if group in FIRST else len(FIRST)
    return rank, -(overview.figures.started_us if group == "running" else overview.active_us), row.id


def _matches(row: SessionRow, wanted: Sequence[str]) -> bool:
    if not wanted:
        return True
    summary = row.overview.summary
    text = f"{row.id} {row.box} {summary.name} {summary.task} {summary.workspace} {summary.model}".casefold()
    return all(word in text for word in wanted)


class ListedRows:
    """The rows of the table. `marked` is the id of the one that is to be compared.

    `boxes`: there is a column for the machine; `narrow`: there is no room for it.
    """

    def __init__(self, rows: Sequence[SessionRow], now_us: Callable[[], int], *, boxes: bool = False) -> None:
        self.rows, self._now_us, self._boxes = rows, now_us, boxes
        self.marked: str | None = None
        self.narrow = False

    def __len__(self) -> int:
        return len(self.rows)

    def text(self, index: int) -> str:
        return self.rows[index].id

    def cells(self, index: int) -> Sequence[str | Content]:
        row, now_us = self.rows[index], self._now_us()
        overview, summary = row.overview, row.overview.summary
        glyph, style = state_style(row, now_us)
        if row.id == self.marked:
            glyph, style = "◆", "bold $accent"
        damaged = summary.state == "damaged"
        return (
            Content.styled(glyph, style),
            Content.styled(state_words(row, now_us), state_style(row, now_us)[1]),
            self._name(row),
            *((_box(row),) if self._boxes else ()),
            Content.styled(_flat(summary.detail if damaged else summary.task), "$muted"),
            Content.styled(_flat(summary.model), "$muted"),
            Content.styled(_flat(_short_path(summary.workspace)), "$muted"),
            "" if damaged else f"{overview.figures.calls:,}",
            "" if damaged else spent(overview),
            "" if damaged else fullness(overview),
            figures.elapsed(overview.lasted_us) if overview.figures.started_us else "",
            self.age(index),
        )

    def _name(self, row: SessionRow) -> str | Content:
        if not (row.box and self.narrow):
            return row.name
        return Content.assemble((f"{one_line(row.box)}:", "$muted"), one_line(row.name))

    def age(self, index: int) -> str:
        """Time since the last activity, or since it was deleted."""
        row = self.rows[index]
        since = row.trashed.at_us if row.trashed is not None else row.overview.active_us
        return figures.ago(self._now_us() - since)

    def ticking(self, index: int) -> tuple[str, str]:
        """What of a row changes by time alone."""
        return self.age(index), state_words(self.rows[index], self._now_us())


def _box(row: SessionRow) -> Content:
    return Content(one_line(row.box)) if row.box else HERE


def _flat(text: str) -> str:
    return one_line(text[:_LONGEST])


def _short_path(path: str) -> str:
    """The last two folders of a path: enough to know it again."""
    parts = path.rstrip("/").split("/")
    return path if len(parts) <= 3 else f"…/{'/'.join(parts[-2:])}"


def filter_bar(counts: Counter[str], chosen: Group | None) -> Content:
    """Every filter with its count, the chosen one marked; a click chooses."""
    total = counts.total() - counts["trash"]
    chips = [_chip("all", total, chosen is None), *(_chip(name, counts[name], name == chosen) for name in GROUPS)]
    return Content("").join(chips)


def _chip(name: str, count: int, chosen: bool) -> Content:
    style = "bold reverse" if chosen else ("$foreground" if count else "$muted")
    if name == "needs you" and count and not chosen:
        style = "bold $state-waiting"
    text = Content.styled(f" {name} {count} ", style)
    return text.stylize(Style.from_meta({"@click": f"screen.show_group({name!r})"}))
