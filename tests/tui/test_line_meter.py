"""What goes to the terminal is counted, and said when one asks."""

from sample_sessions import audit_session
from watching_app import app_over, read, status

from core.clock import MICROSECONDS
from tui.line_meter import LineMeter


def test_the_pace_is_that_of_the_last_minute():
    meter = LineMeter()
    assert (meter.total, meter.per_minute) == (0, 0)
    for second in range(300):
        meter.note(second * MICROSECONDS, min(second, 200) * 100)
    assert meter.total == 20_000
    assert meter.per_minute == 0
    meter.note(300 * MICROSECONDS, 20_600)
    assert meter.per_minute == 600


def test_what_was_seen_for_less_than_a_minute_is_told_as_a_pace_too():
    meter = LineMeter()
    meter.note(0, 0)
    meter.note(10 * MICROSECONDS, 500)
    assert meter.per_minute == 3_000


def test_a_clock_that_stands_still_or_is_set_back_leaves_no_marks_behind():
    meter = LineMeter()
    for number in range(1_000):
        meter.note(max(0, 500 - number) * MICROSECONDS, number)
    assert len(meter._marks) <= 2 and meter.total == 999


async def test_the_status_line_says_it_on_request_and_no_longer():
    app = app_over(audit_session())
    async with app.run_test(size=(200, 50)) as pilot:
        await read(pilot)
        assert "/min" not in status(pilot)
        app.watch_screen.action_bytes()
        app.watch_screen._second()
        assert "/min" in status(pilot)
        app.watch_screen.action_bytes()
        assert "/min" not in status(pilot)
