"""What can be done here, on one line. Clicking a hint does it.

Textual's `Footer` makes a widget per key, and leaks them; this is one line, repainted only when it reads differently.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from textual.content import Content
from textual.style import Style

from tui.safe import one_line
from tui.widgets.live_label import LiveLabel

_GAP = "  "


class Hint(Struct, frozen=True):
    """`action` is Textual's, with its namespace: `screen.pause`, `app.help`."""

    key: str
    label: str
    action: str


class HintBar(LiveLabel):
    """Shows as many hints as fit, first come first; `note` stands on the left before them."""

    DEFAULT_CSS = """
    HintBar { height: 1; width: 100%; padding: 0 1; background: $panel; color: $hint-label; }
    """

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.auto_links = False  # A hint is no link: it keeps its own colours.
        self._hints: Sequence[Hint] = ()
        self._note = Content("")

    def show(self, hints: Sequence[Hint], note: str | Content = "") -> None:
        """Show these hints, the most important first."""
        self._hints = hints
        self._note = note if isinstance(note, Content) else Content(one_line(note))
        self._compose_line()

    def on_resize(self) -> None:
        self._compose_line()

    def _compose_line(self) -> None:
        line, room = self._note, self.size.width - self._note.cell_length
        for hint in self._hints:
            part = hint_content(hint)
            gap = _GAP if line.cell_length else ""
            room -= part.cell_length + len(gap)
            if room < 0:
                break
            line = Content.assemble(line, gap, part)
        self.update(line)


def hint_content(hint: Hint) -> Content:
    """One hint: the key, then its label; the whole of it is clickable."""
    click = Style.from_meta({"@click": hint.action})
    text = Content.assemble((one_line(hint.key), "bold $hint-key"), " ", (one_line(hint.label), "$hint-label"))
    return text.stylize(click)
