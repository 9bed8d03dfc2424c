"""Curves in characters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.chart import Ahead, blocks

_VALUES = st.lists(st.floats(0, 1000), min_size=1, max_size=60)


def test_a_ramp_in_blocks() -> None:
    assert blocks([0, 1, 4, 8, 12, 16], 2, 16) == ["    ▄█", " ▁▄███"]


def test_what_is_to_come_fans_out_and_never_goes_below_nothing() -> None:
    fan = Ahead.fan(8, -8, 16, 4)
    assert fan.lows == [4, 0, 0, 0] and fan.highs == [10, 12, 14, 16]
    assert fan.rows(4, 16) == ["  ░░", "░░░░", "░░░░", "▒░░░"]


@given(_VALUES, st.integers(1, 6))
def test_drawings_have_their_size_and_show_all_that_is_not_zero(values: list[float], height: int) -> None:
    lines = blocks(values, height, max(values))
    assert len(lines) == height and {len(line) for line in lines} == {len(values)}
    assert all((lines[-1][n] != " ") == (value > 0) for n, value in enumerate(values))
