"""The rent meter, forecasts and the cost to go."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spending import Spender

from core.events import ContextPolicy, ContextRestored, HeadMoved, ModelSwitched, ToolFinished
from core.folds.rent import Errors, NextCall
from core.folds.view import SessionView


def rent_of(log):
    view = SessionView()
    view.apply_all(log.events)
    return view.rent


def test_rent_is_paid_for_what_is_above_the_floor_until_a_compression():
    log = Spender()
    log.spend(16_000, 0)
    log.spend(26_000, 16_000)
    meter = rent_of(log).meter.last
    assert meter.usd == Decimal("0.0075")  # 10,000 and 20,000 tokens at $0.25 a million
    assert meter.share == pytest.approx(0.375)
    assert meter.turns == 2
    compressed = log.compress()
    assert rent_of(log).meter.last.usd == 0 and rent_of(log).meter.last.since == compressed
    log.spend(5_000, 3_000)
    assert rent_of(log).meter.last.usd == 0


@pytest.mark.parametrize("undone", [True, False])
def test_the_meter_starts_anew_when_the_history_is_another(undone):
    log = Spender()
    seq = log.compress()
    node = log.head
    log.spend(26_000, 0)
    log.add(ContextRestored(seq=seq) if undone else HeadMoved(to=node, origin=log.head, reason="rewind"))
    assert rent_of(log).meter.last.usd == 0


def test_the_next_call_grows_with_a_result_and_is_dearer_cold():
    log = Spender()
    log.spend(20_000, 0)
    before = rent_of(log).next_call.last
    log.add(ToolFinished(name="read_file", use_id="u", ok=True, content="x" * 40_000), "r1.1.0")
    after = rent_of(log).next_call.last
    assert before.warm < before.cold and before.warm < after.warm
    # 20,000 tokens read, 200 of the reply and about 10,000 of the result written, 200 to come.
    assert float(after.warm) == pytest.approx(20_000 * 0.25e-6 + 10_200 * 3.125e-6 + 200 * 7.5e-6, rel=0.25)


def test_after_a_switch_the_prices_of_the_model_before_say_nothing():
    log = Spender()
    log.spend(20_000, 0)
    log.add(ModelSwitched(model="another"))
    assert rent_of(log).next_call.last == NextCall()


def test_after_a_compression_only_the_head_is_still_cached():
    log = Spender()
    log.spend(20_000, 0)
    before = rent_of(log).next_call.last
    log.compress()
    after = rent_of(log).next_call.last
    assert after.cold < before.cold


def test_forecasts_are_judged_by_how_warm_the_cache_was():
    log = Spender()
    log.spend(20_000, 0, readable=0, warm_usd="0.064", cold_usd="9")
    assert rent_of(log).error.last == pytest.approx(0, abs=0.01)
    log.spend(20_000, 0, warm_usd="9", cold_usd="0.0704")
    log.spend(20_000, 0, warm_usd="9", cold_usd="0.0704")
    assert rent_of(log).error.last == pytest.approx(0.1, abs=0.02)


@given(st.lists(st.integers(0, 999), min_size=1, max_size=40))
def test_the_median_of_a_histogram_is_the_median_to_a_thousandth(errors):
    kept = Errors()
    for error in errors:
        kept.add(Decimal(1_000 + error), Decimal(1_000))
    assert kept.median == sorted(errors)[(len(errors) - 1) // 2] / 1_000


def test_the_turns_to_go_come_from_the_plan_then_the_limit_then_habit():
    log = Spender()
    assert rent_of(log).turns_to_go() == (20, "next calls")
    log.plan(0)
    for _ in range(6):
        log.spend(20_000, 19_000)
    log.plan(2)
    assert rent_of(log).turns_to_go() == (6, "plan")
    log.spend(20_000, 19_000)
    assert rent_of(log).turns_to_go() == (5, "plan")


def test_the_cost_to_go_has_a_range_around_what_turns_have_cost():
    log = Spender()
    assert rent_of(log).to_go() is None
    for index in range(10):
        log.spend(20_000, 19_000 if index % 2 else 15_000)
    to_go = rent_of(log).to_go()
    assert 0 <= to_go.low < to_go.middle < to_go.high and to_go.turns == 20


def test_the_policy_is_the_one_that_was_chosen_last():
    log = Spender()
    assert rent_of(log).policy.last == "auto"
    log.add(ContextPolicy(policy="off"))
    assert rent_of(log).policy.last == "off"
