"""Rows that the terminal moves by itself: the same is on it afterwards, for fewer bytes."""

from __future__ import annotations

import re

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recording import as_seen
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from tui.compositor import Span, TerminalMemory, cells_of

WIDTH, HEIGHT = 30, 12
SIZE = Size(WIDTH, HEIGHT)
LOOKS = ("on #101820", "bold red on #101820", "underline", "")


def row(number: int, end: str = "") -> list[tuple[str, str]]:
    """A row that is known again by its number: words, wide ones too, blanks, and something at its right edge."""
    text = f"{number * 7919 % 100_000} 日本 {'word ' * (number % 4)}"[: WIDTH - 4]
    strip = Strip([Segment(text, Style.parse(LOOKS[number % len(LOOKS)]))]).adjust_cell_length(WIDTH - 1)
    return cells_of(Strip([*strip, Segment(end or " ")]), ColorSystem.TRUECOLOR)


def spans(numbers: list[int], first: int = 0) -> list[Span]:
    return [(first + y, 0, row(number)) for y, number in enumerate(numbers)]


VIEWS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), st.integers(5, HEIGHT)), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(VIEWS)
def test_a_view_that_scrolls_anywhere_shows_what_was_to_be_shown(views: list[tuple[int, int, int]]) -> None:
    memory, shifted = TerminalMemory(), pyte.Screen(WIDTH, HEIGHT)
    pyte.Stream(shifted).feed(memory.write(spans([100 + y for y in range(HEIGHT)]), SIZE))
    wanted = dict(enumerate(row(100 + y) for y in range(HEIGHT)))
    for start, first, height in views:
        painted = spans(list(range(start, start + min(height, HEIGHT - first))), first)
        wanted |= {y: cells for y, _, cells in painted}
        pyte.Stream(shifted).feed(memory.write(painted, SIZE))
    whole = pyte.Screen(WIDTH, HEIGHT)
    pyte.Stream(whole).feed(TerminalMemory().write([(y, 0, cells) for y, cells in wanted.items()], SIZE))
    assert as_seen(shifted) == as_seen(whole)


@pytest.mark.parametrize("by", [1, 3, -2])
def test_moved_rows_are_not_sent_again(by: int) -> None:
    memory = TerminalMemory()
    whole = len(memory.write(spans(list(range(20, 32))), SIZE))
    moved = memory.write(spans(list(range(20 + by, 32 + by))), SIZE)
    assert f"\x1b[{abs(by)}{'M' if by > 0 else 'L'}" in moved
    assert len(moved) < whole / 12 * (abs(by) + 2)


def test_rows_of_which_only_a_part_moves_are_written_as_ever() -> None:
    memory = TerminalMemory()
    memory.write(spans(list(range(20, 32))), SIZE)
    half = WIDTH // 2
    painted = [(y, 0, row(21 + y)[:half]) for y in range(HEIGHT)]
    assert not re.search(r"\x1b\[[0-9;]*[rLM]", memory.write(painted, SIZE))
