"""Every way out of a screen: what becomes of the terminal, what is left at the prompt, and what the agent does then."""

import os
import re
import shlex
import signal
import sys
from collections import Counter

import psutil
import pytest
from processes import Longwatch, command, until
from terminals import LINE, Terminal

from core.journal.lease import holder

KEPT = """
stty -g; "$@"; echo "[left $?]"; stty -g; read again; $LONGWATCH reset; echo "[mended $?]"; stty -g; cat >/dev/null
"""
"""The command between two looks at the terminal, in a shell that stays; then, at a line typed, `reset` and a third."""
BREAKS = """
import sys
import tui.screens.gauging

facts, looks = tui.screens.gauging.facts, []
def breaking(*arguments, **named):
    looks.append(1)
    if len(looks) > 8:
        raise KeyError("no such style")
    return facts(*arguments, **named)

tui.screens.gauging.facts = breaking
from tui.cli import main
main(sys.argv[1:])
"""
"""The command line with a screen that breaks soon after it was painted."""
STEERING = re.compile(rb"\x1b\[\?([\d;]+)([hl])|\x1b\[([<>])\d*u|\x1b\[(2[23])[;\d]*t|\x1b([=>])")
"""Modes set and reset; the keyboard's pushed and popped; the title kept and given back; the keypad's letters."""
SANE = re.compile(r"[0-9a-f]+(:[0-9a-f]+){10,}")


class Prompt(Terminal):
    """A command of the product on a terminal, and the prompt after it."""

    def __init__(self, longwatch, *arguments, line=LINE):
        script = KEPT.replace("$LONGWATCH", shlex.join(LINE))
        super().__init__(longwatch, *arguments, line=["/bin/sh", "-c", script, "sh", *line])

    @property
    def command(self):
        """The process that was started at the prompt."""
        return psutil.Process(self.pid).children()[0]

    def left(self):
        """Wait for the prompt; the exit code. The terminal must be as it was."""
        code = self._says("left")
        before, after = self._settings()[:2]
        assert after == before
        assert modes_left(bytes(self.received)) == {}
        return code

    def killed(self):
        """Wait for the prompt after a death without a last word: the terminal is out of order."""
        self._says("left")
        before, after = self._settings()[:2]
        assert after != before and modes_left(bytes(self.received))

    def mended(self):
        """Type a line that nobody sees, as one does then, and have `longwatch reset` run."""
        self.press("\n")
        assert self._says("mended") == 0
        assert modes_left(bytes(self.received)) == {}
        return local_modes(self._settings()[2])

    def scrollback(self):
        """What is above the prompt, once the screen is gone."""
        text = bytes(self.received).rpartition(b"\x1b[?1049l")[2].decode()
        return re.sub(r"\x1b[^a-zA-Z<>=]*[a-zA-Z<>=]", "", text).partition("[left")[0].replace("\r", "").strip()

    def _says(self, word):
        found = until(lambda: self.text() and re.search(rf"\[{word} (\d+)\]\s+[0-9a-f]+:".encode(), self.received))
        return int(found[1])

    def _settings(self):
        return [found[0] for found in SANE.finditer(bytes(self.received).decode(errors="replace"))]


def modes_left(received):
    """What a terminal that got these bytes is left with, where that differs from how it was."""
    modes, keyboards, titles, keypad, alternate = {}, Counter(), 0, b">", False
    for found in STEERING.finditer(received):
        numbers, state, keyboard, title, letters = found.groups()
        for number in numbers.split(b";") if numbers else ():
            modes[int(number)] = state == b"h"
            alternate = modes.get(1049, False)
        if keyboard:
            keyboards[alternate] += 1 if keyboard == b">" else -1
        titles += {b"22": 1, b"23": -1, None: 0}[title]
        keypad = letters or keypad
    wrong = {mode: state for mode, state in modes.items() if state != (mode in (7, 25))}
    left = {"keyboard": max(keyboards.values(), default=0), "titles": max(0, titles), "keypad": keypad == b"="}
    return wrong | {name: value for name, value in left.items() if value}


def local_modes(settings):
    """Whether input is edited, echoed, and makes signals; whether lines that are written begin at the margin."""
    output, local = (int(settings.split(":")[at], 16) for at in (1, 3))
    import termios

    return output & termios.OPOST and all(local & flag for flag in (termios.ICANON, termios.ECHO, termios.ISIG))


@pytest.fixture(scope="module")
def shared(tmp_path_factory, warm):
    """A session that runs by itself as long as the tests of this module do."""
    longwatch = Longwatch(tmp_path_factory.mktemp("shared"), warm)
    model = longwatch.script(*[command(f"echo {n} >> log; sleep 0.3", text=f"Step {n}.") for n in range(2000)])
    place = ["--workspace", str(longwatch.workspace), "--speed", "0", "--name", "shared", "--wait"]
    assert longwatch.call("run", "Do the steps.", "--model", model, "--detach", *place).returncode == 0
    until(lambda: longwatch.count("tool.finished"))
    yield longwatch
    ends(longwatch)


@pytest.fixture
def prompt():
    opened = []

    def start(longwatch, *arguments, **options):
        opened.append(Prompt(longwatch, *arguments, **options))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def ends(longwatch):
    for folder in longwatch.home.glob("sessions/*"):
        if (runner := holder(folder)) is not None:
            os.kill(runner.pid, signal.SIGKILL)
    longwatch.end()


def goes_on(longwatch):
    before = longwatch.count("tool.finished")
    until(lambda: longwatch.count("tool.finished") > before + 1)


def short(longwatch):
    return longwatch.folder().name[:10]


WAYS = {
    "q": lambda prompt: prompt.press("q"),
    "d": lambda prompt: prompt.press("d"),
    "SIGTERM": lambda prompt: prompt.command.terminate(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_viewer_that_leaves_gives_the_terminal_back_and_says_how_it_stands_and_the_way_back(shared, prompt, way):
    viewer = prompt(shared, "attach")
    viewer.watches()
    WAYS[way](viewer)
    assert viewer.left() == 0
    standing, back = viewer.scrollback().split("\n")
    assert re.fullmatch(r"shared: running\. \d+ calls in 0:\d\d:\d\d, \$\d+\.\d+\.", standing)
    assert back == f"Come back: longwatch attach {short(shared)}   Stop it: longwatch send {short(shared)} stop"
    goes_on(shared)


def test_a_viewer_that_is_hung_up_on_gives_the_terminal_back_and_is_silent(shared, prompt):
    viewer = prompt(shared, "attach")
    viewer.watches()
    viewer.command.send_signal(signal.SIGHUP)
    assert viewer.left() == 0
    assert viewer.scrollback() == ""
    goes_on(shared)


def test_a_viewer_whose_terminal_is_closed_is_gone_and_the_log_tells_that_and_who_comes_next(shared, prompt):
    viewer = prompt(shared, "attach")
    viewer.watches()
    process, lost, came = viewer.command, shared.count("screen.lost"), shared.count("screen.came")
    viewer.vanish()
    until(lambda: not process.is_running())
    until(lambda: shared.count("screen.lost") > lost)  # And those of other tests, perhaps.
    goes_on(shared)
    prompt(shared, "attach").watches()
    until(lambda: shared.count("screen.came") > came)


def test_a_screen_that_breaks_gives_the_terminal_back_and_tells_a_sentence(shared, prompt):
    viewer = prompt(shared, "attach", line=[sys.executable, "-P", "-c", BREAKS])
    assert viewer.left() == 0
    told = viewer.scrollback()
    assert "The screen broke (KeyError: 'no such style'); details in " in told.replace("\n", "")
    assert "The agent goes on." in told and f"longwatch attach {short(shared)}" in told and "Traceback" not in told
    goes_on(shared)


def test_a_killed_viewer_leaves_a_terminal_that_reset_mends(shared, prompt):
    viewer = prompt(shared, "attach")
    viewer.watches()
    viewer.command.kill()
    viewer.killed()
    assert viewer.mended()
    goes_on(shared)


def test_a_film_that_is_left_gives_the_terminal_back_and_says_how_the_session_stands(shared, prompt):
    film = prompt(shared, "replay", "shared")
    film.shows("REPLAY")
    film.press("q")
    assert film.left() == 0
    assert film.scrollback().startswith("shared: running") and "longwatch attach" in film.scrollback()


def test_a_session_that_is_left_for_the_list_leaves_nothing_at_the_prompt(shared, prompt):
    listed = prompt(shared)
    listed.shows("heartbeat")  # Its name is that of its folder, too, which is read before.
    listed.press("\r")
    listed.watches()
    listed.press("q")
    listed.shows("heartbeat")
    until(lambda: bytes(listed.received).count(b"\x1b[?1049h") == 3)
    listed.press("q")
    assert listed.left() == 0
    assert listed.scrollback() == ""
    first, second = bytes(listed.received).split(b"\x1b[?1049l")[1:3]
    assert "running" not in first.partition(b"\x1b[?1049h")[0].decode()
    assert "running" not in second.partition(b"\x1b[?1049h")[0].decode()


@pytest.mark.parametrize("streams", ["terminal", "pipes"])
def test_the_plain_mode_says_at_its_end_how_it_stands_and_the_way_back(shared, prompt, streams):
    if streams == "terminal":
        plain = prompt(shared, "attach", "--plain")
        plain.shows("help lists the commands")
        plain.press("quit\r")
        assert plain.left() == 0
        lines = plain.scrollback().split("\n")
    else:
        lines = shared.call("attach", "--plain").stdout.split("\n")[:-1]
    assert lines[-2].startswith("shared: running. ")
    assert lines[-1].startswith(f"Come back: longwatch attach {short(shared)} ")
    goes_on(shared)


def test_a_session_that_ended_while_it_was_watched_is_left_with_its_report(longwatch, prompt):
    model = longwatch.script(longwatch.gated("echo first"))
    place = ["--workspace", str(longwatch.workspace), "--speed", "0", "--name", "brief"]
    assert longwatch.call("run", "Do it.", "--model", model, "--detach", *place).returncode == 0
    viewer = prompt(longwatch, "attach")
    viewer.watches("running")
    longwatch.gate.touch()
    viewer.shows("finished")
    viewer.press("q")
    assert viewer.left() == 0
    standing, back = viewer.scrollback().split("\n")
    assert standing.startswith("brief: finished. 1 call in ")
    assert back == f"Look at it: longwatch replay {short(longwatch)}   Report: longwatch report {short(longwatch)}"


def test_a_launcher_that_is_terminated_closes_the_screen_and_the_agent_goes_on(longwatch, prompt):
    model = longwatch.script(*[command(f"echo {n}; sleep 0.3", text=f"Step {n}.") for n in range(60)])
    place = ["--workspace", str(longwatch.workspace), "--speed", "0", "--name", "long"]
    try:
        screen = prompt(longwatch, "run", "Do the steps.", "--model", model, *place)
        screen.shows("Step 1.", "running")
        screen.command.terminate()
        assert screen.left() == 0
        standing, back = screen.scrollback().split("\n")[:2]
        assert standing.startswith("long: running. ")
        assert back == (
            f"Session {short(longwatch)} goes on. Come back: longwatch attach {short(longwatch)}   "
            f"Stop it: longwatch send {short(longwatch)} stop"
        )
        goes_on(longwatch)
    finally:
        ends(longwatch)


def test_a_launcher_that_is_killed_takes_its_screen_off_the_terminal_and_the_agent_goes_on(longwatch, prompt):
    model = longwatch.script(*[command(f"echo {n}; sleep 0.3", text=f"Step {n}.") for n in range(60)])
    place = ["--workspace", str(longwatch.workspace), "--speed", "0"]
    try:
        screen = prompt(longwatch, "run", "Do the steps.", "--model", model, *place)
        screen.shows("Step 1.", "running")
        screen.command.kill()
        until(lambda: longwatch.count("screen.lost"))
        until(lambda: screen.text() and modes_left(bytes(screen.received)) == {})
        goes_on(longwatch)
    finally:
        ends(longwatch)


def test_a_session_that_a_limit_has_paused_ends_as_its_screen_is_left_and_says_the_way_on(longwatch, prompt):
    model = longwatch.script(*[command(f"echo {n}", text=f"Step {n}.") for n in range(9)])
    place = ["--workspace", str(longwatch.workspace), "--speed", "0", "--name", "short", "--max-turns", "2"]
    screen = prompt(longwatch, "run", "Do the steps.", "--model", model, *place)
    screen.shows("paused")
    screen.press("q")
    assert screen.left() == 3
    standing, back = screen.scrollback().split("\n")
    assert standing.startswith("short: paused (turn limit): ")
    assert back.startswith(f"Go on: longwatch resume {short(longwatch)}   Look at it: longwatch replay")
    assert longwatch.report()["state"] == "stopped"
