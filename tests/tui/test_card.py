"""A film that came as a file shows what it says of itself first; a key then shows the film."""

from __future__ import annotations

from sample_sessions import FakeSource, audit_session

from core.clock import pause_real
from tui.app import LongwatchApp
from tui.screens.card import CardScreen
from tui.watching import ReadOnly


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
