"""The price of the next request is one number, wherever it is shown and whatever it decides."""

from decimal import Decimal

from spending import Spender

from core.agent.facts import Facts
from core.agent.thrift import Carrying, Thrift
from core.clock import VirtualClock
from core.economy.rule import most_pings
from core.economy.tariff import REFERENCE
from core.events import ModelSwitched
from core.folds.view import SessionView


def both(log, minutes_later=0.0):
    """The price by the runner's facts, and by the view of a screen."""
    facts, view = Facts(), SessionView()
    facts.apply_all(log.events)
    view.apply_all(log.events)
    now_us = log.events[-1].at_us + int(minutes_later * 60_000_000)
    thrift = Thrift(facts, Carrying(), lambda model, sent: REFERENCE, VirtualClock(now_us))
    left_s = view.cache.lifetime.last.left_s(now_us)
    return thrift.next_usd(), view.rent.next_call.last.usd(expired=left_s == 0)


def test_the_dialog_the_budget_and_the_status_line_have_the_same_price():
    log = Spender()
    log.spend(20_000, 0)
    log.spend(24_000, 20_000)
    warm, cold = both(log), both(log, 6)
    assert warm[0] == warm[1] and cold[0] == cold[1]
    assert warm[0] < cold[0]


def test_after_a_compression_too():
    log = Spender()
    log.spend(20_000, 0)
    log.compress()
    decided, shown = both(log)
    assert decided == shown


def test_a_model_that_has_not_answered_yet_is_priced_without_a_cache():
    log = Spender()
    log.spend(20_000, 0)
    log.add(ModelSwitched(model="another"))
    decided, shown = both(log)
    assert shown is None and decided > Decimal("0.01")


def test_a_waiting_session_is_kept_warm_where_its_next_request_begins_with_all_of_the_last_one():
    log = Spender()
    log.spend(200_000, 0)
    log.spend(200_400, 200_000)
    facts = Facts()
    facts.apply_all(log.events)
    clock = VirtualClock(log.events[-1].at_us + 285_000_000)

    def pays(policy, pings=0):
        return Thrift(facts, Carrying(policy), lambda model, sent: REFERENCE, clock).pays_to_ping(pings)

    assert pays("off") and not pays("off", most_pings(REFERENCE))
    assert not any(map(pays, ("window", "mask", "summarize")))
