"""The list of sessions from real folders: what it shows, finds, opens, renames, deletes and compares."""

from pathlib import Path

import pytest
from session_homes import CONTINUED, DONE, NEEDED, NOW_US, add, assorted, called, listed, make, names, told
from watching_app import screen_text, until

from core.clock import MICROSECONDS
from core.events import ApprovalAsked, Draft
from core.journal.catalogue import find_session, list_sessions
from core.journal.lease import acquire
from core.journal.reader import Reader
from core.journal.trash import KEEP_DAYS, list_trash
from tui.session_rows import Chosen

ALL = ["port", "parser", "tests", "upgrade", "audit", "01f"]


@pytest.fixture
async def folders(tmp_path):
    """A home with a session of each kind; `parser` runs."""
    made = await assorted(tmp_path)
    with acquire(made["parser"]):
        yield made


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_who_needs_the_user_comes_first_then_what_runs_then_the_newest(tmp_path, folders, size):
    async with listed(tmp_path, size) as pilot:
        assert names(pilot) == ALL
        lines = screen_text(pilot).splitlines()[3:9]
        for line, words in zip(
            lines,
            ("▲ needs you · budget", "● running", "‖ paused · by you", "✗ interrupted", "✓ finished", "✗ damaged"),
            strict=True,
        ):
            assert line[1:].startswith(words)
        assert "2h" in lines[0] and "1h" in lines[4]
        assert ("Audit the package." in lines[4]) == (size[0] > 80)
        text = screen_text(pilot)
        assert "6 sessions" in text and "budget used up · All is spent. · 2h ago" in text
        assert "all 6  needs you 1  running 1  paused 1  broken 2  ended 1  trash 0" in text


@pytest.mark.parametrize(
    ("keys", "opening", "name"),
    [
        (("enter",), "watch", "port"),
        (("r",), "resume", "port"),
        (("p",), "replay", "port"),
        (("down", "enter"), "watch", "parser"),
        (("down", "down", "down", "enter"), "watch", "upgrade"),
        (("down", "down", "down", "down", "enter"), "replay", "audit"),
        (("down", "down", "down", "down", "a"), "watch", "audit"),
    ],
)
async def test_a_session_is_opened_as_its_state_allows(tmp_path, folders, keys, opening, name):
    async with listed(tmp_path) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
    assert pilot.app.return_value == Chosen(opening, folders[name])


async def test_after_a_group_of_nothing_the_list_takes_keys_again(tmp_path, folders):
    async with listed(tmp_path) as pilot:
        pilot.app.screen.action_show_group("trash")  # As by a click.
        await until(pilot, lambda: "The trash is empty" in screen_text(pilot))
        pilot.app.screen.action_show_group("trash")
        await until(pilot, lambda: "parser" in screen_text(pilot))
        await pilot.press("down", "enter")
        await pilot.pause()
    assert pilot.app.return_value == Chosen("watch", folders["parser"])


async def test_a_session_that_asks_its_user_comes_first_and_is_watched(tmp_path, folders):
    asked = ApprovalAsked(name="run_command", use_id="t", arguments={}, effect="command", reason="It may push.")
    asking = await make(tmp_path, "01g", "pushes", Draft(asked, key="r1.1.0"), ago_s=90)
    with acquire(asking):
        async with listed(tmp_path) as pilot:
            assert names(pilot)[0] == "pushes"
            assert "▲ needs you · asks" in screen_text(pilot) and "asks before a call" in screen_text(pilot)
            await pilot.press("enter")
            await pilot.pause()
    assert pilot.app.return_value == Chosen("watch", asking)


async def test_the_hint_bar_says_what_enter_does(tmp_path, folders):
    async with listed(tmp_path, (120, 30)) as pilot:
        for words, more in (("look", "r resume"), ("watch", "p replay"), ("look", "r resume"), ("look", "r resume")):
            hints = screen_text(pilot).splitlines()[-1]
            assert f"⏎ {words}" in hints and more in hints
            await pilot.press("down")
            await pilot.pause()
        assert "⏎ replay" in screen_text(pilot) and "r resume" not in screen_text(pilot)


async def test_what_is_not_possible_is_said_and_nothing_happens(tmp_path, folders):
    async with listed(tmp_path) as pilot:
        await pilot.press("down", "r", "D")
        await until(pilot, lambda: len(told(pilot)) == 2)
        assert "has a runner already" in told(pilot)[0] and "is running; stop it first" in told(pilot)[1]
        await pilot.press("end", "enter", "R")
        await until(pilot, lambda: len(told(pilot)) == 4)
        assert all("not a database" in words for words in told(pilot)[2:])
        assert names(pilot) == ALL
        await pilot.press("q")
    assert pilot.app.return_value is None


async def test_the_search_finds_as_one_types_and_escape_starts_over(tmp_path, folders):
    async with listed(tmp_path) as pilot:
        await pilot.press("down", "/", *"SERVICE por")
        await until(pilot, lambda: names(pilot) == ["port"])
        await pilot.press(*"zz")
        await until(pilot, lambda: names(pilot) == [])
        assert "No session here has 'SERVICE porzz' in it" in screen_text(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: names(pilot) == ALL)
        assert pilot.app.screen.selected.name == "parser"
        await pilot.press("/", *"01", "down", "down", "enter", "enter")
        await pilot.pause()
    assert pilot.app.return_value.opening == "watch"


@pytest.mark.parametrize(
    "words", ["01A", "package", "/work/audit", "simulated/auditor audit the package", "audit package"]
)
async def test_a_session_is_found_by_name_task_workspace_model_and_id(tmp_path, folders, words):
    async with listed(tmp_path) as pilot:
        await pilot.press("/", *words)
        await until(pilot, lambda: names(pilot) == ["audit"])


async def test_the_filters_go_round_what_there_is_and_are_clicked(tmp_path, folders):
    async with listed(tmp_path) as pilot:
        seen = []
        for _ in range(6):
            await pilot.press("f")
            await pilot.pause()
            seen.append(names(pilot))
        assert seen == [["port"], ["parser"], ["tests"], ["upgrade", "01f"], ["audit"], ALL]
        await pilot.press("F")
        await until(pilot, lambda: names(pilot) == ["audit"])
        bar = pilot.app.screen.query_one(".sessions--groups")
        await pilot.click(bar, offset=(bar.content.plain.index("trash") + 1, 0))
        await until(pilot, lambda: names(pilot) == [])
        assert "The trash is empty. f shows the next group." in screen_text(pilot)
        await pilot.click(bar, offset=(1, 0))
        await until(pilot, lambda: names(pilot) == ALL)


async def test_a_double_click_opens(tmp_path, folders):
    async with listed(tmp_path) as pilot:
        await pilot.click("LineList", offset=(10, 4), times=2)
        await pilot.pause()
    assert pilot.app.return_value == Chosen("replay", folders["audit"])


async def test_a_name_is_written_in_its_line(tmp_path, folders):
    async with listed(tmp_path) as pilot:
        await pilot.press("down", "down", "n", "a", "escape", "n")
        before = screen_text(pilot).splitlines()[5]
        assert before.split()[5] == "tests" and pilot.app.focused.id == "name"
        await pilot.press("home", *"all-", "end", "backspace", "enter")
        await until(pilot, lambda: "all-test" in names(pilot))
        assert screen_text(pilot).splitlines()[5].index("all-test") == before.index("tests")
        assert pilot.app.screen.selected.name == "all-test"
        await until(pilot, lambda: told(pilot) == ["tests is now called all-test."])
    assert find_session(tmp_path, "all-test").folder == folders["tests"]


async def test_a_running_session_is_renamed_by_its_runner(tmp_path, folders):
    async with listed(tmp_path) as pilot:
        await pilot.press("down", "n", *"other", "enter")
        await until(pilot, lambda: bool(told(pilot)))
        assert told(pilot) == ["parser is to be called other. The runner takes it up at its next step."]
    assert any((folders["parser"] / "inbox").iterdir())


async def test_what_is_deleted_is_put_back_by_one_key(tmp_path, folders):
    async with listed(tmp_path) as pilot:
        await pilot.press("down", "down", "D")
        await until(pilot, lambda: "tests" not in names(pilot) and len(told(pilot)) == 1)
        assert "tests is in the trash (" in told(pilot)[0] and f"for {KEEP_DAYS} days; u puts it back" in told(pilot)[0]
        assert pilot.app.screen.selected.name == "upgrade" and not folders["tests"].exists()
        assert "trash 1" in screen_text(pilot) and "u put back" in screen_text(pilot)
        await pilot.press("u")
        await until(pilot, lambda: names(pilot) == ALL)
        assert pilot.app.screen.selected.name == "tests"
        assert list_trash(tmp_path) == []


async def test_the_trash_is_looked_through_put_back_and_emptied(tmp_path, folders):
    async with listed(tmp_path) as pilot:
        await pilot.press("down", "down", "D")
        await until(pilot, lambda: len(list_trash(tmp_path)) == 1)
        await until(pilot, lambda: pilot.app.screen.selected.name == "upgrade")
        await pilot.press("D")
        await until(pilot, lambda: len(list_trash(tmp_path)) == 2 and "trash 2" in screen_text(pilot))
        await pilot.press("F")
        await until(pilot, lambda: len(names(pilot)) == 2)
        assert f"deleted · {KEEP_DAYS}d left" in screen_text(pilot) and "KB" in screen_text(pilot)
        pilot.app.screen.table.list.select(names(pilot).index("upgrade"))
        await pilot.press("u")
        await until(pilot, lambda: names(pilot) == ["tests"])
        assert folders["upgrade"].exists()
        await pilot.press("D")
        await until(pilot, lambda: "Delete tests for good?" in screen_text(pilot))
        await pilot.press("enter", "escape", "D")
        await until(pilot, lambda: "Delete tests for good?" in screen_text(pilot))
        assert len(list_trash(tmp_path)) == 1
        await pilot.press("y")
        await until(pilot, lambda: names(pilot) == [])
    assert list_trash(tmp_path) == [] and not any((tmp_path / "trash").iterdir())
    assert {one.id for one in list_sessions(tmp_path)} == {"01a", "01b", "01c", "01e", "01f"}


async def test_the_report_of_the_one_under_the_cursor(tmp_path, folders):
    async with listed(tmp_path) as pilot:
        await pilot.press("R")
        await until(pilot, lambda: "Cache hits" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: names(pilot) == ALL)


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_two_sessions_are_compared_side_by_side(tmp_path, folders, size):
    async with listed(tmp_path, size) as pilot:
        await pilot.press("c")
        await until(pilot, lambda: "◆ needs you" in screen_text(pilot))
        await pilot.press("down", "down", "down", "down", "c")
        await until(pilot, lambda: "◆ port 01b  against  audit 01a" in screen_text(pilot))
        calls = next(line for line in screen_text(pilot).splitlines() if "Tool calls" in line)
        assert calls.replace("│", " ").split() == ["Tool", "calls", "0", "2", "+2"]
        await pilot.press("x")
        await until(pilot, lambda: "◆ audit 01a  against  port 01b" in screen_text(pilot))
        assert "−2 (−100%)" in screen_text(pilot)
        await pilot.press("escape", "home", "c")
        await until(pilot, lambda: "▲ needs you" in screen_text(pilot))


async def test_news_come_by_themselves_and_the_cursor_stays_with_its_session(tmp_path, folders):
    async with listed(tmp_path) as pilot:
        await pilot.press("down", "down")
        await add(folders["audit"], CONTINUED, NEEDED)
        await until(pilot, lambda: names(pilot)[0] == "audit")
        assert pilot.app.screen.selected.name == "tests"
        await make(tmp_path, "02a", "newest", called(1), DONE, ago_s=0)
        await until(pilot, lambda: "newest" in names(pilot))
        assert names(pilot)[3] == "newest" and pilot.app.screen.selected.name == "tests"
        assert "7 sessions" in screen_text(pilot)


async def test_a_long_list_that_is_scrolled_keeps_its_place_when_something_comes_in_above(tmp_path):
    for number in range(30):
        await make(tmp_path, f"01{number:02}", f"session-{number:02}", DONE, ago_s=100 + number)
    async with listed(tmp_path, (80, 24)) as pilot:
        pilot.app.screen.table.list.select(25)
        await pilot.pause()
        top = [line[:70] for line in screen_text(pilot).splitlines()[3:19]]
        await make(tmp_path, "02", "urgent", NEEDED)
        await until(pilot, lambda: names(pilot)[0] == "urgent")
        assert [line[:70] for line in screen_text(pilot).splitlines()[3:19]] == top
        assert pilot.app.screen.selected.name == "session-25"


async def test_ages_tick_and_a_runner_without_a_heartbeat_is_silent(tmp_path, folders):
    async with listed(tmp_path) as pilot:
        assert "2h" in screen_text(pilot).splitlines()[3]
        beat_us = (folders["parser"] / "lease.beat").stat().st_mtime_ns // 1000
        pilot.app.clock.advance((beat_us - NOW_US) // MICROSECONDS + 4 * 3_600 + 60)
        pilot.app.screen._tick()
        await pilot.pause()
        assert "● silent · 4h" in screen_text(pilot)


async def test_the_cursor_begins_where_it_was_and_a_notice_is_told(tmp_path, folders):
    async with listed(tmp_path, select="01e", notice="It could not be resumed.") as pilot:
        assert pilot.app.screen.selected.name == "upgrade"
        assert told(pilot) == ["It could not be resumed."]


async def test_an_empty_home_says_how_to_begin(tmp_path):
    async with listed(tmp_path) as pilot:
        assert "No sessions yet" in screen_text(pilot) and "longwatch run TASK" in screen_text(pilot)
        await pilot.press("enter", "r", "D", "R", "c", "n", "u", "f")
        assert told(pilot) == []


async def test_a_home_that_can_not_be_listed_says_why_and_recovers(tmp_path):
    sessions = Path(tmp_path, "sessions")
    sessions.write_text("a file")
    async with listed(tmp_path, ready=False) as pilot:
        said = "be listed: Not a directory. Trying again; q leaves."
        await until(pilot, lambda: said in " ".join(screen_text(pilot).split()))
        sessions.unlink()
        await make(tmp_path, "01a", "audit", DONE)
        await until(pilot, lambda: names(pilot) == ["audit"])


async def test_a_session_whose_workspace_is_gone_can_still_be_renamed(tmp_path):
    folder = await make(tmp_path, "01a", "audit", DONE)
    async with listed(tmp_path) as pilot:
        await pilot.press("n", *"old audit", "enter")
        await until(pilot, lambda: names(pilot) == ["old audit"])
    with Reader(folder) as reader:
        assert reader.verify() is None
