"""A job's folder goes once its outcome is kept elsewhere, and not before."""

from __future__ import annotations

import asyncio
from pathlib import Path

from job_processes import eventually
from test_run_command import PLAIN
from tool_helpers import Bench

from core.tools.jobs import Job, Phase, job_status, output_path, settle, settle_all


async def ran(bench: Bench, call: str, command: str = "echo 12345") -> Path:
    job = Job(bench.jobs / call)
    job.spawn(["bash"], command, bench.workspace, PLAIN)
    await job.wait(30)
    return job.folder


async def test_a_settled_job_leaves_nothing(bench: Bench) -> None:
    folder = await ran(bench, "r1.1.0")
    assert sorted(path.name for path in folder.iterdir()) == ["output", "rc", "started"]
    settle(folder, kept=6)
    settle(folder, kept=6)
    assert list(bench.jobs.iterdir()) == []


async def test_output_that_the_journal_does_not_hold_stays(bench: Bench) -> None:
    folder = await ran(bench, "r1.1.0")
    settle(folder, kept=5)
    assert output_path(folder).read_text() == "12345\n"


async def test_a_job_that_runs_on_keeps_its_folder(bench: Bench) -> None:
    job = Job(bench.jobs / "r1.1.0")
    job.spawn(["bash"], "until [ -e go ]; do sleep 0.02; done; exit 3", bench.workspace, PLAIN)
    waiting = asyncio.create_task(job.wait(30))
    await asyncio.sleep(0)
    eventually(lambda: job_status(job.folder).phase is Phase.RUNNING)
    settle(job.folder, kept=100)
    (bench.workspace / "go").touch()
    assert (await waiting).exit_code == 3


async def test_what_a_crash_left_behind_is_settled_but_for_the_calls_that_are_open(bench: Bench) -> None:
    settle_all(bench.jobs, (), kept=100)
    for call in ("r1.1.0", "r1.1.1", "r2.1.0"):
        await ran(bench, call)
    (bench.jobs / "r3.1.0").mkdir()
    settle_all(bench.jobs, {"r1.1.1"}, kept=100)
    assert [path.name for path in bench.jobs.iterdir()] == ["r1.1.1"]
