"""Estimates beside the documented rows, and what a session would have cost otherwise."""

import pytest
from economy_samples import W1, workloads
from hypothesis import given, settings

from core.economy.context import Shape
from core.economy.counterfactual import counterfactuals
from core.economy.estimate import CLAIMS, Claim, Range, claim_for, estimate, objections
from core.economy.presets import PRESETS, Parameters, policies
from core.economy.tariff import REFERENCE


def test_an_estimate_grows_with_the_hours_and_its_range_is_one():
    rows = [estimate(hours) for hours in (1, 4, 12, 35)]
    assert [row.calls for row in rows] == [33, 132, 396, 1_155]
    assert all(row.usd.low < row.usd.high for row in rows)
    assert [row.usd.low for row in rows] == sorted(row.usd.low for row in rows)
    assert all(row.fresh.low < row.sent.low == pytest.approx(row.read.low + row.written.low, abs=2) for row in rows)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim.hours:g}h")
def test_no_documented_row_holds_as_tokens_times_price(claim):
    sentences = objections(claim)
    assert any("if every one of them were output" in sentence for sentence in sentences)
    assert any("a request" in sentence for sentence in sentences)


def test_a_row_that_can_hold_meets_no_objection():
    assert objections(Claim(1, Range(400_000, 600_000), Range(1, 3))) == ()
    assert claim_for(2) is None


@pytest.mark.parametrize(("hours", "rate"), [(0, 33), (-1, 33), (float("nan"), 33), (1e9, 33), (1, 0), (0.001, 33)])
def test_hours_that_make_no_session_are_refused(hours, rate):
    with pytest.raises(ValueError, match="can't be estimated"):
        estimate(hours, rate)


def test_the_counterfactuals_of_the_uniform_session_are_the_known_totals():
    rows = {row.name: row for row in counterfactuals(W1.turns, REFERENCE, W1.system, 200_000)}
    assert [round(row.usd, 2) for row in rows.values()] == [124.77, 236.65, 31.73, 15.38]
    assert [row.fits for row in rows.values()] == [False, True, True, True]


@settings(max_examples=30, deadline=None)
@given(workloads())
def test_hindsight_never_pays_more_than_no_compression(workload):
    rows = counterfactuals(workload.turns, REFERENCE, workload.system, shape=Shape(2, 1_000))
    assert [row.name for row in rows] == ["no compression", "a window of 200 messages", "the best in hindsight"]
    assert rows[-1].usd <= rows[0].usd * (1 + 1e-9)


def test_a_session_without_a_turn_costs_nothing():
    assert {row.usd for row in counterfactuals((), REFERENCE)} == {0}


def test_the_reference_preset_has_the_documented_parameters():
    preset = PRESETS["reference"]
    assert (preset.most_turns, preset.budget_usd, preset.window_anchors) == (2_000, 50.0, 0)
    assert (2 * preset.keep_turns, 2 * preset.window_turns) == (50, 200)


def test_policies_refuse_an_alpha_that_is_not_above_zero():
    with pytest.raises(ValueError, match="above 0"):
        policies(Parameters(alpha=0))
