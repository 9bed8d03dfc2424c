"""Going on with a branch that was left: what becomes of the files, and of where the session stands now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from core.folds.branch_tree import Branch
from core.folds.file_states import Handwork
from core.folds.view import SessionView
from core.protocols import RestorePreview
from tui.branching import left_words
from tui.docks.dock import Dock, Keys, LineDock, title_line
from tui.docks.rewind import FILES, TALL, RestorePreviewed, file_lines, labelled
from tui.panes.sheet_lines import MUTED
from tui.rewinding import between, price_words, stays_words, way_to
from tui.safe import one_line

Ask = Callable[[str, Handwork], Awaitable[RestorePreview]]


class SwitchDock(Dock, can_focus=True):
    """1 goes there with the files as they were when the branch was left, 2 with the files as they are."""

    TITLE = "Go on with"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "switch(True)", show=False),
        Binding("2", "switch(False)", show=False),
        Binding("h", "by_hand", show=False),
    ]

    def __init__(self, view: SessionView, branch: Branch, ask: Ask, now_us: int) -> None:
        super().__init__()
        self._view, self._branch, self._ask, self._now_us = view, branch, ask, now_us
        self._tree = view.file_states.known(branch.left)
        self._preview: RestorePreview | str | None = None
        self._overwrite = False

    def title(self) -> Content:
        return title_line(self.TITLE, one_line(f"{self._branch.number}  {self._branch.title}"))

    def keys(self) -> Keys:
        by_hand = [("h", "keep by hand" if self._overwrite else "by hand too")] if self._hands else []
        both = [("1", "conversation and files")] if self._tree else []
        return [*both, ("2", "conversation"), *by_hand, ("esc", "close")]

    def body(self) -> ComposeResult:
        yield Static(self._facts(), markup=False, classes="dock--facts")

    def on_mount(self) -> None:
        super().on_mount()
        if self._tree is not None:
            self.run_worker(self._tell(self._tree), exit_on_error=False)

    async def _tell(self, tree: str) -> None:
        try:
            preview: RestorePreview | str = await self._ask(tree, self._view.file_states.since(self._branch.left))
        except Exception as fault:
            preview = str(fault) or "What would become of the files could not be computed."
        self.post_message(RestorePreviewed(self._branch.left, preview))

    def on_restore_previewed(self, message: RestorePreviewed) -> None:
        message.stop()
        self._preview = message.preview
        self._draw()
        self.shown_anew()

    def action_by_hand(self) -> None:
        """Restore what was changed by hand, too, or keep it."""
        self._overwrite = not self._overwrite
        self._draw()

    def action_switch(self, files: bool) -> None:
        """Go there."""
        if files and self._tree is None:
            return
        args: dict[str, Any] = {} if files else {"files": False}
        overwrite = {"overwrite": True} if files and self._overwrite and self._hands else {}
        self.give("switch", branch=self._branch.number, **args, **overwrite)

    @property
    def _hands(self) -> bool:
        return isinstance(self._preview, RestorePreview) and bool(self._preview.by_hand)

    def _draw(self) -> None:
        self.show_keys()
        self.query_one(".dock--facts", Static).update(self._facts())

    def _facts(self) -> Content:
        width = max(20, self.app.size.width - 2)
        parting = self._view.branches.parting(self._branch.tip)
        lost = between(self._view, parting)
        lines = [labelled("leaves", f"{left_words(self._view, parting)}; they stay as a branch", width)]
        lines += self._files(width)
        if stays := stays_words(lost):
            lines.append(labelled("stays", stays, width))
        price = price_words(way_to(self._view, self._branch.tip, self._branch.left, self._now_us))
        return Content("\n").join([*lines, labelled("price", price, width)])

    def _files(self, width: int) -> list[Content]:
        if self._tree is None:
            return [labelled("files", "no snapshot: they stay as they are", width)]
        if self._preview is None:
            return [labelled("files", "computing what would become of them…", width, MUTED)]
        if isinstance(self._preview, str):
            return [labelled("files", self._preview, width, "$warning")]
        return file_lines(self._preview, self._overwrite, width, FILES if self.app.size.height >= TALL else 0)


class BranchNameDock(LineDock):
    """What a branch is called from now on."""

    TITLE = "Name of branch"
    VERB = "name-branch"

    def __init__(self, branch: Branch) -> None:
        super().__init__(branch.name)
        self._branch = branch

    def title(self) -> Content:
        return title_line(f"{self.TITLE} {self._branch.number}")

    def accept(self, text: str) -> dict[str, Any]:
        if not text:
            raise ValueError("Write the name by which the branch is to be found.")
        return {"branch": self._branch.number, "text": text}
