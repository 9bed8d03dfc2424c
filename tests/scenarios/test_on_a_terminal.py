"""The screen on real terminals: left, lost, killed and come back to, while the agent goes on."""

import os
import signal

import pytest
from processes import command, until
from terminals import Terminal

from core.journal.lease import holder


@pytest.fixture
def terminal(longwatch):
    opened = []

    def start(*arguments, **options):
        opened.append(Terminal(longwatch, *arguments, **options))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
    for folder in longwatch.home.glob("sessions/*"):
        if (runner := holder(folder)) is not None:
            os.kill(runner.pid, signal.SIGKILL)


def started(longwatch, terminal, steps=40, pause="0.3", **options):
    """A session with its screen, a few calls on its way."""
    model = longwatch.script(*[command(f"echo {n} >> log; sleep {pause}", text=f"Step {n}.") for n in range(steps)])
    place = ["--workspace", str(longwatch.workspace), "--speed", "0"]
    screen = terminal("run", "Do the steps.", "--model", model, *place, **options)
    screen.shows("Step 1.", "running")
    return screen


def goes_on(longwatch):
    """Wait until the agent has made calls that it had not made before."""
    before = longwatch.count("tool.finished")
    until(lambda: longwatch.count("tool.finished") > before + 2)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50)])
def test_a_session_is_watched_paused_guided_and_left_and_the_agent_goes_on(longwatch, terminal, columns, rows):
    screen = started(longwatch, terminal, columns=columns, rows=rows)
    screen.press(" ")
    screen.shows("paused")
    screen.press("g")
    screen.shows("Guide the agent")
    screen.press("Never touch [/] vendor.\r")
    until(lambda: longwatch.count("guidance.queued"))
    screen.press(" ")
    until(lambda: longwatch.count("guidance.delivered"))
    screen.shows("running")
    screen.press("q")
    assert screen.ends() == 0
    assert "goes on" in screen.text()
    goes_on(longwatch)
    again = terminal("attach", columns=columns, rows=rows)
    again.shows("running", "Step")
    again.press(" ")
    again.shows("paused")
    assert longwatch.report()["state"] == "paused"


def test_a_terminal_that_vanishes_does_not_stop_the_agent(longwatch, terminal):
    started(longwatch, terminal).vanish()
    goes_on(longwatch)


def test_a_killed_launcher_and_a_killed_viewer_do_not_stop_the_agent(longwatch, terminal):
    screen = started(longwatch, terminal)
    viewer = terminal("attach")
    viewer.shows("Step")
    os.kill(viewer.pid, signal.SIGKILL)
    goes_on(longwatch)
    os.kill(screen.pid, signal.SIGKILL)
    goes_on(longwatch)


def test_stopping_is_confirmed_and_ends_with_the_operators_code(longwatch, terminal):
    screen = started(longwatch, terminal)
    screen.press("\x18")
    screen.shows("Stop this session?")
    screen.press("s")
    until(lambda: longwatch.count("session.finished"))
    screen.press("q")
    assert screen.ends() == 4


def test_a_finished_session_is_left_with_its_own_code_and_replayed_from_its_end(longwatch, terminal):
    screen = started(longwatch, terminal, steps=3)
    screen.shows("finished")
    screen.press("q")
    assert screen.ends() == 0
    film = terminal("replay", "")
    film.shows("REPLAY")
    film.press("\x1b[F")
    film.shows("Step 2.")
    film.press("q")
    assert film.ends() == 0


def test_a_killed_runner_leaves_a_mended_terminal_and_a_session_to_resume(longwatch, terminal):
    screen = started(longwatch, terminal)
    os.kill(holder(longwatch.folder()).pid, signal.SIGKILL)
    assert screen.ends() == 1
    assert "longwatch resume" in screen.text()
    again = terminal("resume", "", "--speed", "0")
    again.shows("Recovered", "running")
    goes_on(longwatch)
