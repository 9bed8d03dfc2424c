"""What all panes share: one public `show`, a title line, sleep while hidden, and a wall against their own mistakes."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.widgets import Static

from core.events import IMPORTED
from core.folds.view import Changes, SessionView
from tui.panes.sheet_lines import MUTED, spread
from tui.widgets.live_label import LiveLabel


class PaneTitle(LiveLabel):
    """One line: the pane's key and name, its figure, and a note at the right end. Never costs a layout."""

    DEFAULT_CSS = """
    PaneTitle { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._parts = ("", "", "")
        self._front = False

    def set_parts(self, name: str, figure: str, note: str) -> None:
        """Show these; nothing is drawn when they are the same."""
        if (name, figure, note) != self._parts:
            self._parts = (name, figure, note)
            self._draw()

    def set_front(self, front: bool) -> None:
        """Whether keys go to this pane: its name stands out then, as the chosen tab does; few cells, seen at once."""
        if front != self._front:
            self._front = front
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        name, figure, note = self._parts
        style = "bold $front-foreground on $front-background" if self._front else "bold"
        left = Content.assemble((name, style), (f"  {figure}" if figure else "", "$primary"))
        self.update(spread(left, Content.styled(note, MUTED), self.content_size.width))


READING = "Reading the session …"
"""What a pane says before anything of the log is known."""


def foreign(view: SessionView) -> bool:
    """Whether the session was another tool's: what its transcript does not tell, nobody knows."""
    opened = view.state.opened
    return opened is not None and opened.profile == IMPORTED


class Pane(Vertical):
    """A slice of the view on the screen. Subclasses draw; an exception while drawing is shown and goes no further."""

    CONCERNS: ClassVar[Changes] = Changes.ALL
    LABEL: ClassVar[str] = ""

    DEFAULT_CSS = """
    Pane { height: 1fr; width: 1fr; }
    Pane > .pane--fault { display: none; height: auto; padding: 1; color: $error; }
    Pane.-broken > * { display: none; }
    Pane.-broken > PaneTitle, Pane.-broken > .pane--fault { display: block; }
    """

    def __init__(self, *, id: str, key: str = "") -> None:
        super().__init__(id=id)
        self._key = key
        self._view: SessionView | None = None
        self._at: int | None = None
        self._missed = Changes.NONE
        self._drawn_for: Size | None = None

    def compose(self) -> ComposeResult:
        yield PaneTitle()
        yield Static("", markup=False, classes="pane--fault")

    @property
    def view(self) -> SessionView | None:
        """What was shown last; None before the first time."""
        return self._view

    @property
    def at(self) -> int | None:
        return self._at

    def show(self, view: SessionView, at: int | None, changes: Changes) -> None:
        """Show `view` as of event `at` (None: now), given what changed since the last time."""
        moved = view is not self._view or at != self._at
        self._view, self._at = view, at
        self._missed |= Changes.ALL if moved else changes
        self._catch_up()

    def bring_to_front(self, front: bool) -> None:
        """Keys go to this pane, or no more."""
        self.query_one(PaneTitle).set_front(front)

    def summary(self, view: SessionView, at: int | None) -> str:
        """The pane's figure, for its title and its tab."""
        return ""

    def note(self, view: SessionView, at: int | None) -> str:
        """What stands at the right end of the title."""
        return ""

    def draw(self, view: SessionView, at: int | None, changes: Changes) -> None:
        """Bring the widgets up to date."""
        raise NotImplementedError

    def vary(self) -> None:
        """Show the same in another way; nothing, where there is only one."""

    def redraw(self) -> None:
        """Draw again what is shown, whatever changed."""
        self._missed = Changes.ALL
        self._catch_up()

    def on_show(self) -> None:
        self._fit()

    def on_resize(self, event: events.Resize) -> None:
        self._fit()

    def _fit(self) -> None:
        """What was drawn for this size already stays: a screen that opens tells of its size more than once."""
        if self.size == self._drawn_for:
            self._catch_up()
        else:
            self.redraw()

    def _catch_up(self) -> None:
        """Draw what was missed; after a fault all of that stays missed, to be tried again with the next change."""
        if self._view is None or not self._missed or not self.size.area:
            return
        changes, self._missed = self._missed, Changes.NONE
        self._drawn_for = self.size
        try:
            if changes & (self.CONCERNS | Changes.STATUS):
                self.draw_title(self._view, self._at)
            if changes & self.CONCERNS:
                self.draw(self._view, self._at, changes)
        except Exception as fault:
            self._missed |= changes
            self.report_fault(fault)
        else:
            self.remove_class("-broken")

    def draw_title(self, view: SessionView, at: int | None) -> None:
        """Name, figure and note."""
        title = self.query_one(PaneTitle)
        title.set_parts(f"{self._key} {self.LABEL}".strip(), self.summary(view, at), self.note(view, at))

    def report_fault(self, fault: Exception) -> None:
        """Say in the pane's own place that it could not be drawn; everything else goes on."""
        place = f"#{self._at}" if self._at is not None else "now"
        why = f"{type(fault).__name__}: {fault}"
        text = f"This pane could not be drawn ({why}) as of {place}. The others go on, and it is tried again."
        self.query_one(".pane--fault", Static).update(Content(text))
        self.add_class("-broken")
