"""What is told of people, plans and checks reads as of an event as a fresh count up to it, and its parts add up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lives import folded, lives

from core.folds.absence import KINDS
from core.folds.lanes import LANES, cell_of
from core.folds.step_costs import Spend


def picture(view, seen, at=None):
    return {
        "receipts": view.guidance.receipts(at),
        "idle": view.idle.until_us(at),
        "steps": view.step_costs.at(at),
        "elsewhere": view.step_costs.elsewhere(at),
        "reassessments": view.step_costs.reassessments(at),
        "events": view.lanes.strip(7, at),
        "time": view.lanes.strip(7, at, "time"),
        "proof": view.checks.proof.at(at),
        "vain": view.progress.vain.at(at),
        "retries": view.progress.retries.at(at),
        "account": view.absence.since(seen, at),
    }


@settings(max_examples=80, deadline=None)
@given(lives(), st.data())
def test_everything_as_of_an_event_equals_a_fresh_fold_up_to_it(log, data):
    seq = data.draw(st.integers(1, len(log.events)))
    seen = data.draw(st.integers(0, seq))
    whole, fresh = folded(log.events), folded(log.events[:seq])
    assert picture(whole, seen, seq) == picture(fresh, seen)


@settings(max_examples=60, deadline=None)
@given(lives(), st.data())
def test_the_steps_and_the_time_beside_them_add_up_to_the_session(log, data):
    view, at = folded(log.events), data.draw(st.integers(1, len(log.events)))
    spent = sum((cost.spend for cost in view.step_costs.at(at)), view.step_costs.elsewhere(at))
    bill = view.costs.total.at(at)
    ran_us = view.timeline.at_us(at) - view.timeline.at_us(1) - view.idle.until_us(at)
    turns = len(view.costs.turns(at))
    assert spent == Spend(turns, view.tool_calls.count(at), bill.usd, bill.unpriced, ran_us)
    assert ran_us >= 0


@settings(max_examples=60, deadline=None)
@given(lives(), st.integers(1, 40), st.sampled_from(["events", "time"]), st.data())
def test_the_cells_of_a_strip_are_the_session_without_gap_or_overlap(log, width, axis, data):
    view, at = folded(log.events), data.draw(st.integers(1, len(log.events)))
    cells = view.lanes.strip(width, at, axis)
    assert [seq for cell in cells for seq in range(cell.first, cell.last + 1)] == list(range(1, at + 1))
    assert sum(cell.usd for cell in cells) == pytest.approx(float(view.costs.total.at(at).usd))
    assert sum(cell.calls for cell in cells) == view.tool_calls.count(at)
    for seq in range(1, at + 1):
        cell = cells[cell_of(cells, seq)]
        assert cell.first <= seq <= cell.last
    for lane in LANES:
        for cell in cells:
            place = view.lanes.first(lane, cell)
            assert (place is not None) == bool(getattr(cell, lane))
            assert place is None or cell.first <= place <= cell.last


@settings(max_examples=60, deadline=None)
@given(lives(), st.data())
def test_each_line_lies_in_the_absence_on_one_line_and_what_was_seen_is_not_told_again(log, data):
    at = data.draw(st.integers(1, len(log.events)))
    seen = data.draw(st.integers(0, at))
    account = folded(log.events).absence.since(seen, at)
    kinds = [line.kind for line in account.lines]
    assert kinds == sorted(kinds, key=KINDS.index)
    assert all(seen < line.seq <= at and line.text and "\n" not in line.text for line in account.lines)
    assert len(account.asks) <= 5 and all(0 < ask.seq <= at and ask.verb for ask in account.asks)
    assert account.verdict.text.endswith(".") and account.verdict.idle_s >= 0
    assert seen < at or not account.lines
