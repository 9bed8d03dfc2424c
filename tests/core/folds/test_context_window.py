"""Our estimates in the provider's tokens: calibrated by the last replies, with what is left over said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spending import Spender

from core.events import ToolFinished
from core.folds.view import SessionView


def view_of(log):
    view = SessionView()
    view.apply_all(log.events)
    return view


def counted(log, estimated, sent, read=0):
    """A request that we estimate at `estimated` tokens and the provider counts as `sent`."""
    log.answer(log.ask(estimated), sent, read)


def total(log):
    """Our estimate of the last request."""
    return sum(next(e.body.parts for e in reversed(log.events) if e.kind == "model.requested").values())


def test_one_odd_count_does_not_move_the_ratio():
    log = Spender()
    for _ in range(5):
        counted(log, 10_000, 12_000)
    ratio = view_of(log).context.ratio
    counted(log, 10_000, 40_000)
    assert view_of(log).context.ratio == ratio


def test_what_the_provider_counts_beyond_the_parts_is_said_and_may_be_less():
    log = Spender()
    for _ in range(3):
        counted(log, 10_000, 10_000)
    counted(log, 10_000, 9_000)
    usage = view_of(log).context.usage.last
    assert usage.total == 9_000 and usage.residual < 0


@settings(max_examples=40, deadline=None)
@given(st.floats(0.7, 1.6), st.floats(0.7, 1.6), st.lists(st.integers(200, 3_000), min_size=3, max_size=12))
def test_the_next_prompt_is_foreseen_when_text_counts_otherwise_than_system_and_tools(fixed, growing, steps):
    log, estimated, sent = Spender(), 10_000.0, 10_000 * fixed
    counted(log, round(estimated), round(sent))
    for step in steps:
        estimated, sent = estimated + step, sent + step * growing
        counted(log, round(estimated), round(sent))
    basis = total(log)
    view = view_of(log)
    foreseen = view.context.tokens(basis + 1_000)
    assert foreseen == pytest.approx(sent + 1_000 * growing, rel=0.02)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.7, 1.6),
    st.integers(-40, 120),
    st.lists(st.integers(200, 3_000), min_size=8, max_size=12, unique_by=lambda step: step // 50),
    st.data(),
)
def test_what_each_turn_adds_beside_its_text_is_learned_and_an_odd_count_is_not(growing, aside, steps, data):
    log, estimated, sent = Spender(), 10_000, 12_000.0
    counted(log, estimated, round(sent))
    odd = data.draw(st.sampled_from(range(len(steps))))
    for index, step in enumerate(steps):
        estimated, sent = estimated + step, sent + aside + step * growing + (9_000 if index == odd else 0)
        counted(log, estimated, round(sent))
    foreseen = view_of(log).context.tokens(total(log) + 1_000) - sent
    added = aside + growing * 1_000 * estimated / total(log)
    assert foreseen == pytest.approx(added, rel=0.02, abs=8)


def test_after_a_compression_the_whole_prompt_is_estimated_by_its_ratio():
    log = Spender()
    for _ in range(3):
        counted(log, 20_000, 24_000)
    ratio = view_of(log).context.ratio
    log.compress()
    assert view_of(log).context.tokens(5_000) == round(5_000 * ratio)


def test_a_session_is_a_workload_of_outputs_results_and_gaps():
    log = Spender()
    log.answer(log.ask(10_000, after_s=5), 10_000, 0, output=240)
    log.answer(log.ask(10_700, after_s=99), 10_708, 10_000, output=240)
    log.compress()
    log.add(ToolFinished(name="read_file", use_id="u", ok=True, content="x" * 4_000), "r2.1.0")
    view = view_of(log)
    first, second = view.workload.turns()
    assert first == (240, 468, 0.0) and second[0] == 240 and second[2] == 100.0
    assert second[1] == pytest.approx(1_000 * view.context.growth_ratio, rel=0.01)
    log.answer(log.ask(6_000, after_s=9), 6_000, 3_000)
    assert view_of(log).workload.turns()[1] == second
    assert view_of(log).workload.first_prompt == 10_000
    assert view_of(log).workload.row["cache_read"] == "0.25"
