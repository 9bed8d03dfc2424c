"""The branches of the session: where each began, what was done on it and came of it; two of them side by side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen

from core.changes.net import FileDiff
from core.folds.branch_deeds import Comparison, compared
from core.folds.branch_tree import Branch
from core.folds.view import SessionView
from core.journal.errors import JournalError
from core.workspace.errors import WorkspaceError
from tui.branching import Told, comparison_lines, told
from tui.panes.sheet_lines import MUTED, clip, spread
from tui.safe import one_line
from tui.screens.changes import STYLES, ChangeRows, Row, rows_of
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel

Differ = Callable[[str, str], Awaitable[Sequence[FileDiff]]]
"""What differs in the files from one tree to another."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be done with which branch."""

    do: Literal["look", "switch", "name"]
    branch: Branch


class BranchLines:
    """Two lines a branch: its name and figures, then where it began and what came of it."""

    def __init__(self, rows: Sequence[Told], marked: int | None = None) -> None:
        self.rows, self.marked = rows, marked

    def __len__(self) -> int:
        return len(self.rows)

    def text(self, index: int) -> str:
        row = self.rows[index]
        return f"{one_line(row.branch.title)} {one_line(row.about)}"

    def height(self, index: int, width: int) -> int:
        return 2

    def render(self, index: int, width: int) -> list[Content]:
        row = self.rows[index]
        branch, room = row.branch, width - 1
        stem = "  " * row.depth + ("└ " if row.depth else "")
        mark = "◆" if branch.number == self.marked else "●" if not branch.left else "○"
        name = Content.assemble(
            (stem, MUTED),
            (f"{mark} ", "$accent" if not branch.left else MUTED),
            (f"{branch.number}  ", MUTED),
            (clip(one_line(branch.title), max(8, room - len(stem) - 30)), "bold" if not branch.left else ""),
        )
        about = " " * (len(stem) + 5) + one_line(row.about)
        return [
            spread(name, Content.styled(one_line(row.figures), MUTED), room),
            Content.styled(clip(about, room), MUTED),
        ]


class BranchesScreen(ModalScreen[Chosen | None]):
    """Dismissed with what is to be done. `steering`: whether a branch may be named or switched to from here."""

    DEFAULT_CSS = """
    BranchesScreen { align: center middle; background: $background 60%; }
    BranchesScreen > Vertical { width: 100%; max-width: 120; height: 92%; border: round $primary; }
    BranchesScreen > Vertical { background: $surface; }
    BranchesScreen .branches--title { padding: 0 1; text-style: bold; color: $primary; }
    BranchesScreen LineList { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,R", "close", "close", show=False),
        Binding("s", "act('switch')", "go on with it", show=False),
        Binding("n", "act('name')", "name", show=False),
        Binding("c", "compare", "compare", show=False),
    ]

    def __init__(self, view: SessionView, at: int | None, differ: Differ, *, steering: bool) -> None:
        super().__init__()
        self._view, self._differ, self._steering = view, differ, steering
        self._lines = BranchLines(told(view, at))

    def compose(self) -> ComposeResult:
        count = len(self._lines)
        title = "Branches" if count > 1 else "One branch: nothing was rewound yet"
        with Vertical():
            yield LiveLabel(title, classes="branches--title")
            yield LineList(self._lines)
            yield HintBar()

    def on_mount(self) -> None:
        steer = [("s", "go on with it", "screen.act('switch')"), ("n", "name", "screen.act('name')")]
        hints = [("enter", "look at it", ""), *(steer if self._steering else []), ("c", "compare", "screen.compare")]
        self.query_one(HintBar).show([Hint(*hint) for hint in [*hints, ("esc", "close", "screen.close")]])
        lines = self.query_one(LineList)
        lines.focus()
        lines.hold_at(0)
        lines.select(next((at for at, row in enumerate(self._lines.rows) if not row.branch.left), 0))

    @property
    def _branch(self) -> Branch | None:
        cursor = self.query_one(LineList).cursor
        return None if cursor is None else self._lines.rows[cursor].branch

    def on_line_list_item_opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        self.dismiss(Chosen("look", self._lines.rows[event.index].branch))

    def action_act(self, do: Literal["switch", "name"]) -> None:
        branch = self._branch
        if branch is None or not self._steering:
            return
        if do == "switch" and not branch.left:
            self.query_one(".branches--title", LiveLabel).update("That is the branch it is on.")
            return
        self.dismiss(Chosen(do, branch))

    def action_compare(self) -> None:
        """The first press marks one side, the second compares."""
        branch, title = self._branch, self.query_one(".branches--title", LiveLabel)
        if branch is None:
            return
        marked = next((row.branch for row in self._lines.rows if row.branch.number == self._lines.marked), None)
        if marked is None or marked.number == branch.number:
            self._lines = BranchLines(self._lines.rows, None if marked else branch.number)
            title.update("Branches" if marked else f"Compare {one_line(branch.title)} with: choose another one, then c")
            self._redraw()
            return
        self.app.push_screen(ComparedScreen(self._view, compared(self._view, marked, branch), self._differ))

    def _redraw(self) -> None:
        lines = self.query_one(LineList)
        cursor = lines.cursor or 0
        lines.reset(self._lines)
        lines.hold_at(0)
        lines.select(cursor)

    def action_close(self) -> None:
        self.dismiss(None)


class ComparedScreen(Screen[None]):
    """Two branches: what was done on each since they parted, and how the files of the second differ."""

    DEFAULT_CSS = """
    ComparedScreen { background: $surface; }
    ComparedScreen .compared--title { padding: 0 1; background: $panel; }
    ComparedScreen LineList { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,c", "close", "close", show=False)]

    def __init__(self, view: SessionView, found: Comparison, differ: Differ) -> None:
        super().__init__()
        self._found, self._differ, self._rows = found, differ, ChangeRows()
        lines = comparison_lines(view, found)
        self._rows.rows = [Row(one_line(text), "bold $accent" if title else "") for text, title in lines]

    def compose(self) -> ComposeResult:
        one, other = (f"{branch.number} {one_line(branch.title)}" for branch in self._found.sides)
        with Vertical():
            yield LiveLabel(f"{one} ⇄ {other}", classes="compared--title")
            yield LineList(self._rows)
            yield HintBar()

    def on_mount(self) -> None:
        self.query_one(HintBar).show([Hint("↑↓", "scroll", ""), Hint("esc", "close", "screen.close")])
        lines = self.query_one(LineList)
        lines.focus()
        lines.hold_at(0)
        lines.select(0)
        self.run_worker(self._load(), exit_on_error=False)

    async def _load(self) -> None:
        rows = await self._file_rows()
        self._rows.rows = [*self._rows.rows, Row(""), *rows]
        lines = self.query_one(LineList)
        lines.reset(self._rows)
        lines.hold_at(0)
        lines.select(0)

    async def _file_rows(self) -> list[Row]:
        before, after = self._found.trees
        if before is None or after is None:
            return [Row("The files can't be compared: no snapshot was made on one of them.", MUTED)]
        try:
            files = await self._differ(before, after)
        except (JournalError, WorkspaceError, OSError) as fault:
            return [Row(one_line(f"The files can't be compared: {fault}"), "$warning")]
        if not files:
            return [Row("Their files are the same.", STYLES["+"])]
        title = Row(f"Files, from the first to the second: {len(files):,} differ", "bold $accent")
        return [title, *(row for file in files for row in rows_of(file))]

    def action_close(self) -> None:
        self.dismiss(None)
