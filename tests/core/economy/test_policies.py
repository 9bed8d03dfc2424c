"""The policies on one till: known totals of the uniform workload, and what must hold for any workload."""

import pytest
from economy_samples import IMPLICIT, UNCACHED, W1, tariffs, warm_turns, workloads
from hypothesis import given, settings
from hypothesis import strategies as st

from core.economy.context import Shape
from core.economy.optimum import optimum
from core.economy.policies import INSTRUCTION, Auto, Mask, Off, Summarize, Window, simulate
from core.economy.presets import policies
from core.economy.rule import Rule
from core.economy.tariff import REFERENCE
from core.economy.workload import Turn, Workload

NAMES = list(policies())


@pytest.mark.parametrize(
    ("policy", "tariff", "usd"),
    [
        (Off(), REFERENCE, 124.77),
        (Off(), IMPLICIT, 244.35),
        (Window(), REFERENCE, 236.65),
        (Window(), IMPLICIT, 193.09),
        (Mask(), REFERENCE, 54.10),
        (Mask(), IMPLICIT, 100.60),
        (Mask(), UNCACHED, 479.96),
        (Summarize(trigger=800_000), REFERENCE, 118.12),
    ],
    ids=lambda value: getattr(type(value), "__name__", ""),
)
def test_baselines_cost_on_the_uniform_workload_what_an_independent_model_found(policy, tariff, usd):
    assert simulate(W1, policy, tariff).total == pytest.approx(usd, abs=0.01)


def test_the_default_reaches_its_aim_on_the_uniform_workload():
    bill = simulate(W1, Auto(), REFERENCE)
    assert bill.total <= 15.50
    assert bill.hit_rate >= 0.95
    assert bill.peak <= 60_000
    assert bill.misses == 0


@settings(max_examples=60, deadline=None)
@given(workloads(), tariffs, st.sampled_from(NAMES))
def test_every_token_sent_is_read_written_or_neither_and_every_dollar_has_a_class(workload, tariff, name):
    bill = simulate(workload, policies()[name](), tariff)
    assert bill.sent == pytest.approx(bill.read + bill.written + bill.uncached)
    assert bill.usd["read"] == pytest.approx(bill.read * tariff.read)
    assert bill.usd["write"] == pytest.approx(bill.written * tariff.write)
    assert bill.usd["uncached"] == pytest.approx(bill.uncached * tariff.input)
    assert bill.usd["output"] == pytest.approx(bill.output * tariff.output)
    assert bill.curve == sorted(bill.curve)
    assert bill.curve[-1] == pytest.approx(bill.total)
    assert len(bill.curve) == len(workload.turns)


@settings(max_examples=40, deadline=None)
@given(workloads(), tariffs)
def test_without_compression_each_token_is_fresh_once(workload, tariff):
    bill = simulate(workload, Off(), tariff)
    before_last = sum(turn.size for turn in workload.turns[:-1])
    assert bill.fresh == workload.system + before_last == bill.peak


@settings(max_examples=60, deadline=None)
@given(workloads(warm_turns, 2, 120, st.integers(1_024, 9_000)))
def test_on_a_warm_cache_the_rent_rule_never_pays_twice_what_hindsight_would(workload):
    shape = Shape(keep=1, digest=2_000, ledger=0)
    bill = simulate(workload, Auto(Rule(alpha=1.0), shape), REFERENCE)
    assert bill.total <= 2 * optimum(workload, REFERENCE, shape).usd


def long_pause(seconds, busy=12):
    before = after = (Turn(300, 2_000, 10.0),) * busy
    return Workload("paused", (*before, Turn(300, 2_000, seconds), *after))


def test_a_pause_just_beyond_the_cache_is_bridged_by_a_ping():
    bill = simulate(long_pause(400.0), Auto(), REFERENCE)
    assert (bill.pings, bill.misses) == (1, 0)
    assert bill.usd["pings"] > 0


def test_keep_alive_gives_up_on_who_stays_away():
    bill = simulate(long_pause(50_000.0), Auto(), REFERENCE)
    assert bill.misses == 1
    assert 1 <= bill.pings <= 5


def test_a_cold_cache_is_taken_as_the_moment_to_compress():
    workload = long_pause(50_000.0, busy=25)
    eager, patient = (simulate(workload, Auto(Rule(cold=cold, alpha=50)), REFERENCE) for cold in (True, False))
    assert (eager.compressions, patient.compressions) == (1, 0)
    assert eager.total < patient.total


def test_prompts_below_the_caches_minimum_pay_the_plain_price():
    bill = simulate(Workload("small", (Turn(10, 10, 1.0),) * 3, 900), Off(), REFERENCE)
    assert (bill.read, bill.written, bill.uncached) == (0, 0, 900 + 920 + 940)


def test_a_paragraph_is_asked_for_only_while_the_cache_is_warm():
    workload = Workload("cold", (Turn(300, 4_000, 50_000.0),) * 40)
    asked = simulate(workload, Auto(Rule(keep_alive=False), paragraph=400), REFERENCE)
    plain = simulate(workload, Auto(Rule(keep_alive=False)), REFERENCE)
    assert asked.compressions == plain.compressions > 0
    assert asked.output == plain.output


def test_a_paragraph_is_billed_as_a_request_of_its_own():
    plain, asked = (simulate(W1, Auto(paragraph=tokens), REFERENCE) for tokens in (0, 400))
    assert asked.total > plain.total
    assert asked.fresh >= asked.compressions * INSTRUCTION


def test_a_limit_forces_a_compression_that_no_rent_has_paid_for():
    free, bounded = (simulate(W1, Auto(Rule(alpha=500), limit=limit), REFERENCE) for limit in (None, 60_000))
    assert free.peak > 60_000
    assert bounded.peak <= 60_000 + W1.turns[0].size
    assert bounded.compressions > 0


def test_a_window_never_holds_more_than_its_turns():
    bill = simulate(W1, Window(turns=100, anchors=1), REFERENCE)
    assert bill.peak == W1.system + 100 * W1.turns[0].size
