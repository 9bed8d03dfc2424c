"""A line of fields of fixed width, each updated on its own.

A number that ticks moves nothing around it, asks for no layout, and writes only itself. In a narrow line fields shorten
first what they say, and then go, in the order of their ranks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.safe import one_line
from tui.widgets.painting import Painter
from tui.widgets.wrapping import fit

_SEPARATOR = " │ "
STANDING = 5
"""Fields of this rank and before stay whatever another one has to say."""


class Field(Struct, frozen=True):
    """`width` in cells, or `full` of them where there is room for the long form; `rank` 1 stays longest.

    `grow` takes what is left over; `optional` takes no room while it says nothing; `wants` cells while it is urgent.
    """

    name: str
    width: int
    rank: int = 5
    right: bool = False
    grow: bool = False
    full: int = 0
    optional: bool = False
    wants: int = 0


def placed(
    fields: Sequence[Field], width: int, silent: Collection[str] = (), urgent: Collection[str] = ()
) -> list[tuple[Field, int, int]]:
    """(field, first cell, width) of the fields that fit into `width`, in their order: all up to some rank.

    `silent` names those that say nothing now; `urgent` those that get all they want before any field comes that ranks
    behind them and does not stand always.
    """
    speaking = [one for one in fields if not (one.optional and one.name in silent)]
    ranked = sorted(speaking, key=lambda one: one.rank)
    pressing = [one for one in ranked if one.name in urgent and one.wants > one.width]
    kept: list[Field] = []
    spare = width + len(_SEPARATOR)
    for one in ranked:
        spare -= one.width + len(_SEPARATOR)
        wanted = sum(it.wants - it.width for it in pressing if it.rank < one.rank > STANDING)
        if spare < wanted:
            spare += one.width + len(_SEPARATOR)
            break
        kept.append(one)
    widths = {one.name: one.width for one in kept}
    for one in kept:
        if one.name in urgent and spare > 0:
            more = min(spare, one.wants - one.width)
            spare -= more
            widths[one.name] += more
    for one in kept:
        if one.full and spare >= one.full - one.width:
            spare -= one.full - one.width
            widths[one.name] = one.full
    places, x = [], 0
    for one in (one for one in fields if one in kept):
        wide = widths[one.name] + (spare if one.grow else 0)
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
        self._forms: dict[str, tuple[Content, ...]] = {one.name: (Content(""),) for one in fields}
        self._urgent: frozenset[str] = frozenset()
        self._places: list[tuple[Field, int, int]] = []
        self._painter = Painter()

    def set(self, name: str, *forms: str | Content | None, urgent: bool = False) -> None:
        """Show the longest of `forms` that fits into the field called `name`; the last one, cut, where none does.

        `urgent`: it has all the room that it wants, at the cost of fields that do not stand always.

        Raises:
            KeyError: there is no such field.
        """
        said = tuple(_content(form) for form in forms if form is not None)
        before = self._forms[name]
        same = len(said) == len(before) and all(map(Content.is_same, said, before))
        if same and urgent == (name in self._urgent):
            return
        appears = bool(before[0].plain) != bool(said[0].plain)
        self._forms[name] = said
        if (appears and any(one.optional for one in self._fields if one.name == name)) or urgent != (
            name in self._urgent
        ):
            self._urgent = self._urgent | {name} if urgent else self._urgent - {name}
            self._place()
            return
        for one, x, width in self._places:
            if one.name == name:
                self.refresh(Region(x + self.gutter.left, 0, width, 1))

    def value(self, name: str) -> str:
        """What a field says at its full width."""
        return self._forms[name][0].plain

    def on_resize(self) -> None:
        self._place()

    def _place(self) -> None:
        silent = {name for name, forms in self._forms.items() if not forms[0].plain}
        self._places = placed(self._fields, self.size.width, silent, self._urgent)
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._painter.forget()

    def render_line(self, y: int) -> Strip:
        shown = [fit(self._said(one, width), width, right=one.right) for one, _, width in self._places]
        line = Content(_SEPARATOR).stylize("$faint").join(shown)
        return self._painter.strip(line, self.visual_style, self.size.width)

    def _said(self, one: Field, width: int) -> Content:
        forms = self._forms[one.name]
        return next((form for form in forms if form.cell_length <= width), forms[-1])


def _content(value: str | Content) -> Content:
    return value if isinstance(value, Content) else Content(one_line(value))
