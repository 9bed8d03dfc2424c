"""A label for a live number: no markup, no layout, and nothing written when nothing changed."""

from __future__ import annotations

from textual.content import Content
from textual.visual import VisualType
from textual.widgets import Static

from tui.safe import safe_text


class LiveLabel(Static):
    """Text in a place of fixed size: a layout pass for each update would cost a hundred times more."""

    DEFAULT_CSS = """
    LiveLabel { height: 1; width: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(
        self, text: str | Content = "", *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(_content(text), markup=False, name=name, id=id, classes=classes)

    def update(self, content: VisualType = "", *, layout: bool = False) -> None:
        """Show `content`, if it differs from what is shown."""
        new = _content(content) if isinstance(content, str | Content) else content
        old = self.content
        if isinstance(new, Content) and isinstance(old, Content) and new.is_same(old):
            return
        super().update(new, layout=layout)


def _content(text: str | Content) -> Content:
    return text if isinstance(text, Content) else Content(safe_text(text))
