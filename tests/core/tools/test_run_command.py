from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from job_processes import eventually, survivors
from tool_helpers import Bench

from core.tools.base import Outcome, Rerun, ToolError
from core.tools.command import RunCommand, command_environment
from core.tools.jobs import Job, Phase, job_status, output_path
from core.tools.registry import parse_arguments
from core.tools.secrets import Redactor

ROOT = Path(__file__).parents[3]
PLAIN = {"PATH": os.environ["PATH"], "HOME": "/tmp"}


@pytest.fixture
def tool() -> RunCommand:
    return RunCommand(PLAIN)


async def test_the_answer_is_exit_code_time_and_output(bench: Bench, tool: RunCommand) -> None:
    bench.write("sub/here", "")
    outcome = await bench(tool, command="ls; echo to stderr >&2", cwd="sub")
    assert re.fullmatch(r"exit 0 · \d+\.\d s\nhere\nto stderr", outcome.content)
    assert outcome.ok and outcome.exit_code == 0 and outcome.full is None
    failed = await bench(tool, command="echo no; exit 3")
    assert failed.content.startswith("exit 3 · ") and not failed.ok and failed.exit_code == 3
    assert re.fullmatch(r"exit 0 · \d+\.\d s · no output", (await bench(tool, command="true")).content)
    assert (await bench(tool, command="kill -SEGV $$")).content.startswith("exit 139 (SIGSEGV) · ")


async def test_a_command_sees_no_secrets_no_terminal_and_our_programs_last(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {
        **PLAIN,
        "ANTHROPIC_API_KEY": "k",
        "GH_TOKEN": "t",
        "db_password": "p",
        "PYTHONPATH": "/evil",
        "BASH_ENV": "/evil",
    }
    seen = (await bench(RunCommand(environment), command="env; cat; tty")).content
    for name in ("ANTHROPIC_API_KEY", "GH_TOKEN", "db_password", "PYTHONPATH", "BASH_ENV", "/evil"):
        assert name not in seen
    for setting in ("CI=true", "TERM=dumb", "PAGER=cat", "GIT_PAGER=cat", "NO_COLOR=1", "HOME=/tmp"):
        assert setting in seen.splitlines()
    assert "not a tty" in seen
    path = command_environment(PLAIN)["PATH"].split(":")
    assert path[-1] == str(Path(sys.executable).parent) and path[:-1] == PLAIN["PATH"].split(":")
    assert command_environment(environment, ["GH_TOKEN"])["GH_TOKEN"] == "t"


async def test_long_output_is_capped_and_the_whole_is_in_its_file(bench: Bench, tool: RunCommand) -> None:
    outcome = await bench(tool, command="seq 1 100000")
    assert len(outcome.content) < 12_300 and 'recall(handle="out:r1.0.0")' in outcome.content
    assert outcome.content.endswith("\n100000")
    assert isinstance(outcome.full, Path) and outcome.full.read_text().count("\n") == 100_000


async def test_binary_output_and_a_line_of_50_mb_are_no_trouble(bench: Bench, tool: RunCommand) -> None:
    assert "[binary, " in (await bench(tool, command="head -c 3000 /dev/zero")).content
    long = await bench(tool, command="head -c 50000000 /dev/zero | tr '\\0' x")
    assert "49,988,000 characters left out" in long.content


async def test_secrets_are_taken_out_of_the_file_and_of_the_answer(tmp_path: Path) -> None:
    bench = Bench(tmp_path, redact=Redactor({"SERVICE_TOKEN": "swordfish-42"}))
    outcome = await bench(RunCommand(PLAIN), command="echo a swordfish-42 b; seq 1 20000")
    assert "a [redacted: value of SERVICE_TOKEN] b" in outcome.content
    assert isinstance(outcome.full, Path) and "swordfish" not in outcome.full.read_text()


async def test_a_background_process_holds_nothing_up_and_is_stopped_with_its_command(
    bench: Bench, tool: RunCommand
) -> None:
    outcome = await bench(tool, command="sleep 300 & (trap '' TERM; sleep 301; true) & echo started")
    assert re.fullmatch(r"exit 0 · \d\.\d s\n\[\d background processes stopped\]\nstarted", outcome.content)
    assert survivors(bench.jobs) == []


async def test_a_process_with_a_session_of_its_own_lives_on_after_a_normal_end(bench: Bench, tool: RunCommand) -> None:
    outcome = await bench(tool, command="setsid sleep 302 >/dev/null 2>&1 & echo $! >pid; sleep 0.2")
    left = [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", "302"]]
    assert outcome.ok and len(left) == 1
    left[0].kill()


async def test_a_timeout_ends_stubborn_children_grandchildren_and_escapees(bench: Bench) -> None:
    job = Job(bench.jobs / "r1.0.0", grace=0.3)
    script = "trap '' TERM; echo begun; (trap '' TERM; sleep 303) & setsid sh -c 'sleep 304 & sleep 305' & sleep 306"
    job.spawn(["bash"], script, bench.workspace, PLAIN)
    state = await job.wait(1)
    assert (state.phase, state.ended, state.exit_code) == (Phase.ENDED, "timed out after 1 s", None)
    assert survivors(bench.jobs) == []
    assert output_path(job.folder).read_text() == "begun\n"


async def test_a_timed_out_command_says_so_and_shows_what_it_wrote(bench: Bench, tool: RunCommand) -> None:
    outcome = await bench(tool, command="echo so far; sleep 307", timeout=1)
    assert outcome.content == "timed out after 1 s\nso far"
    assert not outcome.ok and outcome.exit_code is None


async def test_the_session_may_set_the_usual_timeout(tmp_path: Path) -> None:
    bench = Bench(tmp_path, command_timeout_s=1.0)
    assert (await bench(RunCommand(PLAIN), command="sleep 308")).content == "timed out after 1 s"


async def test_too_much_output_ends_the_command(bench: Bench) -> None:
    job = Job(bench.jobs / "r1.0.0", max_output=3_000_000)
    job.spawn(["bash"], "yes", bench.workspace, PLAIN)
    state = await job.wait(60)
    assert state.ended == "stopped: its output passed 3 MB"
    assert output_path(job.folder).stat().st_size == 3_000_000
    assert survivors(bench.jobs) == []


async def test_a_cancelled_command_leaves_no_process_and_its_outcome_can_be_asked_for(
    bench: Bench, tool: RunCommand
) -> None:
    arguments = parse_arguments(tool, {"command": "echo partial; (setsid sleep 309 &); sleep 310"})
    context = bench.context()
    task = asyncio.create_task(tool.run(arguments, context))
    await asyncio.to_thread(eventually, lambda: job_status(context.jobs / context.call).size > 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert survivors(bench.jobs) == []
    outcome = await tool.recover(arguments, {}, context)
    assert isinstance(outcome, Outcome) and re.fullmatch(r"stopped · \d+\.\d s\npartial", outcome.content)


async def test_being_cancelled_twice_still_leaves_no_process(bench: Bench, tool: RunCommand) -> None:
    context = bench.context()
    arguments = parse_arguments(tool, {"command": "trap '' TERM; echo on; while :; do sleep 0.1; done"})
    task = asyncio.create_task(tool.run(arguments, context))
    await asyncio.to_thread(eventually, lambda: job_status(context.jobs / context.call).size > 0)
    task.cancel()
    await asyncio.to_thread(eventually, lambda: (context.jobs / context.call / "ended").exists())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert survivors(bench.jobs) == []


async def test_a_command_cancelled_as_it_starts_leaves_nothing(bench: Bench, tool: RunCommand) -> None:
    for _ in range(5):
        task = asyncio.create_task(bench(tool, command="sleep 311"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert survivors(bench.jobs) == []


async def test_what_cannot_run_is_explained(bench: Bench, tool: RunCommand) -> None:
    for raw, reason in (
        ({"command": "ls", "cwd": ".."}, "outside the workspace"),
        ({"command": "ls", "cwd": "none"}, "none is not a folder"),
        ({"command": "echo \0"}, "NUL"),
        ({"command": "#" * 200_000}, "write it to a script"),
        ({"command": ""}, "command"),
        ({"command": "ls", "timeout": 90_000}, "timeout"),
    ):
        with pytest.raises(ToolError, match=reason):
            await bench(tool, **raw)
    bench.jobs.write_text("a file where the folder should be")
    with pytest.raises(ToolError, match="could not be started"):
        await bench(tool, command="ls")


AGENT = """
import asyncio, sys
from pathlib import Path
from core.tools.base import ToolContext
from core.tools.command import CommandArguments, RunCommand

workspace, jobs, command, timeout = sys.argv[1:]
context = ToolContext(Path(workspace), Path(jobs), "r1.0.0", None)
print("agent", flush=True)
asyncio.run(RunCommand().run(CommandArguments(command=command, timeout=int(timeout)), context))
"""


def agent_killed_while(bench: Bench, command: str, reached: str, timeout: int = 60) -> Path:
    """Run a command in another process and kill -9 that process once `reached` exists in the workspace."""
    arguments = [sys.executable, "-c", AGENT, str(bench.workspace), str(bench.jobs), command, str(timeout)]
    with subprocess.Popen(arguments, cwd=ROOT) as agent:
        eventually(lambda: (bench.workspace / reached).exists())
        agent.send_signal(signal.SIGKILL)
    return bench.jobs / "r1.0.0"


async def recovered(bench: Bench, tool: RunCommand, **raw: Any) -> Outcome | Rerun:
    return await bench.recover(tool, "r1.0.0", {}, **raw)


async def test_a_command_outlives_its_agent_and_is_waited_for(bench: Bench, tool: RunCommand) -> None:
    command = "echo one; touch up; until [ -e go ]; do sleep 0.05; done; echo two; exit 5"
    folder = agent_killed_while(bench, command, "up")
    assert job_status(folder).phase is Phase.RUNNING
    waiting = asyncio.create_task(recovered(bench, tool, command=command))
    await asyncio.sleep(0)
    (bench.workspace / "go").touch()
    outcome = await waiting
    assert isinstance(outcome, Outcome) and outcome.exit_code == 5
    assert outcome.content.startswith("exit 5 · ") and outcome.content.endswith("\none\ntwo")


async def test_a_command_that_finished_unwatched_gives_its_true_outcome(bench: Bench, tool: RunCommand) -> None:
    command = "echo x >>runs; touch up; sleep 0.3; echo done; exit 7"
    folder = agent_killed_while(bench, command, "up")
    eventually(lambda: job_status(folder).phase is Phase.FINISHED)
    outcome = await recovered(bench, tool, command=command)
    assert isinstance(outcome, Outcome) and outcome.exit_code == 7 and outcome.content.endswith("\ndone")
    assert (bench.workspace / "runs").read_text() == "x\n"


async def test_after_a_restart_a_command_still_has_the_time_that_was_left(bench: Bench, tool: RunCommand) -> None:
    command = "touch up; sleep 312"
    agent_killed_while(bench, command, "up")
    outcome = await recovered(bench, tool, command=command, timeout=1)
    assert isinstance(outcome, Outcome) and outcome.content == "timed out after 1 s"
    assert survivors(bench.jobs) == []


async def test_a_claimed_command_that_vanished_is_never_run_again(bench: Bench, tool: RunCommand) -> None:
    command = "echo begun; (sleep 313 &) ; touch up; sleep 314"
    folder = agent_killed_while(bench, command, "up")
    state = job_status(folder)
    assert state.process is not None
    os.kill(state.process.pid, signal.SIGKILL)
    eventually(lambda: job_status(folder).phase is Phase.GONE)
    outcome = await recovered(bench, tool, command=command)
    assert isinstance(outcome, Outcome) and not outcome.ok
    assert "effects are unknown" in outcome.content and outcome.content.endswith("begun")
    assert survivors(bench.jobs) == []


async def test_a_claim_of_another_boot_counts_as_vanished(bench: Bench) -> None:
    folder = bench.jobs / "r1.0.0"
    folder.mkdir(parents=True)
    stat = Path(f"/proc/{os.getpid()}/stat").read_text()
    (folder / "started").write_text(f"another-boot\n{stat}")
    assert job_status(folder).phase is Phase.GONE
    for damaged in ("", "\n\n", "boot\n12 (x"):
        (folder / "started").write_text(damaged)
        assert job_status(folder).phase is Phase.GONE


async def test_an_unclaimed_command_may_run_and_a_claim_is_taken_once(bench: Bench, tool: RunCommand) -> None:
    assert isinstance(await recovered(bench, tool, command="echo x"), Rerun)
    jobs = [Job(bench.jobs / "r1.0.0") for _ in range(4)]
    for job in jobs:
        job.spawn(["bash"], "echo x >>runs; sleep 0.3", bench.workspace, PLAIN)
    states = await asyncio.gather(*(job.wait(30) for job in jobs))
    assert {(state.phase, state.exit_code) for state in states} == {(Phase.FINISHED, 0)}
    assert (bench.workspace / "runs").read_text() == "x\n"


def test_the_status_of_a_job_is_plain_to_read_from_another_process(bench: Bench) -> None:
    folder = agent_killed_while(bench, "printf 12345; touch up; sleep 0.5", "up")
    script = (
        "import sys, json; from pathlib import Path; from core.tools.jobs import job_status;"
        "state = job_status(Path(sys.argv[1])); print(json.dumps([state.phase, state.size, state.exit_code]))"
    )
    answer = subprocess.check_output([sys.executable, "-c", script, str(folder)], cwd=ROOT)
    assert json.loads(answer)[1] == 5
    eventually(lambda: job_status(folder).exit_code == 0)
