"""Write only the cells that changed.

Textual repaints regions: a focus change rewrites the whole screen, 34 KB over the line for nothing new. `ThriftyApp`
remembers what the terminal shows, cell by cell, and sends the differences, with the shortest colour changes between
them. The memory belongs to the terminal, so it serves every screen of the app, Textual's own included. It leans on the
shape of private classes; where that of an update differs, Textual's own way of writing takes over.
`LONGWATCH_FULL_REPAINT=1` switches it off.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, groupby
from typing import Any, cast

from rich.cells import cell_len, get_character_cell_size
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from textual import events
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate
from textual.app import ReturnType
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.strip import Strip

from tui.typing_ahead import TypingAheadApp

Cell = tuple[str, str]
"""What one cell shows: its text (empty for the second half of a wide character), and its SGR parameters."""

_UNKNOWN: Cell = ("\x00", "")
_SHORT_GAP = 6
"""Cells that did not change but cost less to write again than to jump over."""

_LONG_BLANK = 12
"""Blank cells from which on it is shorter to erase them than to write them."""
_SEEN_ON_BLANKS = {"4", "7", "9", "21", "53"}
"""Attributes that show on a space, which erasing would not draw: underlines, reverse, strike, overline."""

_BACKGROUND_CODES = {*map(str, range(40, 48)), "49", *map(str, range(100, 108))}
_FOREGROUND_CODES = {*map(str, range(30, 38)), "39", *map(str, range(90, 98))}


class TerminalMemory:
    """What the terminal shows, as far as we know. `erases`: erased cells take the background colour there."""

    def __init__(self, *, erases: bool = True) -> None:
        self._erases = erases
        self._rows: list[list[Cell]] = []
        self._size = Size(0, 0)

    def forget(self) -> None:
        """Anything may be on the terminal now: the next update writes all it has."""
        self._size = Size(0, 0)

    def write(self, spans: Iterable[tuple[int, int, list[Cell]]], size: Size) -> str:
        """The bytes that bring the terminal to show `spans` (row, column, cells) on a screen of `size`."""
        if size != self._size:
            self._size = size
            self._rows = [[_UNKNOWN] * size.width for _ in range(size.height)]
        pen = Pen(erases=self._erases)
        for y, x, cells in spans:
            self._write_span(pen, y, x, cells)
        return pen.finish()

    def _write_span(self, pen: Pen, y: int, x: int, cells: list[Cell]) -> None:
        row = self._rows[y]
        cells = cells[: len(row) - x]
        shown = row[x : x + len(cells)]
        if shown == cells:
            return
        row[x : x + len(cells)] = cells
        if _doubtful(shown) or _doubtful(cells):
            # Terminals disagree on some widths: what follows such a character may have moved.
            pen.draw(x, y, cells)
            return
        for start, stop in _changes(shown, cells):
            pen.draw(x + start, y, cells[start:stop])


def _doubtful(cells: list[Cell]) -> bool:
    return any(len(text) != 1 for text, _ in cells)


def _changes(old: list[Cell], new: list[Cell]) -> Iterator[tuple[int, int]]:
    """Runs of differing cells, joined over short gaps."""
    start = stop = -1
    for index, (was, now) in enumerate(zip(old, new, strict=True)):
        if was == now:
            continue
        if start >= 0 and index - stop > _SHORT_GAP:
            yield start, stop
            start = index
        elif start < 0:
            start = index
        stop = index + 1
    if start >= 0:
        yield start, stop


class Pen:
    """Collects escape sequences, saying only what differs from the pen's present place and colours."""

    def __init__(self, *, erases: bool = True) -> None:
        self._parts: list[str] = []
        self._sgr = ""
        self._erases = erases

    def draw(self, x: int, y: int, cells: list[Cell]) -> None:
        self._parts.append(f"\x1b[{y + 1};{x + 1}H")
        left = len(cells)
        for (text, sgr), same in groupby(cells):
            count = sum(1 for _ in same)
            left -= count
            if sgr != self._sgr:
                self._parts.append(sgr_change(self._sgr, sgr))
                self._sgr = sgr
            if text == " " and count >= _LONG_BLANK and self._erases and not _split(sgr)[0] & _SEEN_ON_BLANKS:
                self._parts.append(f"\x1b[{count}X" + (f"\x1b[{count}C" if left else ""))
            else:
                self._parts.append(text * count)

    def finish(self) -> str:
        if self._sgr:
            self._parts.append("\x1b[0m")
            self._sgr = ""
        return "".join(self._parts)


@lru_cache(4096)
def sgr_change(old: str, new: str) -> str:
    """The shortest sequence from one set of SGR parameters to another."""
    if not new:
        return "\x1b[0m"
    old_attributes, old_foreground, old_background = _split(old)
    attributes, foreground, background = _split(new)
    if not old_attributes <= attributes:
        return f"\x1b[0;{new}m"
    changes = sorted(attributes - old_attributes)
    if foreground != old_foreground:
        changes.append(foreground or "39")
    if background != old_background:
        changes.append(background or "49")
    return f"\x1b[{';'.join(changes)}m" if changes else ""


@lru_cache(4096)
def _split(sgr: str) -> tuple[frozenset[str], str, str]:
    """(attributes, foreground, background) of SGR parameters as Rich writes them."""
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
    return frozenset(attributes), foreground, background


def cells_of(strip: Strip, color_system: ColorSystem) -> list[Cell]:
    """A strip as cells; characters without width join the cell before them."""
    cells: list[Cell] = []
    for text, style, _ in strip:
        sgr = "" if style is None else Strip.render_ansi(style, color_system)
        if text.isascii() or (cell_len(text) == len(text) and all(map(get_character_cell_size, text))):
            cells.extend([(character, sgr) for character in text])
        else:
            _add_wide(cells, text, sgr)
    return cells


def _add_wide(cells: list[Cell], text: str, sgr: str) -> None:
    for character in text:
        width = get_character_cell_size(character)
        if width:
            cells.append((character, sgr))
            cells.extend([("", sgr)] * (width - 1))
        elif cells:
            before, its_sgr = cells[-1]
            cells[-1] = (before + character, its_sgr)


class ThriftyUpdate(CompositorUpdate):
    """One of Textual's updates, written as differences. Evaluated only when it is really written."""

    def __init__(self, update: CompositorUpdate, memory: TerminalMemory, size: Size) -> None:
        self._update = update
        self._memory = memory
        self._size = size

    def render_segments(self, console: Console) -> str:
        try:
            color_system = console._color_system or ColorSystem.TRUECOLOR
            return self._memory.write(_spans(self._update, color_system), self._size)
        except Exception:  # Whatever Textual changed inside: saving bytes is never worth a broken screen.
            self._memory.forget()
            return self._update.render_segments(console)


def _spans(update: CompositorUpdate, color_system: ColorSystem) -> list[tuple[int, int, list[Cell]]]:
    """(row, column, cells) of everything the update paints."""
    if isinstance(update, LayoutUpdate):
        x, y = update.region.offset
        return [(y + row, x, _joined(line, color_system)) for row, line in enumerate(update.strips)]
    if isinstance(update, ChopsUpdate):
        return list(chain.from_iterable(_span(update, *span, color_system) for span in update.spans))
    raise TypeError(f"unknown kind of update: {type(update).__name__}")


def _joined(line: Iterable[Strip], color_system: ColorSystem) -> list[Cell]:
    return list(chain.from_iterable(cells_of(strip, color_system) for strip in line))


def _span(
    update: ChopsUpdate, y: int, x1: int, x2: int, color_system: ColorSystem
) -> Iterator[tuple[int, int, list[Cell]]]:
    chops: Mapping[int, Strip | None] = update.chops[y]
    for (x, strip), end in zip(chops.items(), update.chop_ends[y], strict=False):
        if strip is None or x >= x2 or end <= x1:
            continue
        cells = cells_of(strip, color_system)
        yield y, x, cells[: end - x]


class FrugalCompositor(Compositor):
    """Renders only what an update shows.

    Textual renders every widget that might be seen, down to the containers behind, and cuts each of their lines for the
    whole screen before it looks which are hidden; half of the work of a page.
    """

    def _render_chops(self, crop: Region, is_rendered_line: Callable[[int], bool]) -> Sequence[Mapping[int, Strip]]:
        cuts = self.cuts
        chops: list[dict[int, Strip | None]] = [dict.fromkeys(line[:-1]) for line in cuts]
        left, right = crop.column_span
        open_cuts = {
            y: {cut for cut, end in zip(cuts[y], cuts[y][1:], strict=False) if cut < right and end > left}
            for y in crop.line_range
            if y < len(cuts) and is_rendered_line(y)
        }
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            first, end = shown.column_span
            lines = [y for y in shown.line_range if any(first <= cut < end for cut in open_cuts.get(y, ()))]
            if not lines:
                continue
            strips = widget.render_lines(shown.translate(-region.offset))
            for y in lines:
                _fill(chops[y], open_cuts[y], strips[y - shown.y], [cut for cut in cuts[y] if first <= cut <= end])
        return cast("Sequence[Mapping[int, Strip]]", chops)


def _fill(chops: dict[int, Strip | None], open_cuts: set[int], strip: Strip, cuts: list[int]) -> None:
    """Put the parts of a widget's line into the places that nothing before it has taken."""
    for cut, part in zip(cuts, strip.divide([cut - cuts[0] for cut in cuts[1:]]), strict=False):
        if cut in open_cuts:
            open_cuts.discard(cut)
            chops[cut] = part


class ThriftyApp(TypingAheadApp[ReturnType]):
    """An app that writes only what changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._thrifty = os.environ.get("LONGWATCH_FULL_REPAINT", "") in ("", "0")
        self._terminal = TerminalMemory(erases=not os.environ.get("TERM", "").startswith("screen"))

    def on_mount(self) -> None:
        """After Ctrl+Z or a shell-out the terminal holds what others wrote."""
        self.app_resume_signal.subscribe(self, lambda _: self.forget_terminal())

    def forget_terminal(self) -> None:
        """Something else wrote to the terminal, or writes of ours were lost: paint all of it again."""
        self._terminal.forget()
        if self._screen_stack:
            self.screen.refresh()
            self.call_after_refresh(self.sight_again)

    def action_redraw(self) -> None:
        """Paint the whole screen again."""
        self.forget_terminal()

    def on_resize(self, event: events.Resize) -> None:
        """A terminal that changes its size may rearrange what it shows."""
        self._terminal.forget()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if self._thrifty and type(screen._compositor) is Compositor:
            screen._compositor.__class__ = FrugalCompositor
        if self._thrifty and isinstance(renderable, LayoutUpdate | ChopsUpdate) and not self.is_inline:
            super()._display(screen, cast(RenderableType, ThriftyUpdate(renderable, self._terminal, self.size)))
        else:
            super()._display(screen, renderable)
