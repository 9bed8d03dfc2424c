"""What the watch screen sends over the line: it must stay pleasant over a slow one."""

from recording import recording_driver, written
from sample_sessions import CODE, audit_session
from watching_app import PATIENCE_S, app_over

from core.clock import VirtualClock, monotonic
from tui.widgets.status_line import StatusLine


async def sizes_of(log, *steps):
    """Bytes that each step makes the screen write at 120x36, in true colour."""
    clock = VirtualClock(log.at_us)
    app = app_over(log, clock=clock)
    app.driver_class = recording_driver(120, 36)
    sizes = []

    async def pilot(_):
        limit = monotonic() + PATIENCE_S
        while not app.watch_screen._read:
            assert monotonic() < limit
            await written(app)
        await written(app)
        for step in steps:
            step(app, clock)
            sizes.append(len((await written(app)).encode()))
        app.exit()

    await app.run_async(auto_pilot=pilot)
    return sizes


def tick_one_counter(app, clock):
    clock.advance(1)
    app.watch_screen.query_one(StatusLine).set("calls", "36 calls")


def tick_a_second(app, clock):
    clock.advance(1)
    app.watch_screen._second()


def append_a_call(app, clock):
    app.fake_source.log.call("read_file", {"path": "src/later.py"}, CODE, text="Something new.")
    app.fake_source.push()


def focus_the_calls(app, clock):
    app.watch_screen.choose("tool_calls")


async def test_what_changes_is_all_that_is_sent():
    steps = (tick_one_counter, tick_a_second, append_a_call, focus_the_calls)
    counter, second, call, focus = await sizes_of(audit_session(), *steps)
    assert 0 < counter <= 300
    assert 0 < second <= 1_000
    assert 0 < call <= 6_000
    assert 0 < focus <= 3_000
