"""What the agent wrote down to remember, as it was known at the moment that is shown."""

from __future__ import annotations

from textual.content import Content

from core.folds.memories import Entry
from core.folds.view import Changes, SessionView
from tui.panes import figures
from tui.panes.sheet import Sheet
from tui.panes.sheet_lines import MUTED, paragraph, sentence, spread
from tui.safe import safe_text


class MemoryPane(Sheet):
    """Entries, the newest first; pinned ones are marked."""

    CONCERNS = Changes.MEMORY | Changes.BRANCH
    LABEL = "Memory"

    def summary(self, view: SessionView, at: int | None) -> str:
        return str(len(view.memories.known(at)) or "")

    def lines(self, view: SessionView, at: int | None, width: int) -> list[Content]:
        entries = view.memories.known(at)
        if not entries:
            return sentence("Nothing remembered yet.", width)
        now_us = view.timeline.at_us(at or view.last_seq)
        return [line for entry in reversed(entries) for line in entry_lines(entry, now_us, width)]


def entry_lines(entry: Entry, now_us: int, width: int) -> list[Content]:
    """Category, topic and age on one line, the text below."""
    title = Content.assemble(
        ("◆ " if entry.pinned else "· ", "$warning" if entry.pinned else MUTED),
        (safe_text(entry.category), "$memory"),
        (f"  {safe_text(entry.topic)}" if entry.topic else "", "bold"),
        ("  pinned" if entry.pinned else "", MUTED),
    )
    age = Content.styled(f"{entry.id}  {figures.ago(now_us - entry.at_us)}", MUTED)
    return [spread(title, age, width), *paragraph(safe_text(entry.text), width, indent=2)]
