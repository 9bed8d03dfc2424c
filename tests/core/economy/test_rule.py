"""The decisions on their own: rent, the price of a compression, cold caches, pings."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.economy.rule import (
    Moment,
    Rule,
    break_even_turns,
    compression_usd,
    due,
    most_pings,
    optimal_period,
    pays_to_ping,
    rent_usd,
)
from core.economy.tariff import REFERENCE, Tariff

CALM = Moment(prompt=40_000, floor=19_000, readable=6_000, meter=0.0, warm=True)
COLD = replace(CALM, warm=False)
FREE = Tariff(0, 0, 0, 0, 300.0)


def test_a_compression_writes_what_the_cache_does_not_hold_and_expects_a_re_read():
    rewritten = (19_000 - 6_000) * (3.125 - 0.25)
    again = 0.85 * (120 * 7.5 + 19_000 * 0.25) + 0.85 * 2_220 * 3.125
    assert compression_usd(CALM, REFERENCE) == pytest.approx((rewritten + again) / 1e6)


def test_on_a_cold_cache_what_need_not_be_written_pays_for_the_re_read():
    assert compression_usd(COLD, REFERENCE) == 0
    assert compression_usd(replace(COLD, prompt=19_500), REFERENCE) > 0


def test_a_paragraph_makes_it_dearer():
    assert compression_usd(replace(CALM, extra_usd=0.01), REFERENCE) == pytest.approx(
        compression_usd(CALM, REFERENCE) + 0.01
    )


@given(st.floats(0.1, 10))
def test_without_a_known_tail_it_is_due_exactly_when_the_rent_reaches_alpha_times_the_price(alpha):
    price = compression_usd(CALM, REFERENCE)
    assert due(replace(CALM, meter=alpha * price * 1.001), REFERENCE, Rule(alpha=alpha))
    assert due(replace(CALM, meter=alpha * price * 0.999), REFERENCE, Rule(alpha=alpha)) is None


def test_it_waits_while_a_big_result_is_about_to_leave_the_tail_but_not_for_ever():
    price = compression_usd(CALM, REFERENCE)
    even = replace(CALM, tail=(700,) * 10, growth=700.0, meter=price)
    leaving = replace(even, tail=(5_000, *(222,) * 9))
    assert due(even, REFERENCE, Rule()) is not None
    assert due(leaving, REFERENCE, Rule()) is None
    assert due(replace(leaving, meter=2.3 * price), REFERENCE, Rule()) is not None


def test_it_goes_early_at_a_calm_moment_and_never_much_too_early():
    price = compression_usd(CALM, REFERENCE)
    even = replace(CALM, tail=(700,) * 10, growth=700.0)
    assert due(replace(even, meter=0.75 * price), REFERENCE, Rule()) is not None
    assert due(replace(even, meter=0.65 * price), REFERENCE, Rule()) is None


def test_a_cold_cache_is_used_unless_the_rule_says_otherwise():
    assert "expired" in due(COLD, REFERENCE, Rule())
    assert due(COLD, REFERENCE, Rule(cold=False)) is None


@pytest.mark.parametrize("moment", [CALM, COLD])
def test_nothing_is_due_where_nothing_would_leave_or_nothing_costs(moment):
    assert due(replace(moment, prompt=moment.floor, meter=9.0), REFERENCE, Rule()) is None
    assert due(replace(moment, tail=(700,) * 10, growth=700.0), FREE, Rule()) is None


def test_a_ping_pays_for_a_big_context_and_only_so_often():
    assert pays_to_ping(CALM, 0, REFERENCE, Rule())
    assert not pays_to_ping(CALM, most_pings(REFERENCE), REFERENCE, Rule())
    assert not pays_to_ping(COLD, 0, REFERENCE, Rule())
    assert not pays_to_ping(CALM, 0, REFERENCE, Rule(keep_alive=False))
    assert not pays_to_ping(CALM, 0, replace(REFERENCE, ttl_s=None), Rule())


def test_the_cheaper_a_read_is_next_to_a_write_the_longer_a_cache_is_kept():
    half = replace(REFERENCE, read=REFERENCE.read / 2)
    assert most_pings(REFERENCE) == 5
    assert most_pings(half) == 12
    assert most_pings(FREE) == 0


def test_a_ping_does_not_pay_for_a_context_that_would_be_shortened_for_less():
    assert not pays_to_ping(replace(CALM, prompt=150_000), 0, REFERENCE, Rule())


@pytest.mark.parametrize("alpha", [0, -1, float("nan")])
def test_alpha_has_to_be_above_zero(alpha):
    with pytest.raises(ValueError, match="above 0"):
        Rule(alpha=alpha)


def test_break_even_and_optimal_period():
    assert break_even_turns(CALM, REFERENCE) == pytest.approx(
        compression_usd(CALM, REFERENCE) / rent_usd(CALM, REFERENCE)
    )
    assert break_even_turns(replace(CALM, prompt=19_000), REFERENCE) is None
    assert optimal_period(0.1, 708, REFERENCE) == pytest.approx((2 * 0.1 / (708 * 0.25e-6)) ** 0.5)
