"""Columns of a chart cost as much as they are wide, and still show every peak."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.folds.fold import Series
from core.folds.peaks import Peaks

_NUMBERS = st.lists(st.integers(0, 1000), max_size=400)


@given(_NUMBERS, st.integers(1, 50), st.integers(0, 1300))
def test_the_columns_of_peaks_are_the_highest_of_their_stretches(numbers: list[int], columns: int, at: int) -> None:
    peaks = Peaks()
    for index, number in enumerate(numbers):
        peaks.append(3 * index + 1, number)
    there = [number for index, number in enumerate(numbers) if 3 * index + 1 <= at]
    drawn = peaks.columns(columns, at)
    assert peaks.count(at) == len(there) and peaks.highest(0, len(there)) == max(there, default=0)
    assert len(drawn) == (columns if there else 0)
    assert max(drawn, default=0) == max(there, default=0)
    if len(there) >= columns:
        edges = [column * len(there) // columns for column in range(columns + 1)]
        assert drawn == [max(there[first:last]) for first, last in pairwise(edges)]


@given(_NUMBERS, st.integers(1, 50), st.integers(0, 1300))
def test_samples_of_a_series_end_as_it_does_and_are_in_order(numbers: list[int], count: int, at: int) -> None:
    series: Series[int] = Series(-1)
    for index, number in enumerate(numbers):
        series.append(3 * index + 1, number)
    sampled = series.sampled(count, at)
    there = [3 * index + 1 for index in range(len(numbers)) if 3 * index + 1 <= at]
    assert len(sampled) == (count if there else 0)
    assert [seq for seq, _number in sampled] == sorted(seq for seq, _number in sampled)
    assert all(series.at(seq) == number for seq, number in sampled)
    if there:
        assert sampled[-1] == (there[-1], series.at(at))
        assert set(there) == {seq for seq, _number in series.sampled(len(there), at)}
    assert series.since(at) == (there[-1] if there else 0)
