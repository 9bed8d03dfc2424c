"""The ways into a film: the card of a file, and the moments that one goes to."""

from __future__ import annotations

from sample_sessions import FakeSource, audit_session

from core.clock import pause_real
from tui.abilities import ReadOnly
from tui.app import LongwatchApp
from tui.screens.card import CardScreen
from tui.screens.moments import MomentsScreen


async def test_the_card_stands_before_the_film_until_a_key_is_pressed() -> None:
    card = ["a.longwatch: an audit", "27 events; the chain holds", "#1      begin       The \x1b[31mtask"]
    app = LongwatchApp(FakeSource(audit_session()), ReadOnly(), mode="replay", card=card)
    async with app.run_test(size=(80, 24)) as pilot:
        while not app.watch_screen.is_read:
            await pause_real(0.01)
        await pilot.pause()
        assert isinstance(app.screen, CardScreen)
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is app.watch_screen
        await pilot.press("q")
    assert app.return_value == "quit"


async def test_the_moments_are_a_list_from_which_one_goes_to_each() -> None:
    app = LongwatchApp(FakeSource(audit_session()), ReadOnly(), mode="replay", start_at=1)
    async with app.run_test(size=(100, 30)) as pilot:
        while not app.watch_screen.is_read:
            await pause_real(0.01)
        await pilot.press("h")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, MomentsScreen)
        while len(screen._rows) < 4:
            await pause_real(0.01)
        assert screen._rows.rows[0] == "In a few moments" and "Chapters" in screen._rows.rows
        await pilot.press("down", "enter")
        await pilot.pause()
        chosen = screen._rows.rows[2]
        assert app.screen is app.watch_screen and not isinstance(chosen, str)
        assert app.watch_screen.looking.at == chosen.seq > 1
