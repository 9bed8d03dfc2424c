"""The screen on real terminals: left, lost, killed and come back to, while the agent goes on."""

import os
import re
import shlex
import signal
import time
from contextlib import suppress

import psutil
import pytest
from processes import PATIENCE_S, command, until
from terminals import LINE, Terminal

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


def started(longwatch, terminal, *more, steps=200, line="echo >> log", **options):
    """A session with its screen, a few calls on its way."""
    model = longwatch.script(*[command(f"{line}; sleep 0.3; : {n}", text=f"Step {n}.") for n in range(steps)])
    place = ["--workspace", str(longwatch.workspace), "--speed", "0"]
    screen = terminal("run", "Do the steps.", "--model", model, *place, *more, **options)
    screen.shows(*(["goes on"] if more else ["Step 1.", "running"]))
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
    again.watches()
    again.press(" ")
    again.shows("paused")
    assert longwatch.report()["state"] == "paused"


def test_a_terminal_that_vanishes_does_not_stop_the_agent_and_whoever_ends_its_process_does(longwatch, terminal):
    started(longwatch, terminal).vanish()
    goes_on(longwatch)
    longwatch.here("send", "", "pause")
    until(lambda: longwatch.report()["state"] == "paused")
    os.kill(holder(longwatch.folder()).pid, signal.SIGTERM)
    until(lambda: holder(longwatch.folder()) is None)
    assert longwatch.report()["state"] == "paused"


def test_a_killed_launcher_and_a_killed_viewer_do_not_stop_the_agent(longwatch, terminal):
    screen = started(longwatch, terminal)
    viewer = terminal("attach")
    viewer.watches()
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
    again.watches("Recovered", "running")
    goes_on(longwatch)


def shell_with_a_run(longwatch, terminal):
    """A shell in which a run was started, which has its screen there."""
    line = "grep -E 'SigBlk|SigIgn' /proc/self/status >> log; sleep 0.3"
    model = longwatch.script(*[command(f"echo {n}; {line}", text=f"Step {n}.") for n in range(200)])
    place = ["--workspace", str(longwatch.workspace), "--speed", "0"]
    shell = terminal(shell=True)
    shell.shows("$ ")
    shell.press(shlex.join([*LINE, "run", "Do the steps.", "--model", model, *place]) + "\r")
    shell.shows("Step 1.", "running")
    return shell


def put_away_in_a_shell(longwatch, terminal):
    """The same, and the screen was stopped with Ctrl+Z."""
    shell = shell_with_a_run(longwatch, terminal)
    shell.press("\x1a")
    shell.shows("Stopped")
    return shell


def test_ctrl_z_in_a_shell_stops_the_screen_and_not_the_agent_and_fg_brings_it_back(longwatch, terminal):
    shell = put_away_in_a_shell(longwatch, terminal)
    goes_on(longwatch)
    shell.press("jobs; echo typed $((40 + 2))\r")
    shell.shows("typed 42")
    goes_on(longwatch)
    shell.press("fg\r")
    shell.shows("running", "Step")
    shell.press(" ")
    shell.shows("paused")
    shell.press(" ")
    shell.shows("running")
    shell.press("\x1a")
    shell.shows("Stopped")
    shell.press("bg; echo still typed $((40 + 3))\r")
    shell.shows("still typed 43")
    goes_on(longwatch)
    shell.press("fg\r")
    shell.shows("running", "Step")
    shell.press("d")
    shell.shows("goes on")
    shell.press("echo prompt $((40 + 4))\r")
    shell.shows("prompt 44")
    goes_on(longwatch)


def test_ctrl_z_before_a_screen_is_back_does_not_stop_the_agent_either(longwatch, terminal):
    shell = put_away_in_a_shell(longwatch, terminal)
    runner = psutil.Process(holder(longwatch.folder()).pid)
    launcher = runner.parent()
    for _ in range(6):
        shell.press("fg\r\x1a")
        goes_on(longwatch)
        assert runner.status() != psutil.STATUS_STOPPED
        if launcher.status() != psutil.STATUS_STOPPED:  # It came too early to be heard.
            shell.watches()
            shell.press("\x1a")
            until(lambda: launcher.status() == psutil.STATUS_STOPPED)
    shell.press("fg\r")
    shell.watches()


def test_a_shell_that_ends_over_a_put_away_screen_leaves_the_agent_at_work(longwatch, terminal):
    shell = put_away_in_a_shell(longwatch, terminal)
    shell.vanish()
    goes_on(longwatch)
    until(lambda: os.getsid(holder(longwatch.folder()).pid) == holder(longwatch.folder()).pid)
    goes_on(longwatch)


def test_a_put_away_screen_is_left_though_its_terminal_wants_no_words_from_the_background(longwatch, terminal):
    shell = put_away_in_a_shell(longwatch, terminal)
    shell.press("stty tostop; echo typed $((40 + 2))\r")
    shell.shows("typed 42")
    assert longwatch.here("send", "", "detach").returncode == 0
    runner = holder(longwatch.folder()).pid
    until(lambda: os.getsid(runner) == runner)
    goes_on(longwatch)


@pytest.mark.parametrize("left", ["vanished while put away", "vanished", "q"])
def test_no_number_of_hang_ups_ends_the_agent_while_its_screen_is_left(longwatch, terminal, left):
    screen = put_away_in_a_shell(longwatch, terminal) if "put away" in left else started(longwatch, terminal)
    runner = holder(longwatch.folder()).pid
    if left == "q":
        screen.press("q")
    else:
        screen.vanish()
    end = time.monotonic() + PATIENCE_S
    while os.getsid(runner) != runner and time.monotonic() < end:
        os.kill(runner, signal.SIGHUP)
        time.sleep(0.001)
    os.kill(runner, signal.SIGHUP)
    goes_on(longwatch)
    assert holder(longwatch.folder()).pid == runner


@pytest.mark.parametrize("key", ["\x03", "\x1c", "\x1a"])
@pytest.mark.parametrize("how", ["q", "d"])
def test_keys_that_are_pressed_after_leaving_reach_the_shell_and_not_the_agent(longwatch, terminal, how, key):
    shell = shell_with_a_run(longwatch, terminal)
    runner = holder(longwatch.folder()).pid
    shell.press(how)
    end = time.monotonic() + PATIENCE_S
    while os.getsid(runner) != runner and time.monotonic() < end:
        shell.press(key)
        shell.text()
    goes_on(longwatch)
    assert holder(longwatch.folder()).pid == runner
    shell.press("\x15fg\r\x15echo prompt $((40 + 4))\r")
    shell.shows("prompt 44")


@pytest.mark.parametrize("after", ["session.db", "lease.lock", "viewers/*"])
def test_a_terminal_that_vanishes_while_the_screen_is_made_leaves_an_agent_that_works(longwatch, terminal, after):
    model = longwatch.script(*[command(f"echo {n} >> log; sleep 0.3", text=f"Step {n}.") for n in range(200)])
    screen = terminal("run", "Do it.", "--model", model, "--workspace", str(longwatch.workspace), "--speed", "0")
    until(lambda: next(longwatch.home.glob(f"sessions/*/{after}"), None))
    screen.vanish()
    until(lambda: (longwatch.workspace / "log").exists())
    goes_on(longwatch)
    assert screen.ends() == 0


@pytest.mark.parametrize("how", [[], ["--plain"]])
def test_no_number_of_sigterms_to_the_launcher_ends_the_agent_with_its_screen(longwatch, terminal, how):
    model = longwatch.script(*[command(f"sleep 0.3; : {n}", text=f"Step {n}.") for n in range(200)])
    place = ["--workspace", str(longwatch.workspace), "--speed", "0"]
    screen = terminal("run", "Do the steps.", "--model", model, *place, *how)
    screen.shows("Step 1.")
    runner = holder(longwatch.folder()).pid
    end = time.monotonic() + PATIENCE_S
    with suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.kill(screen.pid, signal.SIGTERM)
            screen.text()
    goes_on(longwatch)
    assert holder(longwatch.folder()).pid == runner == os.getsid(runner)


@pytest.mark.parametrize("sent", ["\x03", "\x1c", signal.SIGTERM])
def test_what_would_end_a_screen_that_is_only_being_made_leaves_an_agent_that_works(longwatch, terminal, sent):
    model = longwatch.script(*[command(f"echo {n} >> log; sleep 0.3", text=f"Step {n}.") for n in range(200)])
    screen = terminal("run", "Do it.", "--model", model, "--workspace", str(longwatch.workspace), "--speed", "0")
    until(lambda: next(longwatch.home.glob("sessions/*/viewers"), None))
    if sent == signal.SIGTERM:
        os.kill(screen.pid, sent)
        assert screen.ends() == 0
    else:
        screen.press(sent)
        screen.watches()
    goes_on(longwatch)


def test_a_viewer_that_is_stopped_or_continued_by_whomever_is_there_again(longwatch, terminal):
    started(longwatch, terminal)
    viewer = terminal("attach")
    viewer.watches()
    viewer.press("\x1a")  # No shell could continue it.
    viewer.press("?")
    viewer.shows("Keys")
    for stop in (0, signal.SIGSTOP):
        viewer.received.clear()
        os.kill(viewer.pid, stop)
        os.kill(viewer.pid, signal.SIGCONT)
        until(lambda: viewer.text() and b"\x1b[?1049h" in viewer.received)
    viewer.press("\x1b")
    viewer.watches()
    viewer.press("q")
    assert viewer.ends() == 0
    assert viewer.received.rindex(b"\x1b[?1049l") > viewer.received.rindex(b"\x1b[?1049h")


def test_a_viewer_that_was_put_away_in_a_shell_comes_back_and_goes_with_it(longwatch, terminal):
    started(longwatch, terminal)
    shell = terminal(shell=True)
    shell.shows("$ ")
    shell.press(shlex.join([*LINE, "attach"]) + "\r")
    shell.watches()
    (viewer,) = psutil.Process(shell.pid).children()
    for back in ("fg\r", "bg; echo typed $((40 + 2))\r"):
        shell.press("\x1a")
        shell.shows("Stopped")
        shell.received.clear()
        shell.press(back)
        if back == "fg\r":
            until(lambda: shell.text() and b"\x1b[?2004h\x1b[?7l" in shell.received)  # It reads the keys again.
        else:
            shell.shows("typed 42")
    shell.vanish()
    until(lambda: not viewer.is_running())


@pytest.mark.parametrize("left", ["vanishes", "q", "never there"])
def test_a_command_hears_the_same_signals_with_and_without_a_screen(longwatch, terminal, left):
    if left == "vanishes":
        put_away_in_a_shell(longwatch, terminal).vanish()
    else:
        detach = ["--detach"] if left == "never there" else []
        screen = started(longwatch, terminal, *detach, line="grep -E 'SigBlk|SigIgn' /proc/self/status >> log")
        screen.press("q")
    runner = until(lambda: holder(longwatch.folder())).pid
    until(lambda: os.getsid(runner) == runner)
    goes_on(longwatch)
    of_jobs = sum(1 << number - 1 for number in (signal.SIGHUP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU))
    deaf = {int(line.split()[1], 16) & of_jobs for line in (longwatch.workspace / "log").read_text().splitlines()}
    assert deaf == {0}


def test_d_gives_the_prompt_back_during_a_long_command_and_the_command_goes_on(longwatch, terminal):
    model = longwatch.script(longwatch.gated("echo begun"), command("echo after", text="It went on."))
    place = ["--workspace", str(longwatch.workspace), "--speed", "0"]
    screen = terminal("run", "Do the steps.", "--model", model, *place)
    screen.shows("running")
    until(lambda: longwatch.count("tool.started"))
    screen.press("d")
    assert screen.ends() == 0
    assert longwatch.count("tool.finished") == 0
    longwatch.gate.touch()
    until(lambda: longwatch.count("session.finished"))
    outcomes = [event.body for event in longwatch.events() if event.kind == "tool.finished"]
    assert [outcome.ok for outcome in outcomes] == [True, True]


def test_detach_from_another_shell_closes_the_screen_of_the_run(longwatch, terminal):
    screen = started(longwatch, terminal)
    assert longwatch.here("send", "", "detach").returncode == 0
    assert screen.ends() == 0
    goes_on(longwatch)


def test_a_reply_in_flight_is_neither_lost_nor_paid_twice_when_the_screen_is_left(longwatch, terminal):
    text = " ".join(f"word{n}" for n in range(150))
    model = longwatch.script({"text": text, "tool_uses": [{"name": "run_command", "input": {"command": "echo done"}}]})
    place = ["--workspace", str(longwatch.workspace), "--speed", "1"]
    screen = terminal("run", "Do the steps.", "--model", model, *place)
    screen.shows("word20")
    assert longwatch.count("model.responded") == 0
    screen.press("d")
    assert screen.ends() == 0
    assert longwatch.count("model.responded") == 0
    until(lambda: longwatch.count("session.finished"))
    replies = [event.body for event in longwatch.events() if event.kind == "model.responded"]
    assert replies[0].content[0]["text"] == text
    assert longwatch.count("model.requested") == len(replies)


def test_reset_takes_back_every_mode_that_a_killed_screen_set(longwatch, terminal):
    screen = started(longwatch, terminal)
    viewer = terminal("attach")
    viewer.watches()
    os.kill(viewer.pid, signal.SIGKILL)
    assert viewer.ends() == -signal.SIGKILL
    mended = longwatch.here("reset").stdout.encode()
    switched_on = set(re.findall(rb"\x1b\[\?(\d+)h", bytes(viewer.received))) - {b"25", b"7"}
    assert {b"1049", b"1000", b"1003", b"2004"} <= switched_on
    assert switched_on <= set(re.findall(rb"\x1b\[\?(\d+)l", mended))
    for mode in (b"25", b"7"):  # The cursor and the wrapping of lines, which a screen switches off.
        assert b"\x1b[?" + mode + b"l" in viewer.received and b"\x1b[?" + mode + b"h" in mended
    assert re.search(rb"\x1b\[>\d+u", bytes(viewer.received)) and mended.index(b"\x1b[<u") < mended.index(b"1049l")
    screen.press("q")
    assert screen.ends() == 0


def test_one_screen_drives_the_others_observe_and_taking_the_wheel_is_logged(longwatch, terminal):
    first = started(longwatch, terminal, steps=200, columns=200)
    second = terminal("attach", columns=200)
    second.shows("observing", "2 viewers", "takes the wheel")
    first.shows("driver +1")
    second.press(" ")
    second.shows("drives this session. w takes the wheel.")
    assert longwatch.count("command.refused") == longwatch.count("session.paused") == 0
    second.press("w")
    second.shows("You drive now")
    first.shows("observing")
    second.press(" ")
    second.shows("paused")
    changed = [event.body for event in longwatch.events() if event.kind == "driver.changed"]
    assert len(changed) == 1 and "pts/" in changed[0].who and changed[0].taken
    os.kill(second.pid, signal.SIGKILL)
    until(lambda: "takes the wheel" not in first.text())
    first.press(" ")
    until(lambda: longwatch.count("session.continued"))
    assert longwatch.count("driver.changed") == 2


def test_guidance_is_written_in_the_users_own_editor_and_the_screen_comes_back(longwatch, terminal, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\necho 'in the editor'\necho 'Mind the callers.' > \"$1\"\n")
    editor.chmod(0o755)
    longwatch.environment["EDITOR"] = str(editor)
    screen = started(longwatch, terminal)
    screen.press("g")
    screen.shows("Guide the agent")
    screen.press("\x0f")
    screen.shows("Mind the callers.", "running")
    screen.press("\r")
    until(lambda: longwatch.count("guidance.queued"))
    said = next(event.body.text for event in longwatch.events() if event.kind == "guidance.queued")
    assert said == "Mind the callers."
    screen.press("q")
    assert screen.ends() == 0


@pytest.mark.parametrize("ended", ["\x03", "\x1c", "\x1aMind them.\r", "vanishes", "detached"])
def test_the_keys_of_an_editor_and_its_end_touch_neither_the_screen_nor_the_agent(longwatch, terminal, tmp_path, ended):
    editor = tmp_path / "editor"
    deaf = "trap '' HUP\n" if ended == "detached" else ""
    editor.write_text(f'#!/bin/sh\n{deaf}echo \'in the editor\'\nread line\necho "$line" > "$1"\n')
    editor.chmod(0o755)
    longwatch.environment["EDITOR"] = str(editor)
    shell = shell_with_a_run(longwatch, terminal)
    runner = holder(longwatch.folder()).pid
    shell.press("g")
    shell.shows("Guide the agent")
    shell.press("\x0f")
    shell.shows("in the editor")
    if ended == "vanishes":
        shell.vanish()
    elif ended == "detached":
        assert longwatch.here("send", "", "detach").returncode == 0
        shell.shows("goes on")  # What is typed before that is the editor's.
        shell.press("echo prompt $((40 + 4))\r")
        shell.shows("prompt 44")
    else:
        shell.press(ended)
        shell.shows("Mind them." if "Mind" in ended else "the text is as it was", "running")
    goes_on(longwatch)
    assert holder(longwatch.folder()).pid == runner
    until(lambda: (os.getsid(runner) == runner) == (ended in ("vanishes", "detached")))


def test_somebody_at_a_terminal_is_asked_whether_a_workspaces_own_settings_may_be_used(longwatch, terminal):
    (longwatch.workspace / ".longwatch.toml").write_text('name = "theirs"\n')
    model, place = longwatch.script(command("true")), ["--workspace", str(longwatch.workspace), "--speed", "0"]
    screen = terminal("run", "Do it.", "--model", model, *place)
    screen.shows("name = 'theirs'", "Use it from now on")
    screen.press("y\r")
    until(lambda: longwatch.count("session.opened"))
    assert longwatch.events()[0].body.name == "theirs"
    screen.shows("palette")
    screen.press("q")
    assert screen.ends() == 0


def test_a_rehearsal_that_is_watched_on_the_screen_goes_on_when_it_is_left_and_its_table_is_not_waited_for(
    longwatch, terminal
):
    screen = terminal("rehearse", "reference", "--screen", "--lines", "3000", "--calls", "120", "--undisturbed")
    screen.shows("Audit this code base", "running")
    screen.press("q")
    screen.shows("The table follows when it has ended.")
    screen.press("\x03")
    screen.shows("It goes on. Come back: longwatch attach")
    assert screen.ends() == 130
    before = longwatch.count("tool.finished")
    until(lambda: longwatch.count("tool.finished") > before or longwatch.count("session.finished"))
    if (runner := holder(longwatch.folder())) is not None:
        psutil.Process(runner.pid).parent().kill()  # who would begin it anew
