"""The budget dialog: what was spent, how fast, and until when that lasts."""

from decimal import Decimal

import pytest
from sample_sessions import audit_session

from core.folds.view import SessionView
from tui.docks.budget import HOUR_US, BudgetDock, Burn, burn_line, burn_of
from tui.docks.pause_at import PauseAtDock


def test_the_money_lasts_as_long_as_the_last_hour_says():
    burn = Burn(Decimal(3), Decimal(1), Decimal(5))
    assert burn.lasts_us() == 2 * HOUR_US
    assert "at this rate until" in burn_line(burn, 0)
    assert Burn(Decimal(6), Decimal(1), Decimal(5)).lasts_us() == 0


@pytest.mark.parametrize("burn", [Burn(Decimal(3), None, Decimal(5)), Burn(Decimal(3), Decimal(1), None)])
def test_no_end_is_made_up_without_a_rate_or_a_budget(burn):
    assert burn.lasts_us() is None and "until" not in burn_line(burn, 0)


def test_only_the_last_hour_makes_the_rate():
    view, log = SessionView(), audit_session()
    view.apply_all(log.events)
    spent = view.costs.total.last.usd
    young = burn_of(view, view.timeline.at_us(1) + HOUR_US // 2)
    assert young.hourly == spent * 2
    assert burn_of(view, log.at_us + 3 * HOUR_US).hourly == 0


def test_more_can_be_asked_for_on_top_of_the_present_budget():
    dock = BudgetDock(Burn(Decimal(3), None, Decimal("5.00")), 0)
    assert dock.accept("+2.50") == {"usd": "7.50"}
    assert dock.accept("7") == {"usd": "7"} and dock.accept("") == {"usd": None}
    with pytest.raises(ValueError, match="amount in dollars"):
        dock.accept("+x")


@pytest.mark.parametrize("words", ["", "step 2", "soon", "25:00", "$x"])
def test_when_to_pause_is_refused_at_once_where_it_is_not_understood(words):
    with pytest.raises(ValueError, match="Say when"):
        PauseAtDock().accept(words)
    assert PauseAtDock().accept("unless +$5") == {"when": "unless +$5"}
