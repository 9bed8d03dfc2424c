"""The list of sessions from real folders, and what is said of a session whose runner is gone."""

import pytest
from sample_sessions import audit_session
from watching_app import app_over, read, screen_text, status, until

from core.clock import SystemClock
from core.config import Config
from core.journal.catalogue import list_sessions
from core.journal.errors import JournalError
from core.journal.lease import acquire
from core.models.profiles import resolve_endpoint
from core.session import NewSession, SessionControls, SessionSource, create, read_totals
from tui import watching
from tui.app import LongwatchApp, SessionsApp
from tui.session_rows import report_text, session_row
from tui.watching import RunnerWatch, choose

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


def rows_of(home):
    return {
        row.id: row for row in (session_row(one, read_totals, SystemClock().now_us()) for one in list_sessions(home))
    }


def test_a_session_without_a_runner_is_interrupted_and_a_broken_one_is_damaged_with_its_reason(home):
    rows = rows_of(home)
    assert rows["broken"].state == "damaged" and "not a database" in rows["broken"].task
    audit = next(row for row in rows.values() if row.id != "broken")
    assert (audit.name, audit.state, audit.task, audit.calls) == ("audit", "interrupted", "Audit it.", 0)
    assert audit.cost == "$0.00" and audit.duration == "00:00:00"


def test_a_session_whose_counters_can_not_be_read_is_damaged_too(home):
    def unreadable(folder):
        raise JournalError("Half of it is missing.")

    row = session_row(next(one for one in list_sessions(home) if one.name == "audit"), unreadable, 0)
    assert (row.state, row.task) == ("damaged", "Half of it is missing.")


async def test_the_report_is_read_in_its_place_and_a_damaged_session_is_not_opened(home):
    rows = rows_of(home)
    folders = {one.id: one.folder for one in list_sessions(home)}
    ordered = sorted(rows.values(), key=lambda row: row.state, reverse=True)
    app = SessionsApp(ordered, report=lambda id: report_text(folders[id]))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until(pilot, lambda: "▌" in screen_text(pilot))
        await pilot.press("R")
        await until(pilot, lambda: "Cache hits" in screen_text(pilot))
        await pilot.press("escape", "down", "enter")
        await until(pilot, lambda: len(app._notifications) == 1)
        await pilot.press("R")
        await until(pilot, lambda: len(app._notifications) == 2)
        assert all("not a database" in notice.message for notice in app._notifications)
        await pilot.press("up", "enter")
        await pilot.pause()
    assert app.return_value == ordered[0].id


@pytest.mark.parametrize("left", [True, False])
def test_what_was_chosen_is_given_as_its_folder(home, left, monkeypatch):
    wanted = next(one for one in list_sessions(home) if one.name == "audit")
    monkeypatch.setattr(watching, "_run", lambda app, mouse: None if left else wanted.id)
    assert choose(home) == (None if left else wanted.folder)


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


async def test_a_session_that_reads_as_running_and_is_run_by_nobody_says_interrupted():
    log = audit_session()
    gone = ["its runner is gone; longwatch resume 01abc goes on"]
    app = app_over(log, mode="attached", gone=lambda: gone[0])
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        await read(pilot)
        app.watch_screen._second()
        await until(pilot, lambda: "Interrupted: its runner is gone" in screen_text(pilot))
        assert "✗ interrupted · its runner is gone" in status(pilot)
        stopped = status(pilot)
        app.watch_screen.clock.advance(60)
        app.watch_screen._second()
        assert status(pilot) == stopped
        gone[0] = None
        app.watch_screen._second()
        assert "● running" in status(pilot)


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
