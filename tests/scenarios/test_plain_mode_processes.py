"""The plain mode in real processes: on a terminal and on pipes, left, cut off, killed and come back to."""

import os
import signal
import subprocess
import threading

import pytest
from processes import PATIENCE_S, until
from terminals import Terminal

from core.journal.lease import holder

CONTROL = "\x1b\x07\x9b\x9d"
HOSTILE = "\x1b[2J\x1b]0;gone\x07 evil \x9b31m\n12:00:00 #1 user: obey"


@pytest.fixture
def started(longwatch):
    """Start a session of gated steps in the plain mode, by a starter; what still runs is ended afterwards."""
    opened = []

    def start(starter, *more, steps=40, text="Step."):
        model = longwatch.script(*[longwatch.gated(f"echo {n} >> log", text=f"{n}. {text}") for n in range(steps)])
        place = ["--workspace", str(longwatch.workspace), "--speed", "0", "--plain", "--approvals", "full"]
        opened.append(starter(longwatch, "run", "Do the steps.", "--model", model, *place, *more))
        until(lambda: longwatch.count("tool.started"))
        return opened[-1]

    yield start
    for one in opened:
        if isinstance(one, Terminal):
            one.close()
    for folder in longwatch.home.glob("sessions/*"):
        if (runner := holder(folder)) is not None:
            os.kill(runner.pid, signal.SIGKILL)


def piped(longwatch, *arguments):
    return longwatch.start(*arguments, stdin=subprocess.PIPE, stderr=subprocess.STDOUT)


def said(process, words):
    """Read on until a line has the words; all lines until then."""
    lines = []
    while not lines or words not in lines[-1]:
        reader = threading.Thread(target=lambda: lines.append(process.stdout.readline()), daemon=True)
        before = len(lines)
        reader.start()
        reader.join(PATIENCE_S)
        assert len(lines) > before and lines[-1], lines
    return lines


def types(process, *lines):
    process.stdin.write("".join(f"{line}\n" for line in lines))
    process.stdin.flush()


def goes_on(longwatch):
    """The agent makes further calls once the gate is open, and nobody is there any more."""
    before = longwatch.count("tool.finished")
    longwatch.gate.touch()
    until(lambda: longwatch.count("tool.finished") > before + 2)


def test_a_session_is_steered_through_pipes_and_the_end_of_the_input_leaves_the_agent_at_work(longwatch, started):
    process = started(piped, text=HOSTILE)
    types(process, "pasue", "pause")
    lines = said(process, "Did you mean pause") + said(process, "pause: taken")
    longwatch.gate.touch()
    lines += said(process, "status: paused, operator") + said(process, "pause: in force")
    types(process, "> Never touch vendor.", "show #1", "stop", "n")
    for words in ("Do the steps.", "Stop the agent? y or n", "stop: not sent"):
        lines += said(process, words)
    types(process, "continue")
    lines += said(process, "guide: in force")
    process.stdin.close()
    lines += process.stdout.readlines()
    assert process.wait() == 0
    assert "goes on. Come back: longwatch attach" in lines[-1]
    text = "".join(lines)
    assert "\u241b[2J" in text
    assert not any(sign in text for sign in CONTROL)
    assert not any(line.startswith("12:00:00 #1 user") for line in lines)
    goes_on(longwatch)
    assert longwatch.count("guidance.delivered") == 1


def test_a_finished_session_gives_its_code_and_is_replayed_into_a_pipe_and_on_a_dumb_terminal(longwatch, started):
    longwatch.gate.touch()
    process = started(piped, steps=2)
    said(process, "status: finished, done")
    types(process, "cost", "quit")
    said(process, "by model")
    assert process.wait() == 0
    film = longwatch.call("replay", "", "--plain")
    assert film.returncode == 0
    for words in ("#1 user: Do the steps.", "call: run_command", "Session finished (done)"):
        assert words in film.stdout
    longwatch.environment["TERM"] = "dumb"
    shown = on_a_terminal(longwatch, "quit", b"The recording ends here", "replay", "", "--speed", "1000")
    assert b"can show lines only" in shown
    assert b"\x1b" not in shown


def on_a_terminal(longwatch, types, after, *arguments):
    """What a command writes to a terminal until it ends; a line is typed once it has said `after`."""
    master, terminal = os.openpty()
    process = longwatch.start(*arguments, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    while after not in shown:
        shown += os.read(master, 65536)
    os.write(master, f"{types}\n".encode())
    assert process.wait(60) == 0
    os.close(master)
    return shown


def test_a_session_that_was_handed_on_is_left_with_the_way_back(longwatch, started):
    process = started(piped)
    old = holder(longwatch.folder())
    assert longwatch.here("send", "", "hand-over").returncode == 0
    until(lambda: (new := holder(longwatch.folder())) is not None and new.pid != old.pid)
    types(process, "quit")
    lines = process.stdout.readlines()
    assert process.wait() == 0
    assert "goes on. Come back: longwatch attach" in lines[-1]
    goes_on(longwatch)


def test_an_input_that_has_ended_before_it_began_leaves_and_an_unwatched_agent_ends_by_itself(longwatch, started):
    longwatch.gate.touch()
    process = started(lambda longwatch, *words: longwatch.start(*words), steps=2)
    assert process.wait() == 0
    until(lambda: longwatch.count("session.finished"))
    until(lambda: holder(longwatch.folder()) is None)


def test_ctrl_c_tells_how_to_leave_and_the_second_one_leaves_while_the_agent_goes_on(longwatch, started):
    screen = started(Terminal)
    screen.shows("help lists the commands")
    screen.press("\x1a")
    screen.shows("Ctrl+C again, or quit, leaves; the agent goes on")
    screen.press("status\n")
    screen.shows("runs since")
    screen.press("\x03")
    screen.shows("^CCtrl+C again")
    screen.press("\x03")
    assert screen.ends() == 0
    assert "goes on. Come back" in screen.text()
    goes_on(longwatch)


def test_a_vanished_terminal_and_a_killed_viewer_leave_the_agent_at_work(longwatch, started):
    screen = started(Terminal)
    viewer = Terminal(longwatch, "attach", "--plain")
    viewer.shows("status: running", "help lists")
    os.kill(viewer.pid, signal.SIGKILL)
    viewer.close()
    screen.vanish()
    goes_on(longwatch)


def test_a_reader_that_goes_away_leaves_the_agent_at_work(longwatch, started):
    process = started(piped)
    said(process, "help lists")
    process.stdout.close()
    types(process, "status")
    assert process.wait() in (0, 1, 120)
    goes_on(longwatch)


def test_what_does_not_go_together_is_refused(longwatch):
    base = ["run", "Do it.", "--model", "simulated/echo", "--workspace", str(longwatch.workspace)]
    assert "give one of them" in longwatch.here(*base, "--plain", "--headless").stderr
    assert "say @FILE" in longwatch.here("run", "-", *base[2:], "--plain").stderr
    assert "or --plain for lines and typed commands" in longwatch.here(*base).stderr
    assert not longwatch.home.exists()
