"""A dialog that was closed is gone; a screen that runs for days opens many."""

import gc

from sample_sessions import audit_session
from textual._styles_cache import StylesCache
from textual.widget import Widget
from watching_app import app_over, read

SIZE = (80, 24)
ROUNDS = 2
DIALOGS = ("g", "b", "m", "r", "W", "c", "M", "slash", "question_mark")


def alive() -> list[Widget]:
    """Widgets that something still holds on to although they are on no screen."""
    for _ in range(3):
        gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, Widget) and one._closed]


def drawn() -> int:
    """How many widgets' drawn lines are held."""
    gc.collect()
    return sum(isinstance(one, StylesCache) for one in gc.get_objects())


async def test_closed_dialogs_leave_no_widget_behind():
    async with app_over(audit_session()).run_test(size=SIZE) as pilot:
        await read(pilot)
        await open_and_close(pilot)
        before, lines = len(alive()), drawn()
        for _ in range(ROUNDS):
            await open_and_close(pilot)
        left = alive()
        assert len(left) <= before, left
        assert drawn() <= lines


async def open_and_close(pilot):
    for key in DIALOGS:
        await pilot.press(key, "escape")
