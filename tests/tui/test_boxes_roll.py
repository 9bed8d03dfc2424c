"""The sessions of other machines in one list: asked at once, bounded, each silence one line."""

import asyncio
import json
import os
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from click.testing import CliRunner
from fake_ssh import box, fake_ssh
from session_homes import DONE, NOW_US, listed, make, names, told
from watching_app import screen_text, until

from core.boxes.roll import Row, call_roll
from core.boxes.ssh import Box, box_named, problem
from core.clock import VirtualClock
from core.config import Config
from core.journal.errors import JournalError
from tui.box_rows import Boxes, _overview
from tui.cli import cli
from tui.screens.session_list_rows import WITH_BOXES, ListedRows
from tui.session_rows import Chosen, SessionRow


def call(tmp_path, *arguments, code=0):
    """Run a command with the fake ssh; what it printed, and what it said beside."""
    config = tmp_path / "config.toml"
    config.write_text('[boxes.odd]\ncommand = "echo [1] #"\n[boxes.bare]\ncommand = "/nowhere/longwatch"\n')
    environment = {**fake_ssh(tmp_path), "LONGWATCH_CONFIG": str(config)}
    with patch.dict(os.environ, environment):
        result = CliRunner().invoke(cli, ["--home", str(tmp_path / "here"), *arguments], standalone_mode=False)
    assert result.return_value == code, result.output
    return result.stdout, result.stderr


async def test_machines_are_asked_together_and_each_that_fails_is_one_line(tmp_path):
    await make(box(tmp_path, "anna@one") / "home", "01a", "audit", DONE)
    (box(tmp_path, "two") / "noise").write_text("Welcome to two!\n[news] none\n")
    for name in ("odd", "bare"):
        box(tmp_path, name)
    out, said = await asyncio.to_thread(call, tmp_path, "ls", "--host", "anna@one", "two", "odd", "bare", "off", code=1)
    header, line, none = out.splitlines()
    assert header.split() == ["HOST", "SESSION", "STATE", "CALLS", "COST", "SIZE", "CHANGED", "NAME"]
    assert line.split()[:3] == ["anna@one", "01a", "finished"] and line.endswith("audit")
    assert none == "No sessions on two yet."
    odd, bare, off = said.splitlines()
    assert odd.startswith("longwatch: odd: what it answered is no list")
    assert bare.startswith("longwatch: bare: no longwatch was found there") and '[boxes."bare"]' in bare
    assert off == "longwatch: off: it can't be reached (ssh: connect to host off port 22: Connection refused)."


async def test_scripts_get_the_rows_with_their_hosts(tmp_path):
    await make(box(tmp_path, "one") / "home", "01a", "audit", DONE)
    out, said = await asyncio.to_thread(call, tmp_path, "ls", "--json", "--host", "one", "--host", "off", code=1)
    row, silent = json.loads(out)
    assert (row["host"], row["session"], row["name"]) == ("one", "01a", "audit")
    assert silent["host"] == "off" and "can't be reached" in silent["problem"] and "off" in said


async def test_a_machine_that_never_answers_costs_its_time_and_no_more(tmp_path):
    (box(tmp_path, "one") / "hangs").touch()
    with patch.dict(os.environ, fake_ssh(tmp_path)):
        (answer,) = await call_roll([Box("one", "one")], answer_s=0.2)
    assert answer.problem == "it did not answer within 0.2 s." and not answer.rows


@pytest.mark.parametrize("name", ["-oProxyCommand=reboot", "a b", "", "x;reboot", "x\n", "x" * 300])
def test_what_is_no_name_of_a_machine_is_never_given_to_ssh(name):
    with pytest.raises(JournalError, match="is no name of a machine"):
        box_named(name, Config())


def test_why_a_machine_failed_is_one_short_line_whatever_it_says():
    errors = b"\x1b[2J" + b"x" * 10_000 + b"\nlast\tline.\n"
    assert problem(Box("b", "b"), 3, errors) == "longwatch there ended with 3 (last line)."
    assert problem(Box("b", "b"), 255, b"") == "it can't be reached (ssh does not say why)."
    unknown = problem(Box("b", "anna@b"), 255, b"Host key verification failed.\r\n")
    assert "ssh would have to ask (Host key verification failed); `ssh anna@b` at a terminal" in unknown


async def test_the_list_shows_what_is_elsewhere_waits_for_nobody_and_says_who_is_silent(tmp_path):
    await make(box(tmp_path, "one") / "home", "01a", "audit", DONE)
    await make(tmp_path / "here", "01b", "local", DONE)
    boxes = [Box("one", "one"), Box("off", "off")]
    with patch.dict(os.environ, fake_ssh(tmp_path)):
        async with listed(tmp_path / "here", boxes=Boxes(boxes, VirtualClock(NOW_US))) as pilot:
            screen = pilot.app.screen
            assert screen.selected.name == "local", "nobody was waited for"
            await until(pilot, lambda: not screen.boxes.asked)
            await until(pilot, lambda: "audit" in screen_text(pilot))
            lines = screen_text(pilot).splitlines()
            assert "1 session here, 1 elsewhere" in lines[0]
            assert any(line.strip().startswith("off: it can't be reached (ssh: connect to host off") for line in lines)
            assert screen.selected.name == "local", "what comes late takes the cursor off nothing"
            screen.listing.words = "one"
            screen._show()
            await pilot.pause()
            assert names(pilot) == ["audit"]
            await pilot.press("D", "f2", "b")
            await pilot.pause()
            assert all("the rest is done on one" in words for words in told(pilot))
            await pilot.press("R")
            await until(pilot, lambda: "Tool calls" in screen_text(pilot))
            await pilot.press("escape", "enter")
            await pilot.pause()
    assert pilot.app.return_value == Chosen("replay", Path("01a"), "one")


ODD = {
    "started_at": ["", "soon", "9999-12-31T23:59:59+00:00", "2026-01-01", None],
    "duration_s": [1e9, 1e308, -1.0],
    "cost_usd_known_part": [1e9, -1.0],
    "tool_calls": [1 << 60, -1],
    "name": ["\x1b[2J", "", "x" * 4_000],
    "state": ["", "odd", "waiting", "damaged", "paused"],
    "reason": ["crashed", "approval", "\n"],
    "held": [True, None],
    "delegated_by": ["01z", None],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ODD.items() for value in values])
def test_whatever_a_machine_says_of_a_session_is_a_row_or_no_list(name, value):
    try:
        row = msgspec.convert({"session": "01a", "state": "running", name: value}, Row)
    except msgspec.ValidationError:
        return
    cells = ListedRows([SessionRow(_overview(row), box="one")], lambda: NOW_US, boxes=True)
    assert len(cells.cells(0)) == len(WITH_BOXES)
