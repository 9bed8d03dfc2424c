"""What is said of a session whose runner is gone, and how it is steered all the same."""

import os

import pytest
from sample_sessions import audit_session
from watching_app import app_over, read, screen_text, status, until

from core.agent.hosting import Hosting
from core.agent.seating import seated
from core.clock import SystemClock
from core.config import Config
from core.controls import SessionControls
from core.events import CommandDone, Draft, RunnerAttached
from core.journal.catalogue import list_sessions
from core.journal.lease import BEAT, BEAT_EVERY_S, acquire
from core.models.profiles import resolve_endpoint
from core.session import BackgroundRunner, NewSession, create
from core.source import SessionSource
from tui import runner_watch, watching
from tui.app import LongwatchApp
from tui.runner_watch import LifeWatch, RunnerWatch
from tui.screens.alarming import RUN_AGAIN
from tui.session_rows import Chosen, SessionHome
from tui.watching import choose

SIZE = (120, 36)


@pytest.fixture
async def home(tmp_path):
    """A home with a session that was begun and left, and one that is damaged."""
    (tmp_path / "project").mkdir()
    wanted = NewSession("Audit it.", tmp_path / "project", resolve_endpoint(Config(), "simulated/auditor"), "audit")
    await create(tmp_path / "home", wanted)
    broken = tmp_path / "home" / "sessions" / "broken"
    broken.mkdir()
    (broken / "session.db").write_text("junk")
    return tmp_path / "home"


@pytest.mark.parametrize("left", [True, False])
def test_what_was_opened_is_given_with_how(home, left, monkeypatch):
    wanted = Chosen("watch", next(one.folder for one in list_sessions(home) if one.name == "audit"))
    monkeypatch.setattr(watching, "_run", lambda app, mouse: None if left else wanted)
    assert choose(SessionHome(home)) == (None if left else wanted)


def test_a_runner_that_was_seen_and_is_missed_twice_is_gone(home):
    folder = next(one.folder for one in list_sessions(home) if one.name == "audit")
    watch = RunnerWatch(folder, held=False, every_s=0)
    assert [watch(), watch(), watch()] == [None, None, None]
    with acquire(folder):
        assert watch() is None
    assert watch() is None
    assert watch() == f"its runner is gone; longwatch resume {folder.name[:10]} goes on"
    with acquire(folder):
        assert watch() is None


async def test_a_session_that_was_handed_over_has_time_to_be_taken_up(home, monkeypatch):
    now_s = 0.0
    monkeypatch.setattr(runner_watch, "monotonic", lambda: now_s)
    folder = next(one.folder for one in list_sessions(home) if one.name == "audit")
    watch = RunnerWatch(folder, held=True, every_s=0)
    async with seated(folder, SystemClock()) as (desk, _):
        await desk.append(Draft(CommandDone(verb="hand-over"), key="k1"))
    assert [watch(), watch(), watch()] == [None, None, None]
    now_s += runner_watch.TAKING_OVER_S
    assert "its runner is gone" in watch()
    async with seated(folder, SystemClock()) as (desk, _):
        assert watch() is None
        await desk.append(Draft(RunnerAttached(pid=1, host="h", epoch=2, app_version="1"), actor="system"))
    assert watch() is None
    assert "its runner is gone" in watch()


def test_a_runner_that_fell_is_gone_with_the_reason_until_another_one_goes_on(home):
    folder = next(one.folder for one in list_sessions(home) if one.name == "audit")
    watch = RunnerWatch(folder, held=False, every_s=0, fell=lambda: "The workspace is not there.")
    assert watch() is None
    assert watch() == f"its runner ended (The workspace is not there); longwatch resume {folder.name[:10]} goes on"
    with acquire(folder):
        assert watch() is None


def test_a_runner_that_could_not_begin_says_why_and_is_in_no_trouble_any_more(home):
    folder = next(one.folder for one in list_sessions(home) if one.name == "audit")
    (home.parent / "project").rmdir()
    runner = BackgroundRunner(Hosting(folder, Config(), attended=True))
    runner.start()
    runner.done.wait()
    runner.leave_alone()
    runner.cancel()
    assert "project does not exist" in runner.fell and runner.trouble == ""
    runner.error = ExceptionGroup("several", [KeyError("style")])
    assert runner.fell == "KeyError: 'style'"


def test_a_runner_that_is_there_and_does_not_stir_is_told_of(home):
    folder = next(one.folder for one in list_sessions(home) if one.name == "audit")
    watch = LifeWatch(folder, every_s=0, after_s=0)
    assert watch() is None
    with acquire(folder) as lease:
        assert watch() is None
        long_ago = (folder / BEAT).stat().st_mtime - 60
        os.utime(folder / BEAT, (long_ago, long_ago))
        assert watch() == f"process {os.getpid()} has given no sign of life for 30 s and more: stopped, or hung"
        lease.beat()
        assert watch() is None


def test_a_runner_that_slept_with_its_machine_has_a_moment_to_wake_up(home, monkeypatch):
    folder, now_s = next(one.folder for one in list_sessions(home) if one.name == "audit"), 0.0
    monkeypatch.setattr(runner_watch, "monotonic", lambda: now_s)
    watch = LifeWatch(folder, every_s=0)
    with acquire(folder) as lease:
        os.utime(folder / BEAT, (0, 0))
        assert watch() is None
        now_s = BEAT_EVERY_S
        assert watch() is None
        lease.beat()
        assert watch() is None
        os.utime(folder / BEAT, (0, 0))
        assert watch() is None
        now_s += runner_watch.WAKING_S
        assert "no sign of life" in watch()


async def test_a_session_that_reads_as_running_and_is_run_by_nobody_says_interrupted():
    log = audit_session()
    gone = ["its runner is gone; longwatch resume 01abc goes on"]
    app = app_over(log, mode="attached", gone=lambda: gone[0])
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        await read(pilot)
        app.watch_screen._second()
        await until(pilot, lambda: "Interrupted: its runner is gone" in screen_text(pilot))
        assert "✗ interrupted · its runner is gone" in status(pilot)
        elapsed = app.watch_screen.now_us()
        app.watch_screen.clock.advance(60)
        app.watch_screen._second()
        assert app.watch_screen.now_us() == elapsed, "the session's clock goes on though nobody runs it"
        assert "✗ interrupted" in status(pilot) and "last event 1m ago" in status(pilot)
        gone[0] = None
        await until(pilot, lambda: "● running" in status(pilot))
        await until(pilot, lambda: RUN_AGAIN in screen_text(pilot))
        assert "Interrupted" not in screen_text(pilot)


async def test_a_session_that_has_ended_is_not_interrupted():
    app = app_over(audit_session(running=False), mode="attached", gone=lambda: "its runner is gone")
    async with app.run_test(size=SIZE) as pilot:
        await read(pilot)
        app.watch_screen._second()
        assert "✓ finished" in status(pilot)


async def test_a_session_that_nobody_runs_is_still_steered_from_its_screen(home):
    folder = next(one.folder for one in list_sessions(home) if one.name == "audit")
    app = LongwatchApp(SessionSource(folder), SessionControls(folder), mode="attached")
    async with app.run_test(size=SIZE) as pilot:
        await read(pilot)
        await pilot.press("m", *"here", "enter")
        await until(pilot, lambda: "Bookmark: here" in screen_text(pilot))
        await pilot.press("ctrl+x", "s")
        await until(pilot, lambda: "■ stopped" in status(pilot))
        await pilot.press("m", *"later", "enter")
        await until(pilot, lambda: "Bookmark: later" in screen_text(pilot))
