"""What the watch screen sends over the line: it must stay pleasant over a slow one.

The same steps as in `tests/bench/screen_bytes.py`, on a shorter session, in true colour.
"""

import itertools

import pytest
from recording import recording_driver, written
from rich.color import ColorSystem
from sample_sessions import audit_session, long_session
from watching_app import PATIENCE_S, app_over

from core.clock import VirtualClock, monotonic
from core.events import ToolFinished, ToolStarted
from core.protocols import LiveDelta
from tui.docks.scrubber import Scrubber
from tui.widgets.status_line import StatusLine

TEXT = "The loader reads the whole file before it checks the header, so a damaged file costs as much."

BETWEEN_PARTS = 2
"""Frames without a byte after which a part of a step counts as shown: what comes later counts with the next one."""


async def sizes_of(log, size, *steps):
    """The bytes that each step, a generator of its parts, makes a screen of that size write."""
    clock = VirtualClock(log.at_us)
    app = app_over(log, clock=clock)
    app.driver_class = recording_driver(*size)
    sizes = []

    async def pilot(_):
        limit = monotonic() + PATIENCE_S
        while not app.watch_screen.is_read:
            assert monotonic() < limit
            await written(app)
        app.console._color_system = ColorSystem.TRUECOLOR
        app.forget_terminal()
        await written(app)
        assert app.watch_screen.query_one(Scrubber).display == (size[1] >= 38)
        for step in steps:
            sent = 0
            for _ in step(app, clock):
                sent += len((await written(app, quiet_frames=BETWEEN_PARTS)).encode())
            sizes.append(sent + len((await written(app)).encode()))
        app.exit()

    await app.run_async(auto_pilot=pilot)
    return sizes


def a_number(app, clock):
    yield app.watch_screen.query_one(StatusLine).set("spent", "$7.77")


def a_second(app, clock):
    clock.advance(1)
    yield app.watch_screen._second()


def a_call(app, clock):
    """Asked for, written, begun, done: each on the screen before the next."""
    log, source = app.fake_source.log, app.fake_source
    key = log.requested()
    yield source.push()
    yield source.say("The next part. ", attempt=key)
    arguments = {"command": "echo step"}
    use = {"type": "tool_use", "id": f"toolu_{key}", "name": "run_command", "input": arguments}
    log.responded(key, [{"type": "text", "text": "The next part."}, use])
    source.settle()
    yield source.push()
    started = ToolStarted(name="run_command", use_id=use["id"], arguments=arguments, effect="command")
    log.add(started, key=f"{key}.0")
    yield source.push()
    log.add(ToolFinished(name="run_command", use_id=use["id"], ok=True, content="step", ms=12, size=4), key=f"{key}.0")
    yield source.push()


CALLS = 16


def several_calls(app, clock):
    """So many that a move of the whole view falls on its share of them."""
    for _ in range(CALLS):
        yield from a_call(app, clock)


def forty_batches(app, clock):
    """Ten tokens each."""
    key, words = app.fake_source.log.requested(), itertools.cycle(TEXT.split())
    yield app.fake_source.push()
    for _ in range(40):
        batch = [LiveDelta(attempt=key, kind="text", index=0, text=f"{next(words)} ") for _ in range(10)]
        yield app.fake_source._deltas.put_nowait(batch)


def the_focus(app, clock):
    yield app.watch_screen.choose("tool_calls")


def a_page(app, clock):
    yield app.watch_screen.conversation.line_list.action_page(-1)


STEPS = (a_number, a_second, several_calls, forty_batches, the_focus)


@pytest.mark.parametrize(("size", "focus_budget"), [((200, 50), 1_000), ((120, 36), 1_000), ((80, 24), 8_000)], ids=str)
async def test_what_changes_is_all_that_is_sent(size, focus_budget):
    """At 80x24 another pane in front is another page. A call is allowed a fifth more than the 2,000 bytes that the
    benchmark holds it to: on a busy machine frames fall apart, and a second goes by now and then."""
    number, second, calls, batches, focus = await sizes_of(long_session(300), size, *STEPS)
    assert 0 < number <= 200
    assert 0 < second <= 200
    assert 0 < calls / CALLS <= 2_400
    assert 0 < batches / 41 <= 700
    assert 0 < focus <= focus_budget


async def test_a_page_is_sent_once():
    (page,) = await sizes_of(audit_session(), (200, 50), a_page)
    assert 0 < page <= 8_000
