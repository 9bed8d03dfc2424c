"""What the agent wrote down to remember, as it was known at the moment that is shown."""

from __future__ import annotations

from textual.content import Content

from core.folds.memories import Entry
from core.folds.view import Changes, SessionView
from tui.panes import figures
from tui.panes.sheet import Sheet
from tui.panes.sheet_lines import MUTED, heading, paragraph, sentence, spread
from tui.safe import one_line, safe_text

MOST = 300
"""Entries of a kind that are drawn, the newest; the others are counted."""

KEEPING = "“keep memory” in the palette makes one known here, or `longwatch send SESSION keep ID`."


class MemoryPane(Sheet):
    """Entries, the newest first; pinned ones are marked, and below them what abandoned branches wrote."""

    CONCERNS = Changes.MEMORY | Changes.BRANCH
    LABEL = "Memory"

    def summary(self, view: SessionView, at: int | None) -> str:
        return str(len(view.memories.known(at)) or "")

    def note(self, view: SessionView, at: int | None) -> str:
        hidden = len(view.memories.hidden(at))
        return f"{hidden} hidden" if hidden else ""

    def lines(self, view: SessionView, at: int | None, width: int) -> list[Content]:
        known, hidden = view.memories.known(at), view.memories.hidden(at)
        now_us = view.timeline.at_us(at or view.last_seq)
        lines = _listed(known, now_us, width) or sentence("Nothing remembered yet.", width)
        if hidden:
            lines += [Content(""), heading(f"hidden with abandoned branches: {len(hidden):,}")]
            lines += sentence(KEEPING, width)
            lines += _listed(hidden, now_us, width, faded=True)
        return lines


def entry_lines(entry: Entry, now_us: int, width: int, *, faded: bool = False) -> list[Content]:
    """Category, topic, scope and age on one line, the text below; all in grey when `faded`."""
    marks = [mark for mark, given in (("pinned", entry.pinned), ("project", entry.scope == "project")) if given]
    marks += [f"for {one_line(entry.replaces)}"] if entry.replaces else []
    title = Content.assemble(
        ("◆ " if entry.pinned else "· ", "$warning" if entry.pinned and not faded else MUTED),
        (one_line(entry.category), MUTED if faded else "$memory"),
        (f"  {one_line(entry.topic)}" if entry.topic else "", MUTED if faded else "bold"),
        ("".join(f"  {mark}" for mark in marks), MUTED),
    )
    age = Content.styled(f"{one_line(entry.id)}  {figures.ago(now_us - entry.at_us)}", MUTED)
    style = MUTED if faded else ""
    return [spread(title, age, width), *paragraph(safe_text(entry.text), width, indent=2, style=style)]


def _listed(entries: list[Entry], now_us: int, width: int, *, faded: bool = False) -> list[Content]:
    """The newest entries, and how many older ones there are."""
    shown = list(reversed(entries[-MOST:]))
    lines = [line for entry in shown for line in entry_lines(entry, now_us, width, faded=faded)]
    older = len(entries) - len(shown)
    return lines + (sentence(f"… and {older:,} older", width) if older else [])
