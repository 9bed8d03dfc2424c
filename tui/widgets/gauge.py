"""What fills a container: a stacked bar in eighths of a cell, and a legend whose figures add up. Plain functions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from msgspec import Struct
from textual.content import Content

from tui.safe import one_line

_EIGHTHS = " ▏▎▍▌▋▊▉"


class Part(Struct, frozen=True):
    """One share; `variable` is the theme variable of its colour, such as `context-text`."""

    name: str
    amount: int
    variable: str
    empty: bool = False
    """Room rather than content: drawn lightly, so that the bar reads without colours too."""


def shares(amounts: Sequence[int], units: int, least: int = 1) -> list[int]:
    """`amounts` as whole `units` that add up to exactly `units`, largest remainders first.

    What is not zero keeps at least `least` units (0 or 1) while there are enough of them.
    """
    total = sum(amounts)
    if total <= 0:
        return [0] * len(amounts)
    exact = [amount * units / total for amount in amounts]
    whole = [max(int(value), least if value > 0 else 0) for value in exact]
    by_remainder = sorted(range(len(amounts)), key=lambda index: int(exact[index]) - exact[index])
    for index in by_remainder[: max(0, units - sum(whole))]:
        whole[index] += 1
    while sum(whole) > units:
        whole[max(range(len(whole)), key=whole.__getitem__)] -= 1
    return whole


def bar_cells(amounts: Sequence[int], width: int) -> list[tuple[int, int, int]]:
    """(eighths in front, part in front, part behind) for each of `width` cells; empty when there is nothing to show.

    A cell has two colours: where more parts meet, the two largest in it are shown.
    """
    ends = list(accumulate(shares(amounts, width * 8)))
    if not ends or not ends[-1]:
        return []
    cells, first = [], 0
    for start in range(0, width * 8, 8):
        while ends[first] <= start:
            first += 1
        last = first
        while ends[last] < start + 8:
            last += 1
        cells.append(_cell(ends, start, range(first, last + 1)))
    return cells


def _cell(ends: Sequence[int], start: int, parts: range) -> tuple[int, int, int]:
    sizes = {part: min(ends[part], start + 8) - max(ends[part - 1] if part else 0, start) for part in parts}
    front, *behind = sorted(sorted(sizes, key=sizes.__getitem__, reverse=True)[:2])
    if not behind:
        return 8, front, front
    eighths = round(8 * sizes[front] / (sizes[front] + sizes[behind[0]]))
    return min(7, max(1, eighths)), front, behind[0]


def stacked(parts: Sequence[Part], width: int) -> Content:
    """The parts side by side in `width` cells, each in its colour; room is drawn lightly. Empty without an amount."""
    cells = bar_cells([max(0, part.amount) for part in parts], width)
    return Content.assemble(*(_painted(eighths, parts[front], parts[behind]) for eighths, front, behind in cells))


def _painted(eighths: int, front: Part, behind: Part) -> tuple[str, str]:
    """Content meets content, or room, inside a cell; room meets room at its edge, for it has no solid colour."""
    if eighths < 8 and front.empty:
        front, eighths = (front if eighths >= 4 else behind), 8
    if eighths == 8:
        return ("░" if front.empty else "█", f"${front.variable}")
    return (_EIGHTHS[eighths], f"${front.variable}" + ("" if behind.empty else f" on ${behind.variable}"))


def legend(parts: Sequence[Part], width: int) -> list[Content]:
    """A line for each part: mark, name, amount and share in per cent, with one decimal, that add up to 100.0."""
    tenths = shares([part.amount for part in parts], 1000, least=0)
    digits = max((len(f"{part.amount:,}") for part in parts), default=1)
    room = max(1, width - digits - 10)
    return [
        Content.assemble(
            ("░ " if part.empty else "█ ", f"${part.variable}"),
            (Content(one_line(part.name)).truncate(room, ellipsis=True, pad=True)),
            f" {part.amount:>{digits},}",
            (f" {f'{share / 10:.1f}' if share or part.amount <= 0 else '<0.1':>5}%", "$muted"),
        )
        for part, share in zip(parts, tenths, strict=True)
    ]
