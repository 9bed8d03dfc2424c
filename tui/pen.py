"""The shortest way to write cells: the pen keeps its place and its colours, and says only what differs.

In true colour a change of both colours is 36 bytes, more than most words, so it is avoided wherever it can't be seen:
a blank takes any foreground, and the pen stays as it is from one frame to the next.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

Cell = tuple[str, str]
"""What one cell shows: its text (empty for the second half of a wide character), and its SGR parameters."""

_LONG_BLANK = 12
"""Blank cells from which on it is shorter to erase them than to write them."""
_SEEN_ON_BLANKS = frozenset(("4", "7", "9", "21", "53"))
"""Attributes that show on a space, which erasing would not draw: underlines, reverse, strike, overline."""
_ENDED_BY = {
    **dict.fromkeys(("1", "2"), "22"),
    **dict.fromkeys(("4", "21"), "24"),
    **dict.fromkeys(("5", "6"), "25"),
    **dict.fromkeys(("51", "52"), "54"),
    **{on: f"2{on}" for on in "3789"},
    "53": "55",
}
"""Attribute -> what ends it; some end two."""
_BACKGROUND_CODES = {*map(str, range(40, 48)), "49", *map(str, range(100, 108))}
_FOREGROUND_CODES = {*map(str, range(30, 38)), "39", *map(str, range(90, 98))}


class Look(NamedTuple):
    """SGR parameters, sorted: attributes, foreground, background (empty: the terminal's own)."""

    attributes: frozenset[str] = frozenset()
    foreground: str = ""
    background: str = ""

    def sgr(self) -> str:
        """The parameters again."""
        return ";".join(filter(None, (*sorted(self.attributes), self.foreground, self.background)))


PLAIN = Look()


@lru_cache(4096)
def look_of(sgr: str) -> Look:
    """The look that SGR parameters, as Rich writes them, give a cell."""
    codes = iter(sgr.split(";")) if sgr else iter(())
    attributes, foreground, background = set(), "", ""
    for code in codes:
        if code in ("38", "48"):
            kind = next(codes)
            value = ";".join([code, kind, *(next(codes) for _ in range(3 if kind == "2" else 1))])
            foreground, background = (value, background) if code == "38" else (foreground, value)
        elif code in _FOREGROUND_CODES:
            foreground = code
        elif code in _BACKGROUND_CODES:
            background = code
        else:
            attributes.add(code)
    return Look(frozenset(attributes), foreground, background)


@lru_cache(4096)
def ground_of(sgr: str) -> str:
    """What of SGR parameters shows on a space."""
    look = look_of(sgr)
    return sgr if look.attributes & _SEEN_ON_BLANKS else look.background


@lru_cache(4096)
def change(old: Look | None, new: Look) -> str:
    """The shortest sequence from one look to another; None: from nobody knows which."""
    if old == new:
        return ""
    afresh = f"\x1b[;{new.sgr()}m" if new != PLAIN else "\x1b[m"
    gone = old.attributes - new.attributes if old is not None else frozenset()
    if old is None or not gone <= _ENDED_BY.keys():
        return afresh
    ends = {_ENDED_BY[attribute] for attribute in gone}
    begins = {code for code in new.attributes if code not in old.attributes or _ENDED_BY.get(code) in ends}
    codes = [*sorted(ends), *sorted(begins)]
    if new.foreground != old.foreground:
        codes.append(new.foreground or "39")
    if new.background != old.background:
        codes.append(new.background or "49")
    return min(f"\x1b[{';'.join(codes)}m", afresh, key=len)


class Pen:
    """Collects what is to be written on rows of `width` cells.

    `erases`: erased cells take the background there. `look`: as it is now.
    """

    def __init__(self, width: int, *, erases: bool = True, look: Look | None = None) -> None:
        self.look = look
        self._width = width
        self._parts: list[str] = []
        self._erases = erases
        self._place: tuple[int, int] | None = None
        self._erased = 0
        """Cells at the end of what was drawn over which the cursor did not move."""

    def draw(self, x: int, y: int, cells: list[Cell]) -> None:
        """Write cells from column `x` of row `y` on."""
        self._go(x, y)
        place, end, self._erased = 0, len(cells), 0
        while place < end:
            text, sgr = cells[place]
            after = place + 1
            if text == " ":
                while after < end and cells[after] == (text, sgr):
                    after += 1
                self._blank(after - place, sgr, last=after == end)
            else:
                while after < end and cells[after][1] == sgr and cells[after][0] != " ":
                    after += 1
                self._take(look_of(sgr))
                self._parts.append("".join(text for text, _ in cells[place:after]))
            place = after
        column = x + end - self._erased
        sure = column < self._width and all(len(text) == 1 for text, _ in cells)
        self._place = (column, y) if sure else None

    def taken(self) -> str:
        """What is to be written so far."""
        return "".join(self._parts)

    def _go(self, x: int, y: int) -> None:
        there = f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"
        if self._place is not None:
            column, row = self._place
            there = min(_steps(y - row, "A", "B") + _steps(x - column, "D", "C"), there, key=len)
        self._parts.append(there)

    def _take(self, look: Look) -> None:
        if look != self.look:
            self._parts.append(change(self.look, look))
            self.look = look

    def _blank(self, count: int, sgr: str, *, last: bool) -> None:
        look = look_of(sgr)
        plain = not look.attributes & _SEEN_ON_BLANKS
        if plain and self.look is not None:
            look = Look(self.look.attributes - _SEEN_ON_BLANKS, self.look.foreground, look.background)
        self._take(look)
        if plain and count >= _LONG_BLANK and self._erases:
            self._erased = count if last else 0
            self._parts.append(f"\x1b[{count}X" + ("" if last else f"\x1b[{count}C"))
        else:
            self._parts.append(" " * count)


def _steps(count: int, back: str, on: str) -> str:
    """So many cells in one of two directions; never by bare control characters, which only a stranger's text has."""
    number, way = abs(count), back if count < 0 else on
    return "" if not number else f"\x1b[{way}" if number == 1 else f"\x1b[{number}{way}"
