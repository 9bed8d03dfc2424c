"""Every key and what it does, from the one registry of actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from tui.actions import ACTIONS, Action, display
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel
from tui.widgets.wrapping import fit, line_count, wrap

KEY_CELLS = 12
LABEL_CELLS = 17
SENTENCE_AT = KEY_CELLS + LABEL_CELLS
IN_LISTS = (
    ("↑ ↓  j k", "move", "Select the item above or below; the list is held there."),
    ("PgUp PgDn", "page", "A page up or down."),
    ("^u ^d", "half a page", "Half a page up or down."),
    ("Home", "first", "To the first item."),
    ("End  G", "follow", "Show the end of the list and move with it."),
    ("shift+drag", "copy", "Select with the terminal's own selection while the mouse is in use here."),
)


class HelpScreen(ModalScreen[None]):
    """A list that scrolls; `escape` closes it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen > Vertical { width: 100%; max-width: 110; height: 92%; background: $surface; border: round $primary; }
    HelpScreen .help--title { padding: 0 1; text-style: bold; color: $primary; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1", "close", "close", show=False)]

    def __init__(self, keys: Callable[[Action], tuple[str, ...]] = lambda action: action.keys) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        with Vertical():
            yield LiveLabel("Keys", classes="help--title")
            yield LineList(HelpRows(list(help_entries(self._keys))))
            yield HintBar()

    def on_mount(self) -> None:
        self.query_one(HintBar).show((Hint("esc", "close", "screen.close"), Hint("↑↓", "scroll", "")))
        self.query_one(LineList).focus()
        self.call_after_refresh(self.query_one(LineList).hold_at, 0)

    def action_close(self) -> None:
        self.dismiss(None)


Entry = tuple[Content, str]
"""What stands at the left, and the sentence beside it."""


class HelpRows:
    """Entries as rows: a sentence that needs more lines goes on under itself."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def text(self, index: int) -> str:
        left, sentence = self._entries[index]
        return f"{left.plain}{sentence}".strip()

    def height(self, index: int, width: int) -> int:
        return line_count(self._entries[index][1], max(1, width - SENTENCE_AT))

    def render(self, index: int, width: int) -> list[Content]:
        left, sentence = self._entries[index]
        first, *more = wrap(Content.styled(sentence, "$muted"), max(1, width - SENTENCE_AT))
        return [left + first, *(Content(" " * SENTENCE_AT) + line for line in more)]


def help_entries(keys: Callable[[Action], tuple[str, ...]]) -> Iterable[Entry]:
    """A title for each group, an entry for each action: key, label, what it does."""
    for group, actions in groupby(ACTIONS, key=lambda action: action.group):
        yield from _group(group, [(" ".join(map(display, keys(a))), a.label, a.help) for a in actions])
    yield from _group("In lists", IN_LISTS)


def _group(title: str, rows: Iterable[tuple[str, str, str]]) -> Iterable[Entry]:
    yield Content.styled(title, "bold $primary"), ""
    for key, label, help in rows:
        yield fit(Content.styled(f"  {key}", "$hint-key"), KEY_CELLS) + fit(Content(label), LABEL_CELLS), help
    yield Content(""), ""
