"""How far a list that follows its end moves on when it is full.

The less it moves, the less of it stands empty then; but every move sends what is in view again. Often many lines look
like others (calls of one tool, blank lines, the left edge), so that some moves are far cheaper than their neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from operator import ne
from typing import Final, NamedTuple


class Stride(NamedTuple):
    """`room`: the part of a view that may stand empty after a move; `a_line`: bytes that a line of it may cost."""

    room: float
    a_line: float


STEADY: Final = Stride(0.35, 50)
"""Moving sends the whole view (2 KB at 200x50 in true colour), a line that fills it up sends itself."""
THRIFTY: Final = Stride(0.8, 0)
"""Over a slow line: the past moves up like a page that is turned, as far as is cheapest."""
_JUMP: Final = 8
"""Bytes that it takes to go to a line, or to blank the rest of one."""


def next_top(text_of: Callable[[int], str], height: int, top: int, lowest: int, stride: Stride) -> int:
    """The line to stand at the top of a view of `height` lines, after `top` and with the end in it.

    With as few empty lines as a line of room may cost; where any of them costs more, the cheapest way.
    `text_of`: a line's text, empty beyond the end; `lowest`: the top with which the end is at the bottom.
    """
    room = ceil(height * stride.room)
    shown = [text_of(line) for line in range(top, top + height)]
    coming = [text_of(line) for line in range(lowest, lowest + room + height)]
    costs: dict[int, float] = {}
    for new in range(max(lowest, top + 1), lowest + room + 1):
        lines = coming[new - lowest : new - lowest + height]
        costs[new] = sum(map(bytes_between, shown, lines)) / (new - top)
        if costs[new] <= stride.a_line:
            return new
    return min(costs, key=costs.__getitem__, default=lowest)


def bytes_between(shown: str, wanted: str) -> int:
    """About so many bytes bring a terminal from one line to another one."""
    if shown == wanted:
        return 0
    shorter = len(shown) - len(wanted)
    return _JUMP + sum(map(ne, shown, wanted)) + (min(_JUMP, shorter) if shorter > 0 else -shorter)
