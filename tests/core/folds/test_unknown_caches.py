"""A provider that caches by itself says neither for how long nor promises a hit: then misses are unknown, not none."""

from spending import Spender

from core.folds.cache import NOT_JUDGED
from core.folds.report import report
from core.folds.view import SessionView
from tui.panes.cost import CostPane
from tui.plain.answers import cost
from tui.report_text import as_text


def viewed(ttl_s):
    log = Spender()
    log.spend(20_000, 0, ttl_s=ttl_s)
    log.spend(24_000, 20_000, ttl_s=ttl_s)
    view = SessionView()
    view.apply_all(log.events)
    return view


def everything(view):
    """The report, the plain answer and the pane as one line each."""
    pane = " ".join(line.plain for line in CostPane(id="c").lines(view, None, 60))
    texts = as_text(report(view.totals, running=True)), " ".join(cost(view, None, 0)), pane
    return [" ".join(text.split()) for text in texts]


def test_where_nobody_knows_how_long_a_cache_lives_no_miss_is_claimed_nor_denied():
    view = viewed(None)
    assert report(view.totals, running=True)["cache_misses"] is None
    assert all(NOT_JUDGED in text for text in everything(view))


def test_where_it_is_known_there_are_none():
    view = viewed(300)
    assert report(view.totals, running=True)["cache_misses"] == []
    assert not any(NOT_JUDGED in text for text in everything(view))
