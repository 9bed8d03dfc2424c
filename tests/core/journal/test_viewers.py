"""Who looks at a session: known while their process lives, forgotten when it is gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.journal.viewers import FOLDER, Presence, Viewer, driver_of, present, swept, who_is_here

LOOKER = """
import sys
from pathlib import Path
from core.journal.viewers import Presence
place = Presence(Path(sys.argv[1]), {"SSH_CONNECTION": "10.0.0.7 4242 10.0.0.1 22"})
print(place.viewer.id, flush=True)
sys.stdin.read()
place.leave()
"""


def looker(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", LOOKER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_viewers_are_seen_while_they_are_there_and_a_killed_one_is_forgotten(tmp_path: Path) -> None:
    leaving, first = looker(tmp_path)
    killed, second = looker(tmp_path)
    with Presence(tmp_path, {}) as here:
        assert {one.id for one in present(tmp_path)} == {first, second, here.viewer.id}
        assert {one.id for one in here.others()} == {first, second}
        assert all(one.who.endswith("from 10.0.0.7") for one in here.others())
        killed.kill()
        killed.communicate(timeout=10)
        leaving.communicate("", timeout=10)
        assert here.others() == []
    assert present(tmp_path) == []
    assert [lost.id for lost in swept(tmp_path)] == [second], "only the killed one was lost"
    assert list((tmp_path / FOLDER).iterdir()) == [] == swept(tmp_path)


def test_who_comes_to_a_session_that_nobody_runs_removes_what_lost_screens_left(tmp_path: Path) -> None:
    Presence(tmp_path, {}).lose()
    with Presence(tmp_path, {}) as here:
        assert list((tmp_path / FOLDER).iterdir()) == [tmp_path / FOLDER / f"{here.viewer.id}.json"]


def test_a_place_that_can_not_be_written_keeps_nobody_from_looking(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("in the way")
    with Presence(tmp_path, {}) as here:
        assert here.others() == []
        here.leave()


def test_what_is_no_viewer_is_passed_over(tmp_path: Path) -> None:
    with Presence(tmp_path, {}) as here:
        (tmp_path / FOLDER / "x.json").symlink_to("/etc/passwd")
        (tmp_path / FOLDER / "y.json").mkdir()
        (tmp_path / FOLDER / "z.json").write_bytes(b"{")
        assert [one.id for one in present(tmp_path)] == [here.viewer.id]


@pytest.mark.parametrize(
    ("named", "there", "drives"),
    [
        (None, "", None),
        (None, "ba", "b"),  # b has been there longest.
        ("a", "ba", "a"),
        ("gone", "ba", "b"),
        ("gone", "", None),
    ],
)
def test_the_one_who_took_the_wheel_drives_while_there_else_who_came_first(named, there, drives) -> None:
    viewers = [Viewer(id, who=id, since_us=age) for age, id in enumerate(there)]
    driver = driver_of(named, reversed(viewers))
    assert (driver.id if driver else None) == drives


def test_a_place_is_described_without_a_terminal_too() -> None:
    assert " on " in who_is_here({})
    assert who_is_here({"SSH_CONNECTION": "fe80::1 1 2 3"}).endswith(" from fe80::1")
