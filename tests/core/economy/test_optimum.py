"""The hindsight optimum: equal to trying out every plan, and never above what any policy of its class pays."""

from itertools import chain, combinations, pairwise
from math import ceil

import pytest
from economy_samples import W1, shapes, tariffs, turns, workloads
from hypothesis import given, settings
from hypothesis import strategies as st

from core.economy.context import Shape
from core.economy.optimum import optimum
from core.economy.policies import Auto, Off, simulate
from core.economy.rule import REREAD_CALL, REREAD_TOKENS, REREADS, Rule
from core.economy.tariff import REFERENCE


def prompt_of(workload, shape, moments, turn):
    """The prompt of a request as named segments, written down from the definition."""
    last = max((moment for moment in moments if moment <= turn), default=0)
    segments = [("system", workload.system)]
    if last:
        edges = [0, *(moment - shape.keep for moment in moments if moment <= turn)]
        ledgers = pairwise(edges)
        segments += [(f"ledger {end}", shape.ledger * (end - start)) for start, end in ledgers]
        segments.append((f"digest {last}", shape.digest))
    first = max(0, last - shape.keep) if last else 0
    sizes = [(f"turn {index}", workload.turns[index].size) for index in range(first, turn)]
    kept = last - first
    return segments + sizes[:kept] + ([(f"reread {last}", REREAD_TOKENS)] if last else []) + sizes[kept:]


def common(before, now):
    total = 0
    for one, other in zip(before, now, strict=False):
        if one != other:
            break
        total += one[1]
    return total


def plan_usd(workload, tariff, shape, moments, pinged):
    """What one plan costs, by comparing the segments of each prompt with those of the one before."""
    usd, before = 0.0, None
    for turn, now in enumerate(prompt_of(workload, shape, moments, index) for index in range(len(workload.turns))):
        prompt = sum(tokens for _, tokens in now)
        size_before = sum(tokens for _, tokens in before) if before else 0
        gap = workload.turns[turn - 1].gap_s if turn else 0.0
        cached = tariff.ttl_s is not None and size_before >= tariff.minimum
        if cached and gap > tariff.ttl_s:
            cached = turn in pinged
            usd += (ceil(gap / tariff.ttl_s) - 1) * tariff.read * size_before if cached else 0.0
        if turn in moments:
            after = prompt - REREAD_TOKENS
            small = tariff.ttl_s is None or after < tariff.minimum
            again = tariff.input if small else tariff.read
            usd += REREADS * (REREAD_CALL * tariff.output + after * again)
        if tariff.ttl_s is None or prompt < tariff.minimum:
            usd += prompt * tariff.input
        else:
            usd += tariff.prompt_usd(prompt, common(before, now) if cached else 0)
        usd += workload.turns[turn].output * tariff.output
        before = now
    return usd


def subsets(items):
    return chain.from_iterable(combinations(items, count) for count in range(len(items) + 1))


def by_trying_everything(workload, tariff, shape):
    count = len(workload.turns)
    long = [
        turn for turn in range(1, count) if tariff.ttl_s is not None and workload.turns[turn - 1].gap_s > tariff.ttl_s
    ]
    return min(
        plan_usd(workload, tariff, shape, moments, pinged)
        for moments in subsets(range(shape.keep + 1, count))
        for pinged in subsets(long)
    )


@settings(max_examples=60, deadline=None)
@given(workloads(turns, 1, 6), tariffs, shapes)
def test_it_equals_the_best_of_all_plans(workload, tariff, shape):
    assert optimum(workload, tariff, shape).usd == pytest.approx(by_trying_everything(workload, tariff, shape))


@settings(max_examples=60, deadline=None)
@given(workloads(), tariffs, shapes, st.floats(0.05, 8), st.booleans(), st.booleans())
def test_no_policy_of_its_class_is_cheaper(workload, tariff, shape, alpha, cold, keep_alive):
    least = optimum(workload, tariff, shape).usd * (1 - 1e-9)
    assert least <= simulate(workload, Auto(Rule(alpha, cold, keep_alive), shape), tariff).total
    assert least <= simulate(workload, Off(), tariff).total


@settings(max_examples=40, deadline=None)
@given(workloads(most=20), shapes)
def test_its_moments_are_a_plan_of_the_class(workload, shape):
    moments = optimum(workload, REFERENCE, shape).moments
    assert list(moments) == sorted(set(moments))
    assert all(shape.keep < moment < len(workload.turns) for moment in moments)


def test_the_reference_workload_has_a_known_optimum():
    best = optimum(W1, REFERENCE)
    assert best.usd == pytest.approx(15.38, abs=0.005)
    assert len(best.moments) == 49
    assert optimum(W1, REFERENCE, Shape(ledger=0)).usd < best.usd
