"""What the session changed: file by file and hunk by hunk, with the call behind each; a comment becomes guidance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen

from core.changes.course import Author
from core.changes.net import FileDiff, Hunk
from core.journal.errors import JournalError
from core.journal.margin import Margin
from core.workspace.errors import WorkspaceError
from tui.docks.revert import Change
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
Review = Callable[[Sequence[str], bool], Awaitable[Margin]]
"""Marks changes as reviewed, or no more."""


@dataclass(frozen=True, slots=True)
class Picked:
    """Go to event `seq`, say something (`comment` is how the guidance begins), or take a change back."""

    seq: int | None = None
    comment: str = ""
    revert: Change | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line: of a file (its title, with `right`), of an author, or of a hunk. `seq` is whose call it belongs to,
    `about` how a comment on it begins, `prints` are the changes that a mark on it is about."""

    text: str
    style: str = ""
    right: str = ""
    seq: int | None = None
    about: str = ""
    prints: tuple[str, ...] = ()
    change: Change | None = None


class ChangeRows:
    """Every line of the difference, one row each; nothing is styled before it is looked at.

    Of a hunk that was reviewed only its first line is left.
    """

    def __init__(self, files: Sequence[FileDiff] = (), reviewed: Callable[[str], bool] = lambda _: False) -> None:
        self.rows = [row for file in files for row in rows_of(file, reviewed)]

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


def rows_of(file: FileDiff, reviewed: Callable[[str], bool] = lambda _: False) -> list[Row]:
    """A file's title, then each hunk below who made it."""
    prints = tuple(file.fingerprints)
    done = sum(map(reviewed, prints))
    counts = f"+{file.added:,} −{file.removed:,}" + (f"  ✓ {done} of {len(prints)}" if done else "")
    change = Change(file.path, "", _by_hand(file.authors))
    whole = Row("", about=f"On {file.path}: ", prints=prints, change=change)
    rows = [Row(""), replace(whole, text=f"{file.status} {one_line(file.path)}", style="bold $accent", right=counts)]
    rows += [replace(whole, text=f"  {file.note}", style=MUTED)] if file.note else []
    for hunk in file.hunks:
        rows += _hunk_rows(file, hunk, reviewed)
    return rows


def _hunk_rows(file: FileDiff, hunk: Hunk, reviewed: Callable[[str], bool]) -> list[Row]:
    mark = hunk.fingerprint(file.path)
    seq = hunk.authors[-1].seq if hunk.authors else None
    change = Change(file.path, mark, _by_hand(hunk.authors))
    row = Row("", seq=seq, about=_about(file.path, hunk.lines), prints=(mark,), change=change)
    if reviewed(mark):
        return [replace(row, text=f"  ✓ reviewed: {hunk.lines[0].strip()} {_changed(hunk.lines)}", style=MUTED)]
    authors = [replace(row, text=f"  {_named(one)}", style=_style(one), seq=one.seq) for one in hunk.authors]
    lines = [replace(row, text=f"  {line.rstrip()}", style=STYLES.get(line[:1], "")) for line in hunk.lines]
    return [*authors, *lines]


def _by_hand(authors: Sequence[Author]) -> bool:
    return any(author.kind == "hand" for author in authors)


def _changed(lines: Sequence[str]) -> str:
    return f"+{sum(line.startswith('+') for line in lines)} −{sum(line.startswith('-') for line in lines)}"


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
    """Dismissed with what was chosen. `read` compares the files, which takes a moment; `review` marks changes."""

    DEFAULT_CSS = """
    ChangesScreen { background: $surface; }
    ChangesScreen .changes--title { padding: 0 1; background: $panel; }
    ChangesScreen LineList { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,D", "close", "close", show=False),
        Binding("c", "comment", "comment", show=False),
        Binding("r", "revert", "revert", show=False),
        Binding("space", "review", "reviewed", show=False),
        Binding("n", "file(1)", "next file", show=False),
        Binding("N", "file(-1)", "file before", show=False),
    ]

    def __init__(self, read: Read, *, commenting: bool, margin: Margin, review: Review) -> None:
        super().__init__()
        self._read, self._commenting, self._margin, self._review = read, commenting, margin, review
        self._files: Sequence[FileDiff] = ()
        self._rows = ChangeRows()

    def compose(self) -> ComposeResult:
        with Vertical():
            yield LiveLabel("Changes: comparing the files…", classes="changes--title")
            yield LineList(self._rows)
            yield HintBar()

    def on_mount(self) -> None:
        hints = [("enter", "its call", ""), ("n", "next file", "screen.file(1)")]
        hints += [("space", "reviewed", "screen.review"), ("esc", "close", "screen.close")]
        steer = [("c", "comment to the agent", "screen.comment"), ("r", "revert", "screen.revert")]
        hints += steer if self._commenting else []
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
        self._files = files
        self._show()
        if files:
            self.query_one(LineList).select(1)

    def _show(self) -> None:
        files, prints = self._files, [one for file in self._files for one in file.fingerprints]
        added, removed = sum(file.added for file in files), sum(file.removed for file in files)
        done = sum(map(self._margin.has_reviewed, prints))
        told = f"{len(files):,} files, +{added:,} −{removed:,}, {done:,} of {len(prints):,} changes reviewed"
        self.query_one(".changes--title", LiveLabel).update(f"Changes: {told if files else NOTHING}")
        self._rows = ChangeRows(files, self._margin.has_reviewed)
        lines = self.query_one(LineList)
        lines.reset(self._rows)
        lines.hold_at(0)

    async def action_review(self) -> None:
        """Mark the change under the cursor as reviewed (on a file's title all of the file), or no more; then go on."""
        lines = self.query_one(LineList)
        row = None if lines.cursor is None else self._rows.rows[lines.cursor]
        if row is None or not row.prints:
            return
        done = not all(map(self._margin.has_reviewed, row.prints))
        try:
            self._margin = await self._review(row.prints, done)
        except JournalError as fault:
            self.query_one(".changes--title", LiveLabel).update(one_line(str(fault)))
            return
        self._show()
        lines.select(next(at for at, other in enumerate(self._rows.rows) if other.prints == row.prints), center=True)

    def on_line_list_item_opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        if (seq := self._rows.rows[event.index].seq) is not None:
            self.dismiss(Picked(seq=seq))

    def action_comment(self) -> None:
        cursor = self.query_one(LineList).cursor
        if self._commenting and cursor is not None and self._rows.rows[cursor].about:
            self.dismiss(Picked(comment=self._rows.rows[cursor].about))

    def action_revert(self) -> None:
        """Take back the hunk under the cursor; on the title of a file all that was changed in it."""
        cursor = self.query_one(LineList).cursor
        if self._commenting and cursor is not None and self._rows.rows[cursor].change is not None:
            self.dismiss(Picked(revert=self._rows.rows[cursor].change))

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
