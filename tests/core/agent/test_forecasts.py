"""How long the next reply is taken to be: near to most of the latest ones, whatever a few of them were."""

from hypothesis import given
from hypothesis import strategies as st

from core.agent.facts import FIRST_OUTPUT
from core.agent.thrift import usual


def test_a_few_long_replies_do_not_make_the_usual_one_longer():
    assert usual([100, 120, 110, 4_000, 130, 90, 115, 2_500]) == 105


def test_the_first_reply_is_guessed():
    assert usual([]) == FIRST_OUTPUT


@given(st.lists(st.integers(0, 10_000), min_size=1))
def test_half_of_the_replies_lie_within_a_range_around_it_that_no_other_is_shorter_than(lengths):
    middle, ordered = usual(lengths), sorted(lengths)
    half = len(lengths) // 2
    shortest = min(high - low for low, high in zip(ordered, ordered[half:], strict=False))
    assert sum(abs(length - middle) <= shortest / 2 for length in lengths) > half
