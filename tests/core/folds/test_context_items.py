"""The items of the context: what is sent, what it costs to carry, and what is asked of it."""

from decimal import Decimal

from hypothesis import given, settings
from lives import lives
from logbook import Logbook
from msgspec.structs import replace
from spending import Spender

from core.events import (
    ContextCompressed,
    ContextRestored,
    GuidanceDelivered,
    HeldText,
    ItemEvicted,
    ItemPinned,
    ItemUnpinned,
    Stub,
    ToolFinished,
)
from core.folds.branches import Branches
from core.folds.context_items import ContextItems
from core.folds.context_usage import ContextWindow
from core.folds.fold import Dispatcher
from core.folds.view import SessionView


def view_of(log):
    view = SessionView()
    view.apply_all(log.events)
    return view


def compressed(log, keep_from, **more):
    body = ContextCompressed(
        policy="auto", reason="rent", digest="d", keep_from=keep_from, tokens_before=9, tokens_after=5, **more
    )
    return log.add(body).seq


def sizes(blocks):
    return [replace(block, label="") for block in blocks]


@settings(max_examples=60, deadline=None)
@given(lives())
def test_without_history_the_blocks_are_the_same_but_for_their_labels(log):
    branches = Branches()
    windows = [ContextWindow(), ContextWindow(history=False)]
    whole, bare = (
        ContextItems(branches, window, history) for window, history in zip(windows, (True, False), strict=True)
    )
    feed = Dispatcher([branches, *windows, whole, bare])
    for event in log.events:
        feed.apply(event)
        assert bare.blocks() == sizes(whole.blocks())
    assert all(bare.blocks(event.seq) == sizes(whole.blocks(event.seq)) for event in log.events)


def kinds(log):
    return [item.kind for item in view_of(log).context_items.items()]


def test_each_item_says_what_it_is():
    log = Logbook("Mend the parser.")
    log.turn(("read_file", {"path": "a.py"}), text="First the parser.")
    log.add(GuidanceDelivered(text="Never touch auth."), actor="user")
    items = view_of(log).context_items.items()
    assert [(item.kind, item.label) for item in items] == [
        ("task", "Mend the parser."),
        ("reply", "First the parser."),
        ("result", "read_file a.py"),
        ("user", "Never touch auth."),
    ]


def test_a_compression_puts_held_texts_and_ledger_before_the_digest_and_keeps_them_at_the_next():
    log = Logbook()
    log.turn(("read_file", {"path": "a.py"}))
    log.turn(("read_file", {"path": "b.py"}))
    last = next(event.seq for event in reversed(log.events) if event.kind == "model.responded")
    compressed(log, last, held=[HeldText(seq=2, text="never")], ledger="one")
    assert kinds(log) == ["task", "held", "ledger", "digest", "reply", "result"]
    compressed(log, None, held=[HeldText(seq=3, text="always")], ledger="two", released=[2])
    assert kinds(log) == ["task", "held", "ledger", "ledger", "digest"]


def test_anchors_stay_with_their_results_and_a_masked_result_is_a_stub():
    log = Logbook()
    log.turn(("read_file", {"path": "a.py"}))
    first = next(event.seq for event in log.events if event.kind == "model.responded")
    for path in ("b.py", "c.py"):
        attempt = log.reply(("read_file", {"path": path}))
        log.start(attempt, 0, "read_file", {"path": path})
        log.finish(attempt, 0, "read_file", "x" * 4_000)
    result, reply = log.events[-1].seq, next(e.seq for e in reversed(log.events) if e.kind == "model.responded")
    compressed(log, reply, anchors=[first], masked=[Stub(seq=result, text="gone")])
    items = view_of(log).context_items.items()
    assert [item.label for item in items if item.kind == "result"] == ["read_file a.py", "read_file c.py"]
    assert items[-1].masked and items[-1].tokens < 10


def test_undoing_a_compression_brings_everything_back():
    log = Logbook()
    log.turn(("read_file", {"path": "a.py"}))
    before = kinds(log)
    seq = compressed(log, None, ledger="one")
    log.turn(("read_file", {"path": "b.py"}))
    log.add(ContextRestored(seq=seq))
    assert kinds(log) == [*before, "reply", "result"]


def test_rent_is_paid_from_the_second_turn_on_that_an_item_is_carried():
    log = Spender()
    log.spend(20_000, 0)
    log.add(ToolFinished(name="read_file", use_id="u", ok=True, content="x" * 40_000), "r1.1.0")
    log.spend(30_000, 20_000)

    def result():
        return next(item for item in view_of(log).context_items.items() if item.kind == "result")

    assert (result().usd, result().age) == (0, 1)
    for _ in range(4):
        log.spend(30_000, 30_000)
    item = result()
    assert item.age == 5
    assert abs(item.usd - item.tokens * 4 * Decimal("0.25") / 1_000_000) < Decimal("0.0001")
    assert view_of(log).context_items.dearest(1)[0] == item


def test_pins_and_evictions_are_shown_until_they_are_taken_back():
    log = Logbook()
    log.turn(("read_file", {"path": "a.py"}))
    seq = log.events[-1].seq

    def flags():
        item = view_of(log).context_items.items()[-1]
        return item.pinned, item.evicted

    log.add(ItemPinned(seq=seq))
    assert flags() == (True, False)
    log.add(ItemUnpinned(seq=seq))
    assert flags() == (False, False)
    log.add(ItemEvicted(seq=seq))
    assert flags() == (False, True)


def test_the_distance_from_the_last_anchor_counts_what_came_after_it():
    log = Logbook()
    log.turn(("read_file", {"path": "a.py"}))
    far = view_of(log).context_items.since_anchor()
    assert far > 0
    log.add(GuidanceDelivered(text="What you are here for.", source="anchor"))
    assert view_of(log).context_items.since_anchor() == 0
    log.turn(("read_file", {"path": "b.py"}))
    assert 0 < view_of(log).context_items.since_anchor() <= far + 5


def test_the_dearest_and_the_latest_are_chosen_of_all_items():
    log = Spender()
    for number in range(12):
        log.spend(20_000 + 1_000 * number, 20_000 if number else 0)
        content = "x" * (40 + 997 * (number % 4))
        log.add(ToolFinished(name="read_file", use_id="u", ok=True, content=content), f"r{number + 1}.1.0")
    view = view_of(log)
    for at in (None, view.last_seq // 2):
        items = view.context_items.items(at)
        assert view.context_items.latest(5, at) == items[-5:]
        by_rent = sorted(items, key=lambda item: (item.usd, item.tokens), reverse=True)
        assert view.context_items.dearest(5, at) == by_rent[:5] and len({item.usd for item in by_rent}) > 2
