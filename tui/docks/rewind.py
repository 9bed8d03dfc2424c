"""Where to go back to: the checkpoints of this branch, newest first, each with what going there does and costs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from core.folds.checkpoints import Checkpoint
from core.folds.file_states import Handwork
from core.folds.view import SessionView
from core.folds.words import one_line
from core.protocols import RestorePreview
from tui.docks.dock import Dock, Keys, title_line
from tui.messages import ForkAsked
from tui.panes import figures
from tui.panes.sheet_lines import MUTED, clip, fit
from tui.rewinding import (
    between,
    fate_words,
    files_words,
    price_words,
    since_words,
    split,
    stays_words,
    way_back,
)
from tui.safe import safe_text

ROWS = 5
"""Checkpoints in sight at once; the list scrolls with the cursor."""
LABEL_CELLS = 40
"""Room that the label has before the times give way."""
LABEL = 9
TALL, FILES = 32, 8
"""Rows of the terminal from which each file has a line of its own, and how many then."""

Ask = Callable[[str, Handwork], Awaitable[RestorePreview]]
"""Computes what restoring a tree would do; may raise, with a sentence."""


@dataclass
class RestorePreviewed(Message):
    """What going back to the checkpoint with this seq would do to the files; or, as a sentence, why that is unknown."""

    seq: int
    preview: RestorePreview | str


class RewindDock(Dock, can_focus=True):
    """Pick with the arrows, then 1 (conversation and files), 2 or 3; nothing happens before one of them is pressed."""

    TITLE = "Rewind"
    KEYS = (("↑↓", "choose"), ("1", "both"), ("2", "conversation"), ("3", "files"), ("esc", "close"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "move(-5)", show=False),
        Binding("pagedown", "move(5)", show=False),
        Binding("h", "by_hand", show=False),
        Binding("b", "branch", show=False),
        Binding("1", "rewind(True, True)", show=False),
        Binding("2", "rewind(True, False)", show=False),
        Binding("3", "rewind(False, True)", show=False),
    ]

    DEFAULT_CSS = "RewindDock { max-height: 24; }"

    def __init__(self, view: SessionView, ask: Ask, now_us: int) -> None:
        super().__init__()
        self._view, self._ask, self._now_us = view, ask, now_us
        self._previews: dict[int, RestorePreview | str] = {}
        self._overwrite = False
        self._checkpoints = view.checkpoints.on_branch()[::-1]
        self._cursor = 0
        self._fault = ""

    def title(self) -> Content:
        return title_line(self.TITLE, "to a checkpoint: the conversation, the files, or both")

    def keys(self) -> Keys:
        by_hand = [("h", "keep by hand" if self._overwrite else "by hand too")] if self._hands else []
        branch = [("b", "branch")] if self._checkpoints else []
        return [*self.KEYS[:-1], *by_hand, *branch, self.KEYS[-1]]

    def body(self) -> ComposeResult:
        width = self._width()
        yield Static(self._list(width), markup=False, classes="dock--list")
        yield Static(self._facts(width), markup=False, classes="dock--facts")

    def on_mount(self) -> None:
        super().on_mount()
        self._compute()

    def on_resize(self) -> None:
        self._draw()

    def _compute(self) -> None:
        """Ask what the chosen checkpoint would do to the files; the answer for another one is no longer wanted."""
        if self._checkpoints and (chosen := self._chosen).tree and chosen.seq not in self._previews:
            self.run_worker(self._tell(chosen, chosen.tree), group="preview", exclusive=True, exit_on_error=False)

    async def _tell(self, chosen: Checkpoint, tree: str) -> None:
        try:
            preview: RestorePreview | str = await self._ask(tree, self._view.file_states.since(chosen.seq))
        except Exception as fault:
            preview = str(fault) or "What would become of the files could not be computed."
        self.post_message(RestorePreviewed(chosen.seq, preview))

    def on_restore_previewed(self, message: RestorePreviewed) -> None:
        message.stop()
        self._previews[message.seq] = message.preview
        if message.seq == self._chosen.seq:
            self._draw()
            self.shown_anew()

    @property
    def _chosen(self) -> Checkpoint:
        return self._checkpoints[self._cursor]

    def action_branch(self) -> None:
        """Go on from the chosen checkpoint in a new session instead."""
        if self._checkpoints:
            self.post_message(ForkAsked(self._chosen.boundary))

    def action_by_hand(self) -> None:
        """Restore what was changed by hand, too, or keep it."""
        self._overwrite = not self._overwrite
        self._draw()

    def action_move(self, steps: int) -> None:
        """Up or down the list."""
        self._fault = ""
        self._cursor = min(max(self._cursor + steps, 0), max(0, len(self._checkpoints) - 1))
        self._draw()
        self._compute()

    def action_rewind(self, conversation: bool, files: bool) -> None:
        """Go back to the chosen checkpoint."""
        if not self._checkpoints:
            return
        chosen = self._chosen
        if files and chosen.tree is None:
            self._fault = "This checkpoint has no snapshot of the files: only 2 is possible."
            self._draw()
            return
        overwrite = {"overwrite": True} if files and self._overwrite and self._hands else {}
        self.give("rewind", to=chosen.boundary, files=files, conversation=conversation, **overwrite)

    @property
    def _hands(self) -> bool:
        """Whether the chosen checkpoint would meet files that were changed by hand."""
        preview = self._previews.get(self._chosen.seq) if self._checkpoints else None
        return isinstance(preview, RestorePreview) and bool(preview.by_hand)

    def _width(self) -> int:
        return max(20, self.app.size.width - 2)

    def _draw(self) -> None:
        self.show_keys()
        self.query_one(".dock--list", Static).update(self._list(self._width()))
        facts = self.query_one(".dock--facts", Static)
        facts.update(self._facts(self._width()))
        facts.set_class(not self._checkpoints, "-empty")

    def _list(self, width: int) -> Content:
        if not self._checkpoints:
            return Content.styled("No checkpoint yet: nothing on this branch has changed a file.", MUTED)
        top = max(0, min(self._cursor - ROWS // 2, len(self._checkpoints) - ROWS))
        shown = range(top, min(top + ROWS, len(self._checkpoints)))
        return Content("\n").join([self._row(index, width) for index in shown])

    def _facts(self, width: int) -> Content:
        if self._fault or not self._checkpoints:
            return Content.styled(self._fault, "$error")
        chosen = self._chosen
        lost = between(self._view, chosen.boundary)
        lines = [labelled("since", since_words(lost), width, "$warning"), *self._files(chosen, width)]
        if stays := stays_words(lost):
            lines.append(labelled("stays", stays, width))
        price = price_words(way_back(self._view, chosen, self._now_us))
        return Content("\n").join([*lines, labelled("price", price, width)])

    def _files(self, chosen: Checkpoint, width: int) -> list[Content]:
        preview = self._previews.get(chosen.seq)
        if chosen.tree is None:
            return [labelled("files", "no snapshot: they stay as they are", width)]
        if preview is None:
            return [labelled("files", "computing what would become of them…", width, MUTED)]
        if isinstance(preview, str):
            return [labelled("files", preview, width, "$warning")]
        lines = file_lines(preview, self._overwrite, width, FILES if self.app.size.height >= TALL else 0)
        skipped = f"{chosen.skipped:,} too big or not covered: they stay" if chosen.skipped else ""
        return [*lines, labelled("", skipped, width, MUTED)] if skipped else lines

    def _row(self, index: int, width: int) -> Content:
        chosen = index == self._cursor
        text = ("▸" if chosen else " ") + checkpoint_line(self._view, self._checkpoints[index], width - 1)
        return Content.styled(fit(text, width), "bold $accent on $cursor-line" if chosen else "")


def checkpoint_line(view: SessionView, checkpoint: Checkpoint, width: int) -> str:
    """A checkpoint in `width` cells: its id, what it stands before, and, as far as there is room, when that was."""
    began_us, now_us = view.timeline.at_us(1), view.timeline.at_us(view.last_seq)
    facts = [
        f"turn {checkpoint.turn:>4}",
        f"{figures.ago(now_us - checkpoint.at_us):>4} ago",
        figures.elapsed(checkpoint.at_us - began_us),
    ]
    while facts and width - 8 - len("  ".join(facts)) < LABEL_CELLS:
        facts.pop()
    when = "  ".join(facts)
    label = safe_text(one_line(checkpoint.label or "no label", 200))
    return f" {fit(checkpoint.id, 5)} {fit(label, width - 9 - len(when))}  {when}"


def labelled(label: str, text: str, width: int, style: str = "") -> Content:
    """A fact on one line."""
    return Content.assemble((label.ljust(LABEL), MUTED), (clip(safe_text(text), width - LABEL), style))


def file_lines(preview: RestorePreview, overwrite: bool, width: int, rows: int) -> list[Content]:
    """What becomes of the files, one a line where there are `rows` for that, and what was changed by hand."""
    calls, hands = split(preview)
    fate = "restored, too" if overwrite else "kept"
    if rows < len(calls) + len(hands) or not preview.files:
        lines = [labelled("files", files_words(calls), width)]
    else:
        count = f"{figures.plural(len(calls), 'file')} would change" if calls else files_words(calls)
        lines = [labelled("files", count, width), *(labelled("", fate_words(one), width) for one in calls)]
    if hands:
        lines.append(
            labelled("by hand", f"{fate}: {files_words(hands)}", width, "$warning" if overwrite else "$success")
        )
    return lines
