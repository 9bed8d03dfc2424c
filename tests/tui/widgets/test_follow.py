"""What a person reads never moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.follow import FOLLOWING, Follow, Held, appended, chip, replaced, scrolled


def test_following_stays_following_while_items_arrive() -> None:
    assert appended(FOLLOWING, 5) == FOLLOWING
    assert chip(FOLLOWING) == ""


def test_scrolling_up_holds_and_counts_what_arrives() -> None:
    held = scrolled(FOLLOWING, 7, 2, at_end=False)
    assert held == Held(7, 2, 0)
    assert appended(appended(held, 3), 9) == Held(7, 2, 12)
    assert chip(Held(7, 2, 1200)) == "↓ 1,200 new · End"
    assert chip(held) == "held · End"


def test_scrolling_on_keeps_the_count_and_the_end_follows_again() -> None:
    held = Held(7, 2, 12)
    assert scrolled(held, 9, 0, at_end=False) == Held(9, 0, 12)
    assert scrolled(held, 20, 0, at_end=True) == FOLLOWING


def test_a_held_item_that_is_gone_gives_way_to_the_last() -> None:
    assert replaced(Held(7, 2, 1), 20, 5) == Held(4, 0, 0)
    assert replaced(Held(7, 2, 1), 20, 22) == Held(7, 2, 3)
    assert replaced(Held(7, 2, 1), 20, 0) == FOLLOWING
    assert replaced(FOLLOWING, 20, 5) == FOLLOWING


@given(st.integers(0, 50), st.integers(0, 5), st.lists(st.integers(1, 20)))
def test_arrivals_alone_never_move_a_held_view(item: int, offset: int, arrivals: list[int]) -> None:
    state: Follow = Held(item, offset)
    for count in arrivals:
        state = appended(state, count)
    assert state == Held(item, offset, sum(arrivals))
