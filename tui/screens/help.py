"""Every key and what it does, from the one registry of actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from tui.actions import ACTIONS, Action, display
from tui.widgets.hint_bar import Hint, HintBar
from tui.widgets.line import Line
from tui.widgets.line_list import LineList
from tui.widgets.live_label import LiveLabel
from tui.widgets.wrapping import fit, line_count, wrap

KEY_CELLS = 13
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


SCROLLING = {"up": -0.1, "down": 0.1, "pageup": -1.0, "pagedown": 1.0}
"""Keys that move the list while one writes, and by how many pages."""
NOTHING = "No key and no action has all these words. esc shows all of them again."


class HelpScreen(ModalScreen[None]):
    """A list that scrolls and gets shorter as one types; `escape` shows all of it again, then closes it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen > Vertical { width: 100%; max-width: 110; height: 92%; background: $surface; border: round $primary; }
    HelpScreen .help--title { padding: 0 1; text-style: bold; color: $primary; }
    HelpScreen Line { margin: 0 1 1 1; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", show=False),
        Binding("question_mark,f1", "dismiss", "close", show=False, priority=True),
        *(Binding(key, f"scroll({pages})", show=False) for key, pages in SCROLLING.items()),
    ]

    def __init__(self, keys: Callable[[Action], tuple[str, ...]] = lambda action: action.keys) -> None:
        super().__init__()
        self._keys = keys
        self._all = sum(len(rows) for _, rows in _sections(keys))

    def compose(self) -> ComposeResult:
        with Vertical():
            yield LiveLabel("Keys", classes="help--title")
            yield Line(placeholder="words of what you look for")
            yield LineList(HelpRows(list(help_entries(self._keys))))
            yield HintBar()

    def on_mount(self) -> None:
        self.query_one(HintBar).show((Hint("esc", "close", "screen.close"), Hint("↑↓ PgUp PgDn", "scroll", "")))
        self.query_one(LineList).say_when_empty(NOTHING)
        self.query_one(Line).focus()
        self._show_count(self._all)
        self.call_after_refresh(self.query_one(LineList).hold_at, 0)

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        """Only what has all the words in its key, its name or its sentence."""
        event.stop()
        entries = list(help_entries(self._keys, event.value))
        lines = self.query_one(LineList)
        lines.reset(HelpRows(entries))
        lines.hold_at(0)
        self._show_count(sum(bool(sentence) for _, sentence in entries))

    def _show_count(self, shown: int) -> None:
        count = "" if shown == self._all else f"{shown} found"
        self.query_one(".help--title", LiveLabel).update(Content.assemble("Keys  ", (count, "$muted")))

    def action_scroll(self, pages: float) -> None:
        self.query_one(LineList).action_page(pages)

    def action_close(self) -> None:
        """Show everything again, or close."""
        words = self.query_one(Line)
        if words.value:
            words.value = ""
        else:
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


Row = tuple[str, str, str]
"""The keys, the label, what it does."""


def _sections(keys: Callable[[Action], tuple[str, ...]]) -> Iterable[tuple[str, list[Row]]]:
    for group, actions in groupby(ACTIONS, key=lambda action: action.group):
        yield group, [(" ".join(map(display, keys(action))), action.label, action.help) for action in actions]
    yield "In lists", list(IN_LISTS)


def help_entries(keys: Callable[[Action], tuple[str, ...]], words: str = "") -> Iterable[Entry]:
    """A title for each group, an entry for each action of it that has all the words: key, label, what it does."""
    wanted = words.lower().split()
    for group, rows in _sections(keys):
        found = [row for row in rows if _has(wanted, group, row)]
        if found:
            yield Content.styled(group, "bold $primary"), ""
            for key, label, help in found:
                left = fit(Content.styled(f"  {key}", "$hint-key"), KEY_CELLS)
                yield left + fit(Content(label), LABEL_CELLS), help
            yield Content(""), ""


def _has(wanted: Sequence[str], group: str, row: Row) -> bool:
    """Keys are single letters: a letter alone means a key."""
    if len(wanted) == 1 and len(wanted[0]) == 1:
        return wanted[0] in row[0].lower().split()
    text = f"{group} {' '.join(row)}".lower()
    return all(word in text for word in wanted)
