"""What a virtual list shows: items by index, asked for only when they are needed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol

from textual.content import Content

from tui.safe import safe_text
from tui.widgets.wrapping import line_count, wrap


class Rows(Protocol):
    """Items of a list. Growing at the end, or changing one, is announced to the list; nothing is pushed."""

    def __len__(self) -> int: ...

    def text(self, index: int) -> str:
        """All of the item in plain words: what is copied."""
        ...

    def height(self, index: int, width: int) -> int:
        """How many lines `render` gives at `width` cells; asked for every item, so it must be fast."""
        ...

    def render(self, index: int, width: int) -> list[Content]:
        """The item as lines of at most `width` cells, safe to paint; asked only for what is on the screen."""
        ...


class TextRows:
    """Plain or styled texts, wrapped; strings are made safe and never read as markup."""

    def __init__(self, texts: Sequence[str | Content] = ()) -> None:
        self._texts = [_content(text) for text in texts]

    def __len__(self) -> int:
        return len(self._texts)

    def append(self, text: str | Content) -> None:
        self._texts.append(_content(text))

    def replace(self, index: int, text: str | Content) -> None:
        self._texts[index] = _content(text)

    def truncate(self, length: int) -> None:
        """Keep the first `length` texts."""
        del self._texts[length:]

    def text(self, index: int) -> str:
        return self._texts[index].plain

    def height(self, index: int, width: int) -> int:
        return line_count(self._texts[index].plain, width)

    def render(self, index: int, width: int) -> list[Content]:
        return wrap(self._texts[index], width)


def _content(text: str | Content) -> Content:
    return text if isinstance(text, Content) else Content(safe_text(text).expandtabs(4))


class RangedRows:
    """Some ranges of other rows, one after the other: a branch of a log, or a log as of a moment."""

    def __init__(self, rows: Rows, ranges: Sequence[tuple[int, int]]) -> None:
        self.rows = rows
        self.ranges = [(start, stop) for start, stop in ranges if stop > start]
        self._ends = list(accumulate(stop - start for start, stop in self.ranges))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def index(self, position: int) -> int:
        """The index in the rows underneath of what is shown at `position`."""
        part = bisect_right(self._ends, position)
        return self.ranges[part][1] - (self._ends[part] - position)

    def position(self, index: int) -> int | None:
        """Where the item `index` of the rows underneath is shown, if it is."""
        for (start, stop), end in zip(self.ranges, self._ends, strict=True):
            if start <= index < stop:
                return end - (stop - index)
        return None

    def text(self, index: int) -> str:
        return self.rows.text(self.index(index))

    def height(self, index: int, width: int) -> int:
        return self.rows.height(self.index(index), width)

    def render(self, index: int, width: int) -> list[Content]:
        return self.rows.render(self.index(index), width)


def common_prefix(old: Rows, new: Rows) -> int:
    """How many items both show alike from the start; 0 unless both are ranges of the same rows."""
    if not isinstance(old, RangedRows) or not isinstance(new, RangedRows) or old.rows is not new.rows:
        return 0
    common = 0
    for (start, stop), (other_start, other_stop) in zip(old.ranges, new.ranges, strict=False):
        if start != other_start:
            break
        common += min(stop, other_stop) - start
        if stop != other_stop:
            break
    return common
