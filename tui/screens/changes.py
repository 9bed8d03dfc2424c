"""What the session changed: file by file and hunk by hunk, with the call behind each; a comment becomes guidance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen

from core.changes.course import Author
from core.changes.net import FileDiff
from core.journal.errors import JournalError
from core.workspace.errors import WorkspaceError
from tui.panes.sheet_lines import MUTED, clip, spread
from tui.safe import one_line, safe_text
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel

STYLES = {"+": "$diff-add", "-": "$diff-del", "@": "$diff-hunk"}
NOTHING = "Nothing differs from what was there when it began."
QUOTED = 3
"""Changed lines of a hunk that a comment repeats."""

Read = Callable[[], Awaitable[Sequence[FileDiff]]]


@dataclass(frozen=True, slots=True)
class Picked:
    """Go to event `seq`, or say something: `comment` is how the guidance begins."""

    seq: int | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: of a file (its title, with `right`), of an author, or of a hunk. `seq` is whose call it belongs to,
    `about` how a comment on it begins."""

    text: str
    style: str = ""
    right: str = ""
    seq: int | None = None
    about: str = ""


class ChangeRows:
    """Every line of the difference, one row each; nothing is styled before it is looked at."""

    def __init__(self, files: Sequence[FileDiff] = ()) -> None:
        self.rows = [row for file in files for row in rows_of(file)]

    def __len__(self) -> int:
        return len(self.rows)

    def text(self, index: int) -> str:
        return self.rows[index].text

    def height(self, index: int, width: int) -> int:
        return 1

    def render(self, index: int, width: int) -> list[Content]:
        row = self.rows[index]
        left = Content.styled(clip(safe_text(row.text).expandtabs(4), max(8, width - len(row.right) - 2)), row.style)
        return [spread(left, Content.styled(row.right, MUTED), width - 1)]


def rows_of(file: FileDiff) -> list[Row]:
    """A file's title, then each hunk below who made it."""
    counts = f"+{file.added:,} −{file.removed:,}"
    head = Row(f"{file.status} {one_line(file.path)}", "bold $accent", counts, about=f"On {file.path}: ")
    rows = [Row(""), head]
    rows += [Row(f"  {file.note}", MUTED)] if file.note else []
    for hunk in file.hunks:
        seq = hunk.authors[-1].seq if hunk.authors else None
        about = _about(file.path, hunk.lines)
        rows += [Row(f"  {_named(author)}", _style(author), seq=author.seq, about=about) for author in hunk.authors]
        rows += [Row(f"  {line.rstrip()}", STYLES.get(line[:1], ""), seq=seq, about=about) for line in hunk.lines]
    return rows


def _named(author: Author) -> str:
    mark = {"call": "", "hand": "by hand: ", "rewind": "rewind: "}[author.kind]
    said = f"  “{one_line(author.said)[:90]}”" if author.said else ""
    return f"#{author.seq:,} {mark}{one_line(author.line)[:60]}{said}"


def _style(author: Author) -> str:
    return "$user" if author.kind == "hand" else MUTED


def _about(path: str, lines: Sequence[str]) -> str:
    changed = [line.rstrip() for line in lines[1:] if line[:1] in "+-"][:QUOTED]
    return "\n".join([f"On {path} {lines[0].strip()}", *changed, ""])


class ChangesScreen(Screen[Picked | None]):
    """Dismissed with what was chosen. `read` compares the files, which takes a moment."""

    DEFAULT_CSS = """
    ChangesScreen { background: $surface; }
    ChangesScreen .changes--title { padding: 0 1; background: $panel; }
    ChangesScreen LineList { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,D", "close", "close", show=False),
        Binding("c", "comment", "comment", show=False),
        Binding("n", "file(1)", "next file", show=False),
        Binding("N", "file(-1)", "file before", show=False),
    ]

    def __init__(self, read: Read, *, commenting: bool) -> None:
        super().__init__()
        self._read, self._commenting, self._rows = read, commenting, ChangeRows()

    def compose(self) -> ComposeResult:
        with Vertical():
            yield LiveLabel("Changes: comparing the files…", classes="changes--title")
            yield LineList(self._rows)
            yield HintBar()

    def on_mount(self) -> None:
        hints = [("enter", "its call", ""), ("n", "next file", "screen.file(1)"), ("esc", "close", "screen.close")]
        hints += [("c", "comment to the agent", "screen.comment")] if self._commenting else []
        self.query_one(HintBar).show([Hint(*hint) for hint in hints])
        self.query_one(LineList).focus()
        self.run_worker(self._load(), exit_on_error=False)

    async def _load(self) -> None:
        title = self.query_one(".changes--title", LiveLabel)
        try:
            files = await self._read()
        except (JournalError, WorkspaceError, OSError) as fault:
            title.update(one_line(f"Changes: they can't be told. {fault}"))
            return
        added, removed = sum(file.added for file in files), sum(file.removed for file in files)
        title.update(f"Changes: {len(files):,} files, +{added:,} −{removed:,}" if files else f"Changes: {NOTHING}")
        self._rows = ChangeRows(files)
        lines = self.query_one(LineList)
        lines.reset(self._rows)
        lines.hold_at(0)
        if files:
            lines.select(1)

    def on_line_list_item_opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        if (seq := self._rows.rows[event.index].seq) is not None:
            self.dismiss(Picked(seq=seq))

    def action_comment(self) -> None:
        cursor = self.query_one(LineList).cursor
        if self._commenting and cursor is not None and self._rows.rows[cursor].about:
            self.dismiss(Picked(comment=self._rows.rows[cursor].about))

    def action_file(self, step: int) -> None:
        """To the title of the next file, or of the one before."""
        lines = self.query_one(LineList)
        at = 0 if lines.cursor is None else lines.cursor
        titles = [index for index, row in enumerate(self._rows.rows) if row.right]
        later = (
            [index for index in titles if index > at] if step > 0 else [index for index in titles if index < at][::-1]
        )
        if later:
            lines.select(later[0], center=True)

    def action_close(self) -> None:
        self.dismiss(None)
