"""Packed numbers are a list of numbers, and are searched as one."""

from bisect import bisect_left, bisect_right
from itertools import accumulate
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from core.folds.numbers import BLOCK, Numbers


def filled(numbers):
    made = Numbers()
    for number in numbers:
        made.append(number)
    return made


@given(st.lists(st.integers(-(2**40), 2**40), max_size=30), st.slices(30))
def test_they_are_the_list_that_was_appended(numbers, part):
    with patch("core.folds.numbers.BLOCK", 4):
        made = filled(numbers)
        assert list(made) == numbers and len(made) == len(numbers)
        assert made[part] == numbers[part]
        assert [made[place] for place in range(-len(numbers), len(numbers))] == numbers * 2


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(-1, 60))
def test_a_search_finds_the_same_place_as_in_a_list(steps, wanted):
    with patch("core.folds.numbers.BLOCK", 4):
        rising = list(accumulate(steps))
        made = filled(rising)
        assert (made.left(wanted), made.right(wanted)) == (bisect_left(rising, wanted), bisect_right(rising, wanted))


def test_old_ones_take_little_room():
    made = filled(range(0, 200 * BLOCK, 3))
    assert sum(map(len, made._packed)) / len(made) < 1
