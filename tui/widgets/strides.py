"""How far a list that follows its end moves on when it is full.

The less it moves, the less of it stands empty then; but every move sends what is in view again. Often many lines look
like others (calls of one tool, blank lines, the left edge), so that some moves are far cheaper than their neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import ne
from typing import Final

A_LINE: Final = 50
"""Bytes that a line of room may cost: a tool call of four lines in 2,000 at 200x50 has so much for them."""
_JUMP: Final = 8
"""Bytes that it takes to go to a line, or to blank the rest of one."""


def next_top(text_of: Callable[[int], str], height: int, top: int, lowest: int, room: int) -> int:
    """The line to stand at the top of a view of `height` lines, after `top` and with the end in it.

    With as few empty lines as a line of room may cost, at most `room`; where even that costs more, the cheapest way.
    `text_of`: a line's text, empty beyond the end; `lowest`: the top with which the end is at the bottom.
    """
    shown = [text_of(line) for line in range(top, top + height)]
    coming = [text_of(line) for line in range(lowest, lowest + room + height)]
    costs: dict[int, float] = {}
    for new in range(max(lowest, top + 1), lowest + room + 1):
        lines = coming[new - lowest : new - lowest + height]
        costs[new] = sum(map(bytes_between, shown, lines)) / (new - top)
        if costs[new] <= A_LINE:
            return new
    return min(costs, key=costs.__getitem__, default=lowest)


def bytes_between(shown: str, wanted: str) -> int:
    """About so many bytes bring a terminal from one line to another one."""
    if shown == wanted:
        return 0
    shorter = len(shown) - len(wanted)
    return _JUMP + sum(map(ne, shown, wanted)) + (min(_JUMP, shorter) if shorter > 0 else -shorter)
