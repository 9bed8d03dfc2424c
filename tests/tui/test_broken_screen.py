import asyncio
import logging
import stat
import subprocess
import sys

import pytest
from sample_sessions import FakeControls, FakeSource, audit_session
from textual.geometry import Region
from watching_app import app_over, read

from core.config import Config
from core.folds.view import Changes
from tui.docks.guidance import GuidanceDock, GuidanceInput
from tui.faults import logged_aside
from tui.watching import Viewing, watch

SIZE = (120, 36)


async def test_the_guidance_line_may_be_painted_once_more_after_it_was_removed():
    app = app_over(audit_session())
    async with app.run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("g")
        await pilot.pause()
        field = app.watch_screen.query_one(GuidanceInput)
        await app.watch_screen.query_one(GuidanceDock).remove()
        field.notify_style_update()  # as losing the focus does
        (strip,) = field.render_lines(Region(0, 0, 10, 1))
        assert strip.text == " " * 10


async def test_a_frame_that_is_due_while_the_screen_is_taken_apart_is_not_drawn():
    app, faults = app_over(audit_session()), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    async with app.run_test(size=SIZE) as pilot:
        await read(pilot)
        pump = app.watch_screen._pump
        pump.rate = 1e6

        async def go_on_marking():
            while True:
                pump.mark(Changes.ALL)
                await asyncio.sleep(0)

        marking = asyncio.create_task(go_on_marking())
        app.exit("detached")
    marking.cancel()
    assert not faults


def test_what_is_logged_beside_a_screen_goes_to_the_log_of_faults_and_not_to_the_terminal(tmp_path, capfd):
    log, file = logging.Logger("somebody"), tmp_path / "screen.log"
    with logged_aside(file):
        log.error("a callback failed", exc_info=ZeroDivisionError("1 // 0"))
    assert capfd.readouterr().err == ""
    assert "a callback failed\nZeroDivisionError: 1 // 0" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with logged_aside(None):
        log.error("nowhere")
    log.error("afterwards")
    assert capfd.readouterr().err == "afterwards\n"


async def test_an_error_of_the_screen_ends_it_as_broken_and_keeps_the_traceback(tmp_path):
    log, told = tmp_path / "screen.log", []
    app = app_over(audit_session(), fault_log=log, on_quit=told.append)
    with pytest.raises(ZeroDivisionError):
        async with app.run_test(size=SIZE) as pilot:
            await read(pilot)
            app.call_later(lambda: 1 // 0)
            await pilot.pause()
    assert app.return_value == "broken" and told == ["broken"]
    assert app.fault_sentence.startswith("The screen broke (ZeroDivisionError: ")
    assert str(log) in app.fault_sentence
    assert "Traceback" in log.read_text() and "1 // 0" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert app.fake_source.closed


async def test_details_that_can_not_be_kept_are_not_promised(tmp_path):
    app = app_over(audit_session(), fault_log=tmp_path / "missing" / "screen.log")
    app.broke(ValueError("a\x1b[2Jb\nc"))
    assert "details" not in app.fault_sentence
    assert "\x1b" not in app.fault_sentence and "\n" not in app.fault_sentence


BREAKS_WHEN_DRAWN = """
import sys
sys.path[:0] = {tests!r}
from pathlib import Path
from sample_sessions import FakeControls, FakeSource, audit_session
from core.config import Config
from tui.watching import Viewing, watch
import tui.screens.gauging

def broken(*_, **__):
    secret = "a local variable"
    raise KeyError("no such style")

tui.screens.gauging.facts = broken
print(watch(FakeSource(audit_session()), FakeControls(), Config(), Viewing(folder=Path({folder!r}))))
"""


def test_no_traceback_reaches_the_terminal(tmp_path, request):
    code = BREAKS_WHEN_DRAWN.format(
        tests=[str(request.path.parent), str(request.path.parents[1])], folder=str(tmp_path)
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=request.config.rootpath,
        stdin=subprocess.DEVNULL,
    )
    assert run.returncode == 0
    assert run.stdout.splitlines()[-1].endswith("broken")
    said = run.stderr.splitlines()[-1]
    assert "longwatch: The screen broke (KeyError: 'no such style'); details in " in said
    assert said.endswith("screen.log. The agent goes on.")
    assert "Traceback" not in run.stdout + run.stderr and "a local variable" not in run.stdout + run.stderr
    assert "no such style" in (tmp_path / "screen.log").read_text()


def test_an_error_that_textual_lets_through_is_one_of_the_screen(monkeypatch, capsys):
    def fails(self, **_):
        raise OSError("no terminal here")

    monkeypatch.setattr("tui.app.LongwatchApp.run", fails)
    monkeypatch.setattr("tui.watching.hear_endings", lambda **_: None)
    assert watch(FakeSource(audit_session()), FakeControls(), Config(), Viewing(mode="replay")) == "broken"
    assert capsys.readouterr().err == "longwatch: The screen broke (OSError: no terminal here).\n"
