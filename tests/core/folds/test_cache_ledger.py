"""Every miss has its cause and its price; what was planned, and what is no miss, is not counted as a loss."""

from decimal import Decimal

import pytest
from spending import TTL_S, Spender

from core.events import ContextRestored, HeadMoved, ModelSwitched, Usage
from core.folds.cache import CacheLedger
from core.folds.fold import Dispatcher
from core.folds.view import SessionView


def ledger_of(log):
    ledger = CacheLedger()
    dispatch = Dispatcher([ledger])
    for event in log.events:
        dispatch.apply(event)
    return ledger


def warm(**more):
    """A session with one answered request of 20,000 tokens."""
    log = Spender()
    log.spend(20_000, 0, **more)
    return log


def only(log):
    misses = ledger_of(log).misses()
    assert len(misses) == 1
    return misses[0]


def test_a_view_that_watches_the_cache_once_for_all_its_folds_finds_the_same_misses():
    log = warm()
    log.spend(21_000, 0)
    log.add(ModelSwitched(model="n"))
    log.spend(22_000, 0)
    log.spend(23_000, 22_000)
    view, alone = SessionView(), ledger_of(log)
    view.apply_all(log.events)
    assert view.cache.misses() == alone.misses() != []
    for seq in range(1, len(log.events) + 1):
        assert view.cache.lifetime.at(seq) == alone.lifetime.at(seq)
        assert view.cache.recent_rate.at(seq) == alone.recent_rate.at(seq)


def test_the_first_request_is_no_miss_and_a_hit_is_none():
    log = warm()
    log.spend(21_000, 20_000)
    log.spend(22_000, 20_800)  # as close as blocks of a cache come
    assert ledger_of(log).misses() == []


def test_an_expired_cache_says_how_long_it_was_not_refreshed():
    log = warm()
    log.spend(21_000, 0, after_s=411)
    miss = only(log)
    assert miss.cause == "expired" and miss.detail.startswith("412 s")
    assert miss.tokens == 20_000
    assert miss.usd == Decimal("0.0575")


def test_a_ping_puts_off_the_end():
    log = warm()
    log.aside("ping", Usage(cache_read=20_000, output=1), after_s=250)
    log.spend(21_000, 20_000, after_s=250)
    ledger = ledger_of(log)
    assert ledger.misses() == []
    at_us = next(event.at_us for event in reversed(log.events) if event.kind == "model.requested")
    assert ledger.lifetime.last.left_s(at_us + 100_000_000) == TTL_S - 100
    assert ledger.lifetime.last.left_s(at_us + 900_000_000) == 0


def test_a_failed_request_does_not_keep_the_cache_alive():
    log = warm()
    log.break_off(log.ask(21_000, after_s=200), None)
    log.spend(21_000, 0, after_s=200, attempt=2)
    assert only(log).cause == "expired"


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"model": "n"}, "model changed"),
        ({"system": "other"}, "system changed"),
        ({"tools": "other"}, "tools changed"),
        ({"changed_at": 7}, "prefix changed"),
        ({}, "unexplained"),
    ],
)
def test_what_changed_is_the_cause(changed, cause):
    log = warm()
    log.spend(21_000, 1_000, **changed)
    assert only(log).cause == cause


def test_an_unsaid_system_is_the_one_before():
    log = warm()
    log.spend(21_000, 20_000, system="", tools="")
    log.spend(22_000, 0, system="", tools="")
    assert only(log).cause == "unexplained"


def test_a_changed_prefix_names_its_block_and_what_moved_it():
    log = warm()
    node = log.head
    log.spend(21_000, 20_000)
    log.add(HeadMoved(to=node, origin=log.head, reason="rewind"))
    log.spend(20_500, 9_000, changed_at=12)
    assert only(log).detail == "at block 12, after a rewind"


def test_a_compression_is_planned_and_its_undoing_is_not():
    log = warm()
    seq = log.compress()
    log.spend(9_000, 3_000, changed_at=4)
    planned = only(log)
    assert planned.planned and planned.tokens == 6_000
    log.add(ContextRestored(seq=seq))
    log.spend(22_000, 3_000, changed_at=4)
    last = ledger_of(log).misses()[-1]
    assert (last.cause, last.detail) == ("prefix changed", "at block 4, after undoing a compression")


def test_a_compression_of_an_expired_cache_is_the_clocks_doing():
    log = warm()
    log.compress()
    log.spend(9_000, 0, after_s=900)
    assert only(log).cause == "expired"


def test_a_prompt_below_the_minimum_is_never_cached():
    log = Spender()
    log.spend(900, 0, readable=900)
    log.spend(1_500, 0, readable=900)
    assert only(log).cause == "below minimum"


def test_too_many_blocks_without_a_marker_between_are_a_look_back():
    log = warm(marks=[0])
    for index in range(25):
        log.finish("r1.1", index, "read_file")
    log.spend(21_000, 0, marks=[3])
    assert only(log).cause == "look-back"


def test_without_a_cache_nothing_is_missed():
    log = warm(ttl_s=None)
    log.spend(21_000, 0, ttl_s=None)
    assert ledger_of(log).misses() == []
    assert ledger_of(log).lifetime.last.left_s(log.at_us) is None


def test_a_switched_model_starts_with_no_cache():
    log = warm()
    log.add(ModelSwitched(model="n"))
    assert ledger_of(log).lifetime.last.left_s(log.at_us) is None
    log.spend(21_000, 0, model="n")
    miss = only(log)
    assert (miss.cause, miss.detail) == ("model changed", "m → n")


def test_losses_add_up_by_cause_and_an_unknown_price_is_said():
    from core.events import Price

    log = warm()
    log.spend(21_000, 0)
    log.answer(log.ask(22_000), 22_000, 0, Price())
    loss = ledger_of(log).losses.last["unexplained"]
    assert (loss.count, loss.tokens, loss.unpriced) == (2, 41_000, 1)


def test_the_recent_rate_forgets_what_is_twenty_requests_back():
    log = warm()
    for _ in range(20):
        log.spend(20_000, 19_000)
    assert ledger_of(log).recent_rate.last == pytest.approx(0.95)
