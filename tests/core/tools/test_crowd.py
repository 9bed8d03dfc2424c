"""A command has at most so many processes at once, counted from its first one, and the next command may begin again."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import psutil
import pytest
from tool_helpers import Bench

from core.clock import SystemClock
from core.tools import crowd
from core.tools.command import RunCommand
from core.tools.crowd import Crowd, forget_empty, how_limited


@pytest.fixture
def tool() -> RunCommand:
    if how_limited() != "by a control group":
        pytest.skip("no control group can be made here")
    return RunCommand({"PATH": os.environ["PATH"], "HOME": "/tmp"})


async def test_a_command_that_starts_more_than_it_may_is_held_down(tmp_path: Path, tool: RunCommand) -> None:
    bench = Bench(tmp_path, most_processes=6)
    outcome = await bench(tool, command="(for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait) 2>&1", timeout=20)
    assert re.search("fork|Resource temporarily unavailable", outcome.content)
    again = await bench(tool, command="echo on | cat")
    assert again.content.endswith("\non")


async def test_nobody_is_missed_when_it_is_ended_and_no_group_is_left(tmp_path: Path, tool: RunCommand) -> None:
    bench = Bench(tmp_path)
    outcome = await bench(tool, command="(env -i setsid sleep 4722 &) ; sleep 4723", timeout=1)
    assert outcome.content == "timed out after 1 s"
    crowd = Crowd(bench.jobs / "r1.0.0")
    assert crowd.members() == set()
    group = Path(crowd.words()[3])
    crowd.close()
    assert not group.exists()
    assert [it for it in psutil.process_iter(["cmdline"]) if it.info["cmdline"] == ["sleep", "4722"]] == []


def test_where_nothing_limits_a_command_is_run_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("core.tools.crowd._room", lambda: None)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert how_limited() is None and Crowd(tmp_path).words() == [] and Crowd(tmp_path).members() == set()
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert how_limited() == "by the user's limit" and int(Crowd(tmp_path, 50).words()[3]) >= 50


def later(seconds: float) -> int:
    return SystemClock().now_us() + int(seconds * 1_000_000)


def test_groups_that_killed_runners_left_go_once_they_are_empty_and_no_longer_young(
    tmp_path: Path, tool: RunCommand
) -> None:
    groups = [Path(Crowd(tmp_path / name).words()[3]) for name in ("left", "lived in")]
    sleeper = subprocess.Popen([*Crowd(tmp_path / "lived in").words(), "sleep", "60"])
    try:
        while not Crowd(tmp_path / "lived in").members():
            os.sched_yield()
        forget_empty(later(0))
        assert [group.exists() for group in groups] == [True, True]
        assert forget_empty(later(3_600)) >= 1
        assert [group.exists() for group in groups] == [False, True]
    finally:
        sleeper.kill()
        sleeper.wait()
        Crowd(tmp_path / "lived in").close()


def test_a_folder_that_is_no_group_is_not_taken_for_one_and_nothing_is_left_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(crowd, "_parents", lambda: iter([tmp_path]))
    crowd._room.cache_clear()
    try:
        assert crowd._room() is None and list(tmp_path.iterdir()) == []
    finally:
        crowd._room.cache_clear()


def test_the_groups_of_the_newer_interface_are_its_own_and_the_one_around_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda path: "0::/user.slice/session-3.scope\n")
    assert [str(place) for place in crowd._parents()] == [
        "/sys/fs/cgroup/user.slice/session-3.scope",
        "/sys/fs/cgroup/user.slice",
    ]
