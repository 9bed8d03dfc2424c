"""What memory entries are good for and what carrying them costs, as of any event."""

from decimal import Decimal

from logbook import Logbook

from core.events import (
    ContextCompressed,
    ContextRestored,
    HeadMoved,
    HeldText,
    MemoryWritten,
    ModelResponded,
    Price,
    Usage,
)
from core.folds.view import SessionView

READ_PRICE = "0.25"


def folded(log, upto=None):
    view = SessionView()
    view.apply_all(log.events[:upto])
    return view


def use(view, id, at=None):
    return view.memory_use.of(view.memories.get(id), at)


def written(log, id, text="port 81"):
    return log.add(MemoryWritten(text=text, topic="gateway"), key=id).seq


def compress(log, digest="", held=(), ledger="", released=()):
    body = ContextCompressed(
        policy="auto",
        reason="rent",
        digest=digest,
        keep_from=None,
        tokens_before=9,
        tokens_after=3,
        held=[HeldText(seq=seq, text=text) for seq, text in held],
        ledger=ledger,
        released=list(released),
    )
    return log.add(body).seq


def turn(log):
    """A turn with a price for what it read."""
    attempt = log.request()
    price = Price(cost="0.01", source="list", row={"cache_read": READ_PRICE})
    usage = Usage(fresh=10, cache_read=300, output=20)
    content = [{"type": "text", "text": "On."}]
    body = ModelResponded(message_id="m", model="m", content=content, stop_reason="end_turn", usage=usage, price=price)
    return log.add(body, attempt).seq


def recall(log, content):
    attempt = log.reply(("recall", {"query": "port"}))
    log.start(attempt, 0, "recall", {"query": "port"})
    return log.finish(attempt, 0, "recall", content).seq


def test_each_recall_that_gives_an_entry_is_a_use_of_it():
    log = Logbook()
    written(log, "m1"), written(log, "m2")
    first = recall(log, "m1 [fact · gateway] port 81\nm1 [fact · gateway] port 81, said twice")
    last = recall(log, "m1 · lines 1-1 of 1\n[fact] it mentions m2 [in passing]")
    log.turn(("read_file", {"path": "m2 [x"}))
    view = folded(log)
    assert (use(view, "m1").uses, use(view, "m1").last) == (2, last)
    assert (use(view, "m1", first).uses, use(view, "m1", first - 1).last) == (1, None)
    assert use(view, "m2").uses == 0


def test_an_entry_pays_rent_while_a_compression_carries_it():
    log = Logbook()
    seq = written(log, "m1")
    turn(log)
    assert use(folded(log), "m1").usd == 0 and not use(folded(log), "m1").carried
    there = compress(log, digest="<memory>\n[m1] fact · gateway: port 81\n</memory>")
    for _ in range(3):
        turn(log)
    gone = compress(log)
    turn(log)
    view = folded(log)
    tokens = view.context_items.tokens_of("[m1] fact · gateway: port 81")
    each = tokens * Decimal(READ_PRICE) / 1_000_000
    assert (use(view, "m1").usd, use(view, "m1").carried) == (2 * each, False)
    assert use(view, "m1", gone - 1).carried and use(view, "m1", there - 1).usd == 0
    assert use(view, "m1", seq).uses == 0


def test_what_is_held_or_in_the_ledger_stays_until_it_is_released():
    log = Logbook()
    seq = written(log, "m1")
    compress(log, held=[(seq, "<memory>\n[m1] fact · gateway: port 81\n</memory>")], ledger="[m2] decision · x: y")
    written(log, "m2")
    compress(log)
    assert use(folded(log), "m1").carried and use(folded(log), "m2").carried
    compress(log, released=[seq])
    assert not use(folded(log), "m1").carried and use(folded(log), "m2").carried


def test_undone_and_abandoned_compressions_carry_nothing():
    log = Logbook()
    written(log, "m1")
    back = turn(log)
    there = compress(log, digest="[m1] fact · gateway: port 81")
    log.add(ContextRestored(seq=there))
    assert not use(folded(log), "m1").carried
    compress(log, digest="[m1] fact · gateway: port 81")
    assert use(folded(log), "m1").carried
    log.add(HeadMoved(to=back, origin=log.head, reason="rewind"))
    assert not use(folded(log), "m1").carried


def test_the_use_as_of_an_event_is_that_of_a_fresh_fold_up_to_it():
    log = Logbook()
    written(log, "m1")
    for round in range(3):
        recall(log, "m1 [fact] port 81")
        compress(log, digest="[m1] fact · x" if round != 1 else "")
        turn(log), turn(log)
    whole = folded(log)
    for seq in range(2, len(log.events) + 1):
        assert use(whole, "m1", seq) == use(folded(log, seq), "m1")
