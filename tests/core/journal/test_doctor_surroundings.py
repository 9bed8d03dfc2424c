"""The machine's part: modes, space, network disks, what a crash left, sizes, and whether logging out ends an agent."""

from __future__ import annotations

import os
import shutil
import stat
from collections import namedtuple
from pathlib import Path

import pytest

from core.clock import VirtualClock
from core.journal import Journal, schema, surroundings
from core.journal.findings import Finding
from core.journal.lease import BEAT, Lease, acquire
from core.journal.surroundings import examine_machine, examine_surroundings, logging_out_kills, size_of, tighten

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    home = tmp_path / "data" / "longwatch"
    async with await Journal.create(home / "sessions" / "s", VirtualClock()):
        return home


def found(findings: list[Finding], check: str) -> Finding:
    return next(finding for finding in findings if finding.check == check)


def test_a_new_home_is_closed_to_others_from_the_first_session_on(home: Path) -> None:
    for folder in (home.parent, home, home / "sessions", home / "sessions" / "s"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert found(examine_machine(home), "home").level == "ok"


def test_what_others_can_read_is_named_and_can_be_closed(home: Path) -> None:
    home.chmod(0o755)
    journal = schema.database(home / "sessions" / "s")
    journal.chmod(0o644)
    assert "longwatch" in found(examine_machine(home), "home").says
    assert "session.db" in found(examine_surroundings(journal.parent), "files").says
    tighten(home)
    assert (stat.S_IMODE(home.stat().st_mode), stat.S_IMODE(journal.stat().st_mode)) == (0o700, 0o600)
    assert (
        found(examine_machine(home), "home").level == found(examine_surroundings(journal.parent), "files").level == "ok"
    )


def test_closing_leaves_a_read_only_file_read_only(home: Path) -> None:
    journal = schema.database(home / "sessions" / "s")
    journal.chmod(0o444)
    tighten(home)
    assert stat.S_IMODE(journal.stat().st_mode) == 0o400


@pytest.mark.parametrize(("free", "level"), [(10**7, "problem"), (10**8, "warning"), (10**12, "ok")])
def test_little_space_is_told_before_it_is_none(home: Path, monkeypatch, free: int, level: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(0, 0, free))
    assert found(examine_machine(home), "disk").level == level


def test_a_network_disk_and_its_journal_mode_are_told(home: Path, monkeypatch) -> None:
    monkeypatch.setattr(schema, "wal_works", lambda folder: False)
    assert "rollback journal" in found(examine_machine(home), "file system").says


def test_a_home_that_is_not_there_yet_is_no_problem(tmp_path: Path) -> None:
    findings = examine_machine(tmp_path / "none")
    assert not any(finding.level == "problem" for finding in findings)
    assert not (tmp_path / "none").exists()


def test_who_runs_a_session_and_who_left_it_is_told(home: Path) -> None:
    folder = home / "sessions" / "s"
    with acquire(folder) as lease:
        assert "runs the session" in found(examine_surroundings(folder), "runner").says
        os.utime(folder / BEAT, (0, 0))
        still = found(examine_surroundings(folder), "runner")
        assert "no sign of life" in still.says and "longwatch resume" in still.remedy
        record = (folder / "lease.lock").read_bytes()
    assert not [one for one in examine_surroundings(folder) if one.check == "runner"]
    (folder / "lease.lock").write_bytes(record.replace(b'"pid":', b'"pid":9999'))
    assert isinstance(lease, Lease)
    assert "ended without a word" in found(examine_surroundings(folder), "runner").says


def test_what_a_crash_left_is_counted_while_nobody_runs_the_session(home: Path) -> None:
    folder = home / "sessions" / "s"
    for name in ("live/r1.1.jsonl", "inbox/a.json", "inbox/b.json", "inbox/bad/c.reason", "jobs/r1.1.0/output"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x" * 1000)
    counts = {one.check: one.says.split()[0] for one in examine_surroundings(folder) if one.level == "note"}
    assert counts == {"live": "1", "inbox": "2", "inbox/bad": "1", "jobs": "1"}
    with acquire(folder):
        assert not any(one.level == "note" for one in examine_surroundings(folder))


def test_sizes_are_those_of_the_files_and_follow_no_link(home: Path) -> None:
    folder = home / "sessions" / "s"
    (folder / "jobs").mkdir()
    (folder / "jobs" / "big").write_bytes(bytes(5_000))
    (folder / "jobs" / "loop").symlink_to(folder)
    assert size_of(folder / "jobs") == 5_000
    assert size_of(folder) == 5_000 + sum(file.stat().st_size for file in folder.glob("*.db"))
    assert "1 sessions take" in found(examine_machine(home), "sizes").says


@pytest.mark.parametrize(("kills", "level"), [(True, "warning"), (None, "note"), (False, "ok")])
def test_logging_out_is_judged_by_what_the_system_says(home: Path, monkeypatch, kills, level: str) -> None:
    monkeypatch.setattr(surroundings, "logging_out_kills", lambda: kills)
    assert found(examine_machine(home), "logging out").level == level


def test_this_system_gives_an_answer_about_logging_out() -> None:
    assert logging_out_kills() in (True, False, None)


@pytest.mark.parametrize(
    ("files", "kills"),
    [
        ({}, None),
        ({"etc/systemd/logind.conf": "[Login]\n#KillUserProcesses=yes\n"}, None),
        ({"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\n"}, True),
        (
            {
                "etc/systemd/logind.conf": "KillUserProcesses=yes",
                "usr/lib/systemd/logind.conf.d/50-site.conf": "KillUserProcesses = no",
            },
            False,
        ),
        ({"etc/systemd/logind.conf.d/90.conf": "KillUserProcesses=true\n"}, True),
    ],
)
def test_where_logind_does_not_answer_its_files_are_read(tmp_path: Path, files: dict[str, str], kills) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert surroundings._configured(tmp_path) is kills
