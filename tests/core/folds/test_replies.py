"""How long the next reply is taken to be: near to most of the latest ones, whatever a few of them were."""

from hypothesis import given
from hypothesis import strategies as st

from core.folds.replies import FIRST, LATEST, NEAR, likely_reply

TOKEN = 7.5e-6


def test_a_few_long_replies_do_not_make_the_likely_one_longer():
    assert likely_reply([100, 120, 110, 4_000, 130, 90, 115, 2_500], 0.01, TOKEN) == 110


def test_the_first_reply_is_guessed():
    assert likely_reply([], 0.01, TOKEN) == FIRST


def test_only_the_latest_replies_count():
    assert likely_reply([100] * 1_000 + [500] * LATEST, 0.01, TOKEN) == 500


def test_where_output_costs_nothing_any_reply_is_near():
    assert likely_reply([100, 300], 0.01, 0.0) == 200


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=LATEST), st.floats(1e-4, 1.0))
def test_no_other_length_is_near_to_more_of_the_replies(lengths, prompt_usd):
    reach = NEAR * prompt_usd / TOKEN

    def near(guess):
        return sum(abs(length - guess) <= reach * (1 + 1e-9) + 1e-9 for length in lengths)

    likely = likely_reply(lengths, prompt_usd, TOKEN)
    assert near(likely) >= max(near(length + reach) for length in lengths)
