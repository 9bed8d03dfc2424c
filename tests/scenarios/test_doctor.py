"""`longwatch doctor` as it is called: what it prints, how it ends, and how a rescued session goes on."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from processes import Longwatch, command

from core.journal.lease import acquire
from core.journal.reader import Reader
from core.private import make_private


@pytest.fixture
def session(longwatch: Longwatch) -> Path:
    """A session of three commands that ran to its end; its folder."""
    make_private(longwatch.home / "sessions")
    rows = [command(f"seq {number} 2000; echo {number} >> ran") for number in (1, 2, 3)]
    options = ["--headless", "--speed", "0", "--workspace", str(longwatch.workspace)]
    answer = longwatch.here("run", "Do it.", "--model", longwatch.script(*rows), *options)
    assert answer.returncode == 0, answer.stderr
    return longwatch.folder()


def damage(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "session.db", isolation_level=None)) as db:
        db.execute(statement)


def second_command(folder: Path) -> int:
    with Reader(folder) as reader:
        return [event.seq for event in reader.events() if event.kind == "tool.finished"][1]


def told(longwatch: Longwatch, *arguments: str) -> tuple[int, dict]:
    answer = longwatch.here("doctor", *arguments, "--json")
    return answer.returncode, json.loads(answer.stdout)


def test_a_healthy_home_ends_with_0(longwatch: Longwatch, session: Path) -> None:
    answer = longwatch.here("doctor")
    assert answer.returncode == 0, answer.stdout
    assert answer.stdout.endswith("No problem found.\n")
    assert f"session {session.name}" in answer.stdout
    code, report = told(longwatch, session.name[:10])
    assert (code, report["ok"]) == (0, True)
    assert {"versions", "home", "disk", "file system", "sizes", "logging out", "sandbox", "processes", "terminal"} == {
        finding["check"] for finding in report["machine"]
    }
    assert all(finding["says"].endswith(".") for finding in report["machine"])


def test_a_configuration_that_can_not_be_read_is_a_problem_for_nothing_runs_with_it(longwatch: Longwatch) -> None:
    longwatch.config.write_text("[limits]\nbudget_usd = 'much'\n")
    answer = longwatch.here("doctor")
    assert answer.returncode == 1 and f"PROBLEM  configuration: {longwatch.config}, line 2: `lim" in answer.stdout


def test_an_empty_home_is_healthy_and_not_made(longwatch: Longwatch) -> None:
    assert longwatch.here("doctor").returncode == 0
    assert not longwatch.home.exists()


def test_a_damaged_session_is_named_repaired_once_and_goes_on(longwatch: Longwatch, session: Path) -> None:
    seq = second_command(session)
    damage(session, f"UPDATE event SET actor = 'somebody' WHERE seq = {seq}")
    answer = longwatch.here("doctor")
    assert answer.returncode == 1
    assert f"Event {seq} is not as it was written" in answer.stdout and "--repair" in answer.stdout

    code, report = told(longwatch, "--repair")
    (row,) = report["sessions"]
    assert (code, row["ok"]) == (0, True), row
    assert row["repair"][0].startswith(f"Events 1 to {seq - 1} are whole")
    assert any("kept apart" in sentence for sentence in row["repair"])
    before = sorted(path.name for path in session.iterdir())
    code, report = told(longwatch, "--repair")
    assert (code, report["sessions"][0]["repair"]) == (0, [])
    assert sorted(path.name for path in session.iterdir()) == before

    resumed = longwatch.run_on(session.name)
    _, err = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, err
    outcomes = [event for event in longwatch.events() if event.kind == "tool.finished"]
    assert "may have run" in outcomes[1].body.content
    assert (longwatch.workspace / "ran").read_text().split()[:3] == ["1", "2", "3"]
    assert longwatch.here("doctor").returncode == 0


def test_a_session_that_runs_is_examined_and_never_repaired(longwatch: Longwatch, session: Path) -> None:
    damage(session, "UPDATE meta SET value = 'another'")
    before = (session / "session.db").read_bytes()
    with acquire(session):
        code, report = told(longwatch, "--repair")
    assert code == 1
    assert "It is running" in report["sessions"][0]["repair"][0]
    assert (session / "session.db").read_bytes() == before


def test_a_file_that_is_no_session_is_told_in_a_sentence(longwatch: Longwatch, session: Path) -> None:
    for name in session.glob("session.db-*"):
        name.unlink()
    (session / "session.db").write_bytes(b"\x1b]0;owned\x07" * 500)
    answer = longwatch.here("doctor", "--repair")
    assert answer.returncode == 1
    assert "is not a database" in answer.stdout and "nothing was changed" in answer.stdout
    assert "\x1b" not in answer.stdout and not answer.stderr


def test_what_others_can_read_is_a_problem_until_it_is_repaired(longwatch: Longwatch, session: Path) -> None:
    longwatch.home.chmod(0o755)
    assert longwatch.here("doctor").returncode == 1
    assert longwatch.here("doctor", "--repair").returncode == 0


def test_a_session_that_is_not_there_is_told(longwatch: Longwatch, session: Path) -> None:
    answer = longwatch.here("doctor", "nothing-like-it")
    assert answer.returncode == 2
    assert "No session is called" in answer.stderr


@pytest.mark.parametrize("bench", ["damaged_databases.py --count 60", "power_cuts.py --images 5 --control-images 0"])
def test_the_full_runs_can_be_started(longwatch: Longwatch, bench: str, tmp_path: Path) -> None:
    root = Path(__file__).parent.parent
    script, *options = bench.split()
    line = [sys.executable, "-P", str(root / "bench" / script), *options, "--results", str(tmp_path / "results.jsonl")]
    answer = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert json.loads((tmp_path / "results.jsonl").read_text().splitlines()[0])["seed"] == 1
