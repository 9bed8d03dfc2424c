"""What the agent wrote down to remember, as it was known at the moment that is shown."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

from textual.content import Content

from core.folds.memories import Entry
from core.folds.memory_use import Use
from core.folds.view import Changes, SessionView
from tui.panes import figures
from tui.panes.pane import foreign
from tui.panes.sheet import Sheet, SheetBody
from tui.panes.sheet_lines import MUTED, Later, heading, paragraph, sentence, spread
from tui.safe import one_line, safe_text
from tui.widgets.recent import Recent

MOST = 300
"""Entries of a kind that are drawn, the newest; the others are counted."""

ROOMY = 56
"""From this width on an entry says what it was good for, what it cost and where it was written."""

EMPTY = "Nothing remembered yet. The agent writes down what must outlive its context; W writes an entry of yours."

UNTOLD = "The transcript tells of no memory. 1 shows what was said, 2 what was done."
KEEPING = "“keep memory” in the palette makes one known here, or `longwatch send SESSION keep ID`."


Texts = Recent[tuple[str, str, int], list[Content]]
"""What entries say, as it is drawn: by text, style and width."""


class MemoryPane(Sheet):
    """Entries, the newest first; pinned ones are marked, and below them what abandoned branches wrote.

    A cursor moves over the entries. `vary` shows those of one category after the other.
    """

    CONCERNS = Changes.MEMORY | Changes.CONTEXT | Changes.BRANCH
    LABEL = "Memory"

    def __init__(self, *, id: str, key: str = "") -> None:
        super().__init__(id=id, key=key)
        self._category = ""
        self._rows: dict[Hashable, int] = {}
        self._texts: Texts = Recent(2 * MOST)

    def summary(self, view: SessionView, at: int | None) -> str:
        return str(len(view.memories.known(at)) or "")

    def note(self, view: SessionView, at: int | None) -> str:
        hidden = len(view.memories.hidden(at))
        parts = [f"only {one_line(self._category)}" if self._category else "", f"{hidden} hidden" if hidden else ""]
        return " · ".join(part for part in parts if part)

    def lines(self, view: SessionView, at: int | None, width: int) -> Sequence[Content]:
        known, hidden = self._shown(view.memories.known(at)), self._shown(view.memories.hidden(at))
        now_us = view.timeline.at_us(at or view.last_seq)
        sheet = _Entries(lambda entry: view.memory_use.of(entry, at), now_us, width, self._texts)
        if known:
            sheet.put(known)
        else:
            sheet.lines += sentence(UNTOLD if foreign(view) else EMPTY, width)
        if hidden:
            sheet.lines += [Content(""), heading(f"hidden with abandoned branches: {len(hidden):,}")]
            sheet.lines += sentence(KEEPING, width)
            sheet.put(hidden, faded=True)
        self._rows = sheet.rows
        return Later(len(sheet.lines), sheet.made)

    def stops(self) -> Mapping[Hashable, int]:
        return self._rows

    def vary(self) -> None:
        """All entries, then those of each category that there is, and round again."""
        entries = self.view.memories.known(self.at) if self.view else ()
        categories = ["", *dict.fromkeys(entry.category for entry in reversed(entries))]
        place = categories.index(self._category) if self._category in categories else 0
        self._category = categories[(place + 1) % len(categories)]
        self.redraw()

    @property
    def chosen(self) -> Entry | None:
        """The entry under the cursor."""
        name = self.query_one(SheetBody).chosen
        return self.view.memories.get(str(name)) if self.view and name is not None else None

    def _shown(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        return [entry for entry in entries if entry.category == self._category] if self._category else entries


class _Entries:
    """Lines in the making, with the row at which each entry begins."""

    def __init__(self, use: Callable[[Entry], Use], now_us: int, width: int, texts: Texts) -> None:
        self.lines: list[Content | Callable[[], Content]] = []
        self.rows: dict[Hashable, int] = {}
        self._use, self._now_us, self._width, self._texts = use, now_us, width, texts

    def made(self, row: int) -> Content:
        """A line, once somebody looks at it."""
        line = self.lines[row]
        return line if isinstance(line, Content) else line()

    def put(self, entries: Sequence[Entry], *, faded: bool = False) -> None:
        """The newest entries, and how many older ones there are."""
        for entry in reversed(entries[-MOST:]):
            self.rows[entry.id] = len(self.lines)
            self.lines += [partial(self._title, entry, faded), *self._text(entry.text, MUTED if faded else "")]
        if len(entries) > MOST:
            self.lines += sentence(f"… and {len(entries) - MOST:,} older", self._width)

    def _title(self, entry: Entry, faded: bool) -> Content:
        return title_line(entry, self._use(entry), self._now_us, self._width, faded=faded)

    def _text(self, text: str, style: str) -> list[Content]:
        key = (text, style, self._width)
        lines = self._texts.get(key)
        if lines is None:
            lines = paragraph(safe_text(text), self._width, indent=2, style=style)
            self._texts.set(key, lines)
        return lines


def title_line(entry: Entry, use: Use, now_us: int, width: int, *, faded: bool = False) -> Content:
    """Category, topic, scope, uses, rent and age; all in grey when `faded`."""
    marks = [mark for mark, given in (("pinned", entry.pinned), ("project", entry.scope == "project")) if given]
    marks += [f"for {one_line(entry.replaces)}"] if entry.replaces else []
    title = Content.assemble(
        ("◆ " if entry.pinned else "· ", "$warning" if entry.pinned and not faded else MUTED),
        (one_line(entry.category), MUTED if faded else "$memory"),
        (f"  {one_line(entry.topic)}" if entry.topic else "", MUTED if faded else "bold"),
        ("".join(f"  {mark}" for mark in marks), MUTED),
    )
    facts = [one_line(entry.id), figures.ago(now_us - entry.at_us)]
    if width >= ROOMY:
        facts = [*_worth(use), f"#{entry.seq:,}", *facts]
    return spread(title, Content.styled("  ".join(facts), MUTED), width)


def _worth(use: Use) -> list[str]:
    """How often it was of use, and what carrying it cost, as far as there is something to say."""
    rent = f"rent {figures.usd(round(use.usd, 4))}" if use.usd else "carried" if use.carried else ""
    return [fact for fact in (figures.plural(use.uses, "use") if use.uses else "", rent) if fact]
