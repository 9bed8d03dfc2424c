"""Hindsight plans with what compressions of the session itself left behind, so that both are of one size."""

from logbook import Logbook

from core.agent.hindsight import shape_of
from core.economy.context import DEFAULT_SHAPE
from core.events import ContextCompressed, SessionForked
from core.folds.context_usage import ContextWindow
from core.folds.fold import Dispatcher
from core.folds.workload import Workload


def worked(log):
    window = ContextWindow()
    workload = Workload(window)
    dispatch = Dispatcher([window, workload])
    for event in log.events:
        dispatch.apply(event)
    return workload


def compress(log, digest, ledger):
    body = ContextCompressed(
        policy="auto", reason="rent", digest=digest, ledger=ledger, keep_from=None, tokens_before=9, tokens_after=5
    )
    log.add(body)


def test_the_shape_of_a_compression_is_the_mean_of_those_that_were():
    log = Logbook()
    for number in range(28):
        log.reply()
        if number in (12, 20):
            compress(log, "d" * (4_000 if number == 12 else 8_000), "l" * 80)
    shape = shape_of(worked(log))
    assert shape.keep == DEFAULT_SHAPE.keep
    assert (shape.digest, shape.ledger) == (1_500, 2)


def test_a_fork_is_priced_from_where_it_begins():
    log = Logbook()
    for _ in range(3):
        log.reply()
    compress(log, "d" * 4_000, "l")
    log.add(SessionForked(session="o", name="other", at=log.events[-1].seq, usd="0.5"))
    before = worked(log)
    assert (before.turns(), before.first_prompt, before.compressions) == ([], 0, 0)
    log.reply()
    log.reply()
    after = worked(log)
    assert len(after.turns()) == 2 and after.first_prompt > 0


def test_without_a_compression_it_is_the_usual_one():
    log = Logbook()
    log.reply()
    assert shape_of(worked(log)) == DEFAULT_SHAPE
