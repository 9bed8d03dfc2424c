"""Whatever is counted in money or tokens reads as of an event as a fresh count up to it, and its parts add up."""

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from logbook import sessions
from spending import spendings

from core.folds.branches import Branches
from core.folds.context_items import HEAD, ContextItems
from core.folds.context_usage import ContextWindow
from core.folds.costs import CLASSES
from core.folds.fold import Dispatcher
from core.folds.report import report
from core.folds.totals import Totals
from core.folds.view import SessionView
from core.request.archive import Remembered
from core.request.projection import Projection


def folded(events):
    view = SessionView()
    view.apply_all(events)
    return view


def picture(view, at=None):
    return {
        "bill": view.costs.total.at(at),
        "purposes": {name: bill.at(at) for name, bill in view.costs.by_purpose.items() if bill.at(at).replies},
        "latest": view.costs.latest(5, at),
        "misses": view.cache.misses(at),
        "losses": view.cache.losses.at(at),
        "lifetime": view.cache.lifetime.at(at),
        "recent": view.cache.recent_rate.at(at),
        "meter": view.rent.meter.at(at),
        "next": view.rent.next_call.at(at),
        "error": view.rent.error.at(at),
        "to go": view.rent.to_go(at),
        "usage": view.context.usage.at(at),
        "items": view.context_items.items(at),
        "anchor": view.context_items.since_anchor(at),
    }


@settings(max_examples=60, deadline=None)
@given(spendings(), st.data())
def test_money_as_of_an_event_equals_a_fresh_count_up_to_it(log, data):
    seq = data.draw(st.integers(1, len(log.events)))
    assert picture(folded(log.events), seq) == picture(folded(log.events[:seq]))


@settings(max_examples=60, deadline=None)
@given(spendings())
def test_models_purposes_and_classes_each_add_up_to_the_total(log):
    costs = folded(log.events).costs
    bill = costs.total.last
    assert sum(bill.dollars.values(), bill.unsplit) == bill.usd
    for ledger in (costs.by_model, costs.by_purpose):
        parts = [series.last for series in ledger.values()]
        assert sum((part.usd for part in parts), Decimal(0)) == bill.usd
        assert sum(part.replies for part in parts) == bill.replies
        for name in CLASSES:
            assert sum(getattr(part, name) for part in parts) == getattr(bill, name)
            assert sum((part.dollars[name] for part in parts), Decimal(0)) == bill.dollars[name]


@settings(max_examples=60, deadline=None)
@given(spendings(), st.data())
def test_the_report_says_what_the_panes_say_also_from_a_snapshot(log, data):
    cut = data.draw(st.integers(0, len(log.events)))
    kept = msgspec.json.decode(msgspec.json.encode(counted(Totals(), log.events[:cut])), type=Totals)
    totals, view = counted(kept, log.events[cut:]), folded(log.events)
    assert totals == view.totals == counted(Totals(), log.events)
    bill, losses = view.costs.total.last, view.cache.losses.last
    assert (Decimal(totals.usd), totals.sent, totals.output) == (bill.usd, bill.sent, bill.output)
    assert {name: Decimal(usd) for name, usd in totals.by_class.items()} == (dict(bill.dollars) if bill.replies else {})
    assert totals.losses == losses
    fields = report(totals, running=True)
    assert fields["forecast_error"] == view.rent.error.last
    assert {miss["cause"] for miss in fields["cache_misses"]} == set(losses)
    assert len(msgspec.json.encode(totals)) < 65_536


def counted(totals, events):
    dispatch = Dispatcher([totals])
    for event in events:
        totals.observe(event)
        dispatch.apply(event)
    return totals


@settings(max_examples=100, deadline=None)
@given(sessions())
def test_the_items_are_what_the_request_holds(log):
    branches = Branches()
    remembered = Remembered()
    projection, items = Projection(branches, remembered.read), ContextItems(branches, ContextWindow())
    dispatch = Dispatcher((remembered, branches, projection, items))
    for event in log.events:
        dispatch.apply(event)
        if projection.complete:
            sent = projection.sent
            ours = [(block.kind, block.seq) for block in items.blocks()]
            tail = [owner for piece in sent.tail for owner in (sorted(piece.owners) or [piece.seq])]
            assert [kind for kind, _ in ours if kind in HEAD] == (
                ["task"] * bool(sent.task) + ["held"] * len(sent.held) + ["ledger"] * len(sent.ledger)
            )
            assert [kind for kind, _ in ours].count("digest") == bool(sent.digest)
            assert [seq for kind, seq in ours if kind not in (*HEAD, "digest")] == tail


@settings(max_examples=60, deadline=None)
@given(spendings())
def test_the_parts_of_a_request_and_the_rest_add_up_to_what_was_counted(log):
    view = folded(log.events)
    sent = {event.key: event.body.usage.sent for event in log.events if event.kind == "model.responded"}
    for event in log.events:
        if event.key in sent and event.kind == "model.responded":
            usage = view.context.usage.at(event.seq)
            assert sum(usage.parts.values()) + usage.residual == usage.total == sent[event.key]
