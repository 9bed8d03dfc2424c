"""Words in everything: typed, found, counted, gone to; and given up when the words change."""

import asyncio

import pytest
from sample_sessions import audit_session
from watching_app import app_over, read, screen_text, until

from core.events import HeadMoved, MemoryWritten
from core.protocols import Found
from tui.screens.find import FindScreen
from tui.widgets.line_list import LineList

NARROW, WIDE = (80, 24), (200, 50)


def with_a_branch():
    """A session that left a branch on which something was remembered."""
    log = audit_session()
    before = log.head
    log.add(MemoryWritten(text="The loader is slow; parameters matter."), key="m9")
    log.call("read_file", {"path": "load.py"}, "slow")
    log.add(HeadMoved(to=before, origin=log.head, reason="rewind"))
    return log


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_words_are_found_in_everything_and_enter_goes_to_the_place(size):
    app = app_over(with_a_branch())
    async with app.run_test(size=size, notifications=True) as pilot:
        await read(pilot)
        await pilot.press("F", *"parameters")
        await until(pilot, lambda: "4 found: 3 plan, 1 memory" in screen_text(pilot))
        lines = [line for line in screen_text(pilot).splitlines() if "parameters" in line]
        assert "memory" in lines[1] and lines[1].rstrip().endswith("left branch")
        assert "Make every SQL statement use bound parameters" in lines[2]
        await pilot.press("enter", "down")
        await pilot.pause()
        hit = app.screen._rows.hits[app.screen.query_one(LineList).cursor]
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, FindScreen))
        assert app.watch_screen.front == "conversation"
        assert app.watch_screen.conversation.selected.seq == hit.seq


async def test_the_newest_hit_stays_on_top_while_more_than_a_view_of_them_come():
    app = app_over(audit_session(running=False))
    async with app.run_test(size=NARROW) as pilot:
        await read(pilot)
        await pilot.press("F", *"store")
        await until(pilot, lambda: "19 found" in screen_text(pilot))
        found = app.screen.query_one(LineList)
        assert found.scroll_offset.y == 0 and len(found.items_in_view) < len(found.rows)


async def test_a_hit_on_an_abandoned_branch_leads_to_that_moment():
    app = app_over(with_a_branch())
    async with app.run_test(size=NARROW, notifications=True) as pilot:
        await read(pilot)
        await pilot.press("F", *"slow;")
        await until(pilot, lambda: "1 found" in screen_text(pilot))
        await pilot.press("enter", "enter")
        await until(pilot, lambda: "branch that is left" in screen_text(pilot))
        assert app.watch_screen.looking.back


async def test_other_words_give_up_the_search_and_what_is_nowhere_is_said():
    app = app_over(audit_session())
    async with app.run_test(size=NARROW) as pilot:
        await read(pilot)
        real, ended = app.watch_screen.source.find, []

        async def endless(words):
            try:
                yield Found([], 5)
                await asyncio.Event().wait()
            finally:
                ended.append(words)

        app.watch_screen.source.find = lambda words: endless(words) if words == "xyz" else real(words)
        await pilot.press("F", *"xyz")
        await until(pilot, lambda: "4 events to go" in screen_text(pilot))
        await pilot.press(*"qqq")
        await until(pilot, lambda: "Not in anything" in screen_text(pilot))
        assert ended == ["xyz"]
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, FindScreen))
