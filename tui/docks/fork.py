"""Going on from a moment in a new session, which changes nothing here: what it will have, and its name."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from core.folds.view import SessionView
from tui.docks.dock import LineDock, title_line
from tui.messages import DockClosed, ForkGiven
from tui.panes import figures
from tui.panes.sheet_lines import MUTED


def fork_facts(view: SessionView, seq: int) -> str:
    """What a fork after event `seq` shares with this session, and what it does not."""
    spent = figures.usd(view.costs.total.at(seq).usd)
    return (
        "Its conversation is this one up to there; its files are those of that moment, in a worktree or a copy beside "
        f"the workspace. This session stays as it is, and the {spent} spent until there count here."
    )


class ForkDock(LineDock):
    """The name of the new session; enter makes it."""

    TITLE = "Branch into a new session"
    PLACEHOLDER = "its name"
    KEYS = (("enter", "branch"), ("esc", "close"))

    def __init__(self, view: SessionView, seq: int) -> None:
        super().__init__(f"{view.state.name}-fork")
        self._seq, self._facts = seq, fork_facts(view, seq)

    def title(self) -> Content:
        return title_line(self.TITLE, f"from #{self._seq:,} on")

    def body(self) -> ComposeResult:
        yield Static(Content.styled(self._facts, MUTED), markup=False)
        yield from super().body()

    def submit(self, text: str) -> None:
        if not text:
            raise ValueError("Write the name by which the new session is to be found.")
        self.post_message(ForkGiven(self._seq, text))
        self.post_message(DockClosed())
