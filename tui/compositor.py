"""Write only the cells that changed.

Textual repaints regions: a focus change rewrites the whole screen, 34 KB over the line for nothing new. `ThriftyApp`
remembers what the terminal shows, cell by cell, and sends the differences, with the shortest colour changes between
them. The memory belongs to the terminal, so it serves every screen of the app, Textual's own included. It leans on the
shape of private classes; where that of an update differs, Textual's own way of writing takes over.
`LONGWATCH_FULL_REPAINT=1` switches it off.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, groupby, pairwise
from operator import itemgetter
from typing import Any, cast

from rich.cells import cell_len, get_character_cell_size
from rich.color import ColorSystem
from rich.console import Console, RenderableType
from rich.control import Control
from textual import events
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate
from textual.app import ReturnType
from textual.dom import DOMNode
from textual.geometry import Offset, Region, Size
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.pen import PLAIN, Cell, Look, Pen, ground_of, look_of
from tui.shifts import FEWEST_ROWS, UNKNOWN, find_shift
from tui.typing_ahead import TypingAheadApp

_text_of = itemgetter(0)
_SHORT_GAP = 4
"""Cells that did not change but cost less to write again than to jump over."""
NOWHERE = Offset(0, 0)
"""Where Textual puts the cursor while nothing has the focus that one types into."""
_WIDE = 0.8
"""The part of the width that has to be painted of a row, before it may be one that has moved."""
_ALPHABET = 1024
"""Characters of one look whose cells are kept: all that a text of letters has."""


Span = tuple[int, int, list[Cell]]
"""Row, column, and the cells that stand there from there on."""


class TerminalMemory:
    """What the terminal shows, as far as we know. `erases`: erased cells take the background colour there."""

    def __init__(self, *, erases: bool = True) -> None:
        self._erases = erases
        self._rows: list[list[Cell]] = []
        self._size = Size(0, 0)
        self._look: Look | None = None

    def forget(self) -> None:
        """Anything may be on the terminal now: the next update writes all it has."""
        self._size = Size(0, 0)
        self._look = None

    def write(self, spans: Iterable[Span], size: Size) -> str:
        """The bytes that bring the terminal to show `spans` on a screen of `size`.

        What looks alike is written together, wherever it stands: to go there costs less than to change the colours.
        """
        if size != self._size:
            self._size = size
            self._rows = [[UNKNOWN] * size.width for _ in range(size.height)]
        moved, spans = self._move(list(spans))
        pen = Pen(size.width, erases=self._erases, look=self._look)
        pieces: dict[str, list[tuple[int, int, list[Cell]]]] = {}
        for y, x, cells in spans:
            for sgr, start, part in self._take(y, x, cells):
                pieces.setdefault(sgr, []).append((start, y, part))
        for sgr in sorted(pieces, key=lambda sgr: _nearness(look_of(sgr), pen.look)):
            for place in pieces[sgr]:
                pen.draw(*place)
        self._look = pen.look
        return moved + pen.taken()

    def _move(self, spans: list[Span]) -> tuple[str, list[Span]]:
        """Have the terminal move what has moved as a whole: how, and what is left to paint."""
        wide = sum(len(cells) >= _WIDE * self._size.width for _, _, cells in spans)
        if wide < FEWEST_ROWS:
            return "", spans
        rows: dict[int, list[Cell]] = {}
        for y, x, cells in spans:
            row = rows.setdefault(y, self._rows[y][:])
            row[x : x + len(cells)] = cells[: len(row) - x]
        shift = find_shift(self._rows, rows)
        if shift is None:
            return "", spans
        whole = [(y, 0, rows.get(y, self._rows[y][:])) for y in shift.rows]
        self._rows = shift.applied(self._rows)
        return shift.sequence, [*whole, *(span for span in spans if span[0] not in shift.rows)]

    def _take(self, y: int, x: int, cells: list[Cell]) -> Iterator[tuple[str, int, list[Cell]]]:
        """What of some cells of a row must be written: pieces of one look each, with their columns."""
        row = self._rows[y]
        cells = cells[: len(row) - x]
        shown = row[x : x + len(cells)]
        if shown == cells:
            return
        row[x : x + len(cells)] = cells
        if _doubtful(shown) or _doubtful(cells):
            # Terminals disagree on some widths: what follows such a character may have moved.
            yield cells[0][1], x, cells
            return
        for sgr, start, stop in _changes(shown, cells):
            yield sgr, x + start, cells[start:stop]


def _nearness(look: Look, now: Look | None) -> tuple[bool, str, bool, list[str], str]:
    """Sorts looks so that what is dear to change, the background first, changes least."""
    near = now or PLAIN
    same = look.background == near.background
    return not same, look.background, not (same and look == near), sorted(look.attributes), look.foreground


def _doubtful(cells: list[Cell]) -> bool:
    return set(map(len, map(_text_of, cells))) != {1}


def _changes(old: list[Cell], new: list[Cell]) -> Iterator[tuple[str, int, int]]:
    """Runs of differing cells of one look, joined over short gaps; blanks go with any of their background."""
    start, stop, look, blank = -1, -1, "", False
    for index, (was, cell) in enumerate(zip(old, new, strict=True)):
        changed = was is not cell and was != cell
        if start < 0 and not changed:
            continue
        text, sgr = cell
        if start >= 0:
            fits = sgr == look or (sgr == ground_of(look) if text == " " else blank and ground_of(sgr) == look)
            if not fits or (not changed and index - stop >= _SHORT_GAP):
                yield look, start, stop
                start = -1
            elif changed:
                stop = index + 1
                look, blank = (sgr, False) if blank and text != " " else (look, blank)
        if start < 0 and changed:
            start, stop, look, blank = index, index + 1, sgr, text == " "
    if start >= 0:
        yield look, start, stop


class _Alike(dict[str, Cell]):
    """The cells of one look, by character: each is made once, so that the same cells are the same objects."""

    def __init__(self, sgr: str) -> None:
        super().__init__({" ": (" ", ground_of(sgr))})
        self._sgr = sgr

    def __missing__(self, character: str) -> Cell:
        cell = (character, self._sgr)
        if len(self) < _ALPHABET:
            self[character] = cell
        return cell


_alike = lru_cache(1024)(_Alike)


def cells_of(strip: Strip, color_system: ColorSystem) -> list[Cell]:
    """A strip as cells; characters without width join the cell before them."""
    cells: list[Cell] = []
    for text, style, _ in strip:
        sgr = "" if style is None else Strip.render_ansi(style, color_system)
        if text.isascii() or (cell_len(text) == len(text) and all(map(get_character_cell_size, text))):
            cells.extend(map(_alike(sgr).__getitem__, text))
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
    """One of Textual's updates, written as differences. Evaluated only when it is really written.

    `short_colours`: 256 instead of millions, whose codes are half as long.
    """

    def __init__(
        self, update: CompositorUpdate, memory: TerminalMemory, size: Size, *, short_colours: bool = False
    ) -> None:
        self._update = update
        self._memory = memory
        self._size = size
        self._most = ColorSystem.EIGHT_BIT if short_colours else ColorSystem.TRUECOLOR

    def render_segments(self, console: Console) -> str:
        try:
            color_system = min(console._color_system or ColorSystem.TRUECOLOR, self._most)
            return self._memory.write(_spans(self._update, color_system), self._size)
        except Exception:  # Whatever Textual changed inside: saving bytes is never worth a broken screen.
            self._memory.forget()
            return self._update.render_segments(console)


def _spans(update: CompositorUpdate, color_system: ColorSystem) -> list[Span]:
    """(row, column, cells) of everything the update paints."""
    if isinstance(update, LayoutUpdate):
        x, y = update.region.offset
        return [(y + row, x, _joined(line, color_system)) for row, line in enumerate(update.strips)]
    if isinstance(update, ChopsUpdate):
        return list(chain.from_iterable(_span(update, *span, color_system) for span in update.spans))
    raise TypeError(f"unknown kind of update: {type(update).__name__}")


def _joined(line: Iterable[Strip], color_system: ColorSystem) -> list[Cell]:
    return list(chain.from_iterable(cells_of(strip, color_system) for strip in line))


def _span(update: ChopsUpdate, y: int, x1: int, x2: int, color_system: ColorSystem) -> Iterator[Span]:
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

    def render_partial_update(self) -> ChopsUpdate | None:
        spans = list(self._regions_to_spans(self._dirty_regions))
        self._dirty_regions.clear()
        if not spans:
            return None
        chops = self._chops(spans)
        return ChopsUpdate(chops, spans, [cuts[1:] for cuts in self.cuts])

    def _render_chops(self, crop: Region, is_rendered_line: Callable[[int], bool]) -> Sequence[Mapping[int, Strip]]:
        left, right = crop.column_span
        return self._chops([(y, left, right) for y in crop.line_range if is_rendered_line(y)])

    def _chops(self, spans: Iterable[tuple[int, int, int]]) -> Sequence[Mapping[int, Strip]]:
        """What stands in these spans (row, first column, column after the last), by the columns where it begins."""
        cuts = self.cuts
        chops: list[dict[int, Strip | None]] = [dict.fromkeys(line[:-1]) for line in cuts]
        open_cuts: dict[int, set[int]] = {}
        for y, left, right in spans:
            if y < len(cuts):
                touched = {cut for cut, end in pairwise(cuts[y]) if cut < right and end > left}
                open_cuts.setdefault(y, set()).update(touched)
        dirty = sorted(open_cuts)
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            first, end = shown.column_span
            rows = dirty[bisect_left(dirty, shown.y) : bisect_left(dirty, shown.bottom)]
            wanted = [y for y in rows if any(first <= cut < end for cut in open_cuts[y])]
            for lines in _runs(wanted):
                part = Region(shown.x, lines.start, shown.width, len(lines))
                for y, strip in zip(lines, widget.render_lines(part.translate(-region.offset)), strict=True):
                    _fill(chops[y], open_cuts[y], strip, [cut for cut in cuts[y] if first <= cut <= end])
        return cast("Sequence[Mapping[int, Strip]]", chops)


def _runs(lines: Sequence[int]) -> Iterator[range]:
    """Rising numbers as ranges without a gap."""
    for _, run in groupby(enumerate(lines), lambda numbered: numbered[1] - numbered[0]):
        numbers = [number for _, number in run]
        yield range(numbers[0], numbers[-1] + 1)


def _fill(chops: dict[int, Strip | None], open_cuts: set[int], strip: Strip, cuts: list[int]) -> None:
    """Put the parts of a widget's line into the places that nothing before it has taken."""
    if len(cuts) == 2 and strip.cell_length == cuts[1] - cuts[0]:
        # Textual would have the strip hold itself, and so stay alive until a collector comes by.
        parts: Sequence[Strip] = (strip,)
    else:
        parts = strip.divide([cut - cuts[0] for cut in cuts[1:]])
    for cut, part in zip(cuts, parts, strict=False):
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

    def _register(self, parent: DOMNode, *widgets: Widget, **options: Any) -> list[Widget]:
        """Screens of Textual's own too, before their first picture."""
        for widget in widgets if self._thrifty else ():
            if isinstance(widget, Screen) and type(widget._compositor) is Compositor:
                widget._compositor.__class__ = FrugalCompositor
        return super()._register(parent, *widgets, **options)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if self._thrifty and isinstance(renderable, LayoutUpdate | ChopsUpdate) and not self.is_inline:
            update = ThriftyUpdate(renderable, self._terminal, self.size, short_colours=self.line.thrifty)
            self._send(screen, update)
        else:
            super()._display(screen, renderable)

    def _send(self, screen: Screen[Any], update: ThriftyUpdate) -> None:
        """What Textual does with an update; but one that changes nothing is none, and the cursor, which is hidden, is
        put somewhere only while something is typed there: an input method opens its window beside it."""
        try:
            driver = self._driver
            if self._batch_count or not self._running or self._closed or self.is_headless or driver is None:
                return
            text = update.render_segments(self.console)
            place = screen.outer_size.clamp_offset(self.cursor_position)
            if text and place != NOWHERE:
                text += Control.move_to(*place).segment.text
            if text:
                self._begin_update()
                try:
                    driver.write(text)
                finally:
                    self._end_update()
                driver.flush()
        finally:
            self.post_display_hook()
