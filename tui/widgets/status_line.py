"""A line of fields of fixed width, each updated on its own.

A number that ticks moves nothing around it, asks for no layout, and writes only itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.safe import one_line
from tui.widgets.painting import Painter
from tui.widgets.wrapping import fit

_SEPARATOR = " │ "


@dataclass(frozen=True, slots=True)
class Field:
    """`width` in cells; `rank` 1 stays longest when the line is too narrow; `grow` takes what is left over."""

    name: str
    width: int
    rank: int = 5
    right: bool = False
    grow: bool = False


def placed(fields: Sequence[Field], width: int) -> list[tuple[Field, int, int]]:
    """(field, first cell, width) of the fields that fit into `width`, in their order."""
    kept: list[Field] = []
    needed = 0
    for one in sorted(fields, key=lambda one: one.rank):
        extra = one.width + (len(_SEPARATOR) if kept else 0)
        if needed + extra <= width:
            kept.append(one)
            needed += extra
    spare = width - needed
    places, x = [], 0
    for one in (one for one in fields if one in kept):
        wide = one.width + (spare if one.grow else 0)
        spare = 0 if one.grow else spare
        places.append((one, x, wide))
        x += wide + len(_SEPARATOR)
    return places


class StatusLine(Widget):
    """`set("cost", "$1.23")` changes one field; unknown names are errors of the program."""

    DEFAULT_CSS = """
    StatusLine { height: 1; width: 100%; padding: 0 1; background: $panel; color: $foreground; }
    """

    def __init__(
        self, fields: Sequence[Field], *, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._fields = tuple(fields)
        self._values = {one.name: Content("") for one in fields}
        self._places: list[tuple[Field, int, int]] = []
        self._painter = Painter()

    def set(self, name: str, value: str | Content) -> None:
        """Show `value` in the field called `name`.

        Raises:
            KeyError: there is no such field.
        """
        content = value if isinstance(value, Content) else Content(one_line(value))
        if self._values[name].is_same(content):
            return
        self._values[name] = content
        for one, x, width in self._places:
            if one.name == name:
                self.refresh(Region(x + self.gutter.left, 0, width, 1))

    def value(self, name: str) -> str:
        """What a field says."""
        return self._values[name].plain

    def on_resize(self) -> None:
        self._places = placed(self._fields, self.size.width)
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget()

    def render_line(self, y: int) -> Strip:
        shown = [fit(self._values[one.name], width, right=one.right) for one, _, width in self._places]
        line = Content(_SEPARATOR).stylize("$faint").join(shown)
        return self._painter.strip(line, self.visual_style, self.size.width)
