"""The ledger: what each request cost, by purpose and class, with the provider's own bill preferred."""

from decimal import Decimal

from spending import Spender, priced

from core.events import Price, Usage
from core.folds.costs import Costs, split
from core.folds.fold import Dispatcher


def costs_of(log):
    costs = Costs()
    dispatch = Dispatcher([costs])
    for event in log.events:
        dispatch.apply(event)
    return costs


def test_side_requests_and_broken_replies_are_paid_for_under_their_own_names():
    log = Spender()
    log.spend(10_000, 0)
    log.aside("ping", Usage(cache_read=10_000, output=1))
    log.aside("digest", Usage(cache_read=10_000, output=300))
    key = log.ask(10_200)
    log.break_off(key, Usage(cache_read=10_000, output=50))
    log.answer(log.ask(10_200, attempt=2), 10_200, 10_000)
    costs = costs_of(log)
    assert {name: series.last.replies for name, series in costs.by_purpose.items()} == {
        "main": 2,
        "ping": 1,
        "digest": 1,
        "retry": 1,
    }
    assert costs.by_purpose["ping"].last.usd == Decimal("0.0025075")
    assert [charge.key for charge in costs.charges.items][-1] == "r2.2"
    assert costs.last.last.usage.cache_read == 10_000


def test_a_failure_without_a_known_cost_is_no_charge():
    log = Spender()
    log.break_off(log.ask(5_000), None)
    assert costs_of(log).total.last.replies == 0


def test_the_providers_own_bill_is_split_by_list_prices_brought_to_it():
    usage = Usage(cache_read=10_000, cache_write_5m=1_000, output=100)
    parts = split(usage, priced(usage, "0.01", "provider"))
    assert parts.scaled and sum(parts.by_class.values()) == Decimal("0.01")
    assert parts.by_class["cache_write_5m"] > parts.by_class["cache_read"] > parts.by_class["output"] > 0


def test_a_bill_without_list_prices_is_not_guessed_apart():
    parts = split(Usage(fresh=10), Price(cost="0.5", source="provider"))
    assert parts.rest == Decimal("0.5") and not any(parts.by_class.values())


def test_an_unknown_price_is_counted_and_never_zero():
    log = Spender()
    log.answer(log.ask(5_000), 5_000, 0, Price())
    bill = costs_of(log).total.last
    assert bill.unpriced == bill.replies == 1
