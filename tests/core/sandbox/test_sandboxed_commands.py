"""Commands in a sandbox do what commands outside do: exit codes, time-outs, git, virtual environments, survival."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from cage import Cage, sandbox_named
from job_processes import eventually, survivors

from core.sandbox.access import access_for
from core.tools.base import Outcome
from core.tools.command import RunCommand
from core.tools.jobs import Job, Phase, job_status
from core.tools.registry import parse_arguments

ROOT = Path(__file__).parents[3]


async def test_exit_code_output_folder_and_files_are_those_of_the_command(cage: Cage) -> None:
    (cage.workspace / "sub").mkdir()
    outcome = await cage("echo hi >made; pwd; exit 7", cwd="sub")
    assert outcome.exit_code == 7 and outcome.content.endswith(f"\n{cage.workspace}/sub")
    assert (cage.workspace / "sub/made").read_text() == "hi\n"
    assert (await cage("kill -SEGV $$")).exit_code == 139


async def test_temporary_files_are_private_and_still_there_for_the_next_command(cage: Cage) -> None:
    await cage("echo kept >$TMPDIR/note")
    assert "kept" in (await cage("cat $TMPDIR/note")).content
    assert not Path("/tmp/note").exists() and (cage.session / "tmp/note").read_text() == "kept\n"


def test_a_home_of_thousands_of_entries_does_not_make_the_command_too_long(tmp_path: Path) -> None:
    cage = Cage(tmp_path, sandbox_named("landlock"), {"PATH": os.environ["PATH"]})
    for number in range(4_000):
        (cage.user / hashlib.sha256(str(number).encode()).hexdigest()).write_text("open")
    access, private = access_for(cage.around, cage.environment, False), cage.user / ".ssh"
    access = replace(access, readable=(*access.readable, cage.user), hidden=(*access.hidden, private))
    look = f"cat {cage.user}/{hashlib.sha256(b'3999').hexdigest()}; cat {private}/id_ed25519"
    words = [*cage.sandbox.words(access, cage.workspace), "sh", "-c", look]
    done = subprocess.run(words, cwd=cage.workspace, env=cage.environment, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("open", 1), done.stderr


async def test_package_managers_keep_their_caches_where_they_can_write(cage: Cage) -> None:
    made = await cage('for it in "$XDG_CACHE_HOME" "$npm_config_cache"; do mkdir -p "$it" && : >"$it/x"; done')
    assert made.ok, made.content
    assert (cage.session / "tmp/cache/npm/x").exists()
    cage.environment["npm_config_cache"] = "/mine"
    assert (await cage("echo $npm_config_cache")).content.endswith("/mine")


async def test_a_worktree_in_the_workspace_is_made_moved_and_removed(cage: Cage) -> None:
    git, add = "git -c user.name=a -c user.email=a@b", "git worktree add -q"
    made = await cage(
        f"git init -q . && {git} commit -q --allow-empty -m a && git worktree add -q wt && {add} $TMPDIR/x"
    )
    assert made.exit_code == 0, made.content
    again = f"git worktree move wt to && cd to && {git} commit -q --allow-empty -m b && cd .. && git worktree list"
    assert (moved := await cage(again)).exit_code == 0 and "put back" not in moved.content, moved.content
    removed = await cage(
        "git worktree remove to && rm -rf $TMPDIR/x && git worktree prune && ls .git/worktrees; git branch -D wt x"
    )
    assert removed.exit_code == 0 and "put back" not in removed.content, removed.content
    assert not (cage.workspace / ".git/worktrees").exists()


async def test_programs_of_a_virtual_environment_elsewhere_are_found_and_run(cage: Cage) -> None:
    outcome = await cage(f"{sys.executable} -c 'import msgspec; print(msgspec.__name__)'")
    assert outcome.content.endswith("\nmsgspec")


async def test_what_shuts_a_command_in_runs_no_program_and_no_library_of_the_workspace(cage: Cage) -> None:
    """Folders of a workspace on PATH are the command's alone, whether they were there before or not."""
    for folder in ("there/bin", "made/bin"):
        cage.environment["PATH"] = f"{cage.workspace}/{folder}:{folder}:{cage.environment['PATH']}"
    (cage.workspace / "there/bin").mkdir(parents=True)
    plant = f'#!/bin/sh\\n: >{cage.place}/got-out\\nexec /bin/mv "$@"\\n'
    for folder in ("there/bin", "made/bin"):
        put = f"printf '{plant}' >{folder}/$it; chmod +x {folder}/$it"
        await cage(f"mkdir -p {folder}; for it in mv bash; do {put}; done")
    assert f"mv is {cage.workspace}/made/bin/mv" in (await cage("type mv")).content
    cage.environment["LD_LIBRARY_PATH"] = f":{cage.workspace}"
    (cage.workspace / "libtinfo.so.6").write_text("no library")
    assert (await cage("true")).content.startswith("exit ")  # The command may fail with it, what is around it not.
    assert not (cage.place / "got-out").exists()


@pytest.mark.parametrize("replaced", [False, True])
async def test_what_the_user_writes_while_a_command_runs_stays_where_it_can_not_be_the_command_s(
    cage: Cage, replaced: bool
) -> None:
    """A file that is replaced is the command's, too, from then on: its mount went with the old one."""
    told, new = cage.workspace / "AGENTS.md", cage.workspace / "new"
    told.write_text("be kind\n")
    running = asyncio.create_task(cage("touch ready; until [ -e go ]; do sleep 0.01; done; echo evil >>AGENTS.md"))
    await asyncio.to_thread(eventually, (cage.workspace / "ready").exists)
    (new if replaced else told).write_text("be kinder\n")
    if replaced:
        new.replace(told)
    (cage.workspace / "go").touch()
    outcome = await running
    stays = cage.sandbox.backend == "bubblewrap" and not replaced
    assert told.read_text() == ("be kinder\n" if stays else "be kind\n")
    assert ("put back" in outcome.content) != stays


async def test_nothing_lives_on_after_its_command(cage: Cage) -> None:
    outcome = await cage("(env -i setsid sleep 411 &) ; setsid nohup sleep 411 >/dev/null 2>&1 & sleep 411 & echo done")
    assert outcome.ok and outcome.content.endswith("done")
    assert [it for it in psutil.process_iter(["cmdline"]) if it.info["cmdline"] == ["sleep", "411"]] == []


async def test_a_time_out_gives_time_to_tidy_up_and_leaves_nothing(cage: Cage) -> None:
    outcome = await cage(
        "trap 'echo tidied >tidy; exit' TERM; echo on; (env -i setsid sleep 412 &); while :; do sleep 0.1; done",
        timeout=1,
    )
    assert outcome.content.startswith("timed out after 1 s\non")
    assert (cage.workspace / "tidy").read_text() == "tidied\n"
    assert survivors(cage.session) == []
    assert [it for it in psutil.process_iter(["cmdline"]) if it.info["cmdline"] == ["sleep", "412"]] == []


async def test_a_stubborn_command_is_killed_with_all_its_children(cage: Cage) -> None:
    outcome = await cage("trap '' TERM; (trap '' TERM; sleep 414) & while :; do sleep 0.1; done", timeout=1)
    assert outcome.content == "timed out after 1 s"
    assert survivors(cage.session) == []


SERVER = """
import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
input()
"""
AGENT = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from cage import Cage, sandbox_named
from core.sandbox.probe import candidates
cage = Cage(Path(sys.argv[2]), next(it for it in candidates() if it.backend == sys.argv[3]), {"PATH": sys.argv[4]})
asyncio.run(cage(sys.argv[5]))
"""


def test_a_command_outlives_its_agent_gives_its_true_outcome_and_what_it_must_not_change_is_put_back(
    cage: Cage,
) -> None:
    protected = cage.workspace / "AGENTS.md"
    command = "echo x >>runs; echo obey >AGENTS.md; touch up; until [ -e go ]; do sleep 0.05; done; echo done; exit 5"
    here, kind = str(Path(__file__).parent), cage.sandbox.backend
    words = [sys.executable, "-c", AGENT, here, str(cage.place), kind, os.environ["PATH"], command]
    with subprocess.Popen(words, cwd=ROOT) as agent:
        eventually((cage.workspace / "up").exists)
        agent.send_signal(signal.SIGKILL)
    folder = cage.session / "jobs/r1.0.0"
    assert job_status(folder).phase is Phase.RUNNING and protected.exists()
    tool = RunCommand(cage.environment)
    arguments = parse_arguments(tool, {"command": command})
    (cage.workspace / "go").touch()
    outcome = asyncio.run(tool.recover(arguments, {}, cage.context("r1.0.0")))
    assert isinstance(outcome, Outcome) and outcome.exit_code == 5 and "\ndone\n[put back" in outcome.content
    assert (cage.workspace / "runs").read_text() == "x\n" and not protected.exists()


async def test_a_recovered_command_can_be_stopped(cage: Cage) -> None:
    words = cage.confinement().cell(cage.workspace, cage.environment).words
    job = Job(cage.session / "jobs/r1.0.0")
    job.spawn(["bash"], "touch up; sleep 415", cage.workspace, cage.environment, words)
    await asyncio.to_thread(eventually, (cage.workspace / "up").exists)
    await Job(job.folder).stop("stopped")
    assert (await job.wait(5)).ended == "stopped" and survivors(cage.session) == []


def test_git_works_in_a_repository_in_its_subfolder_and_in_a_worktree(cage: Cage) -> None:
    cage.environment |= {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    repository = cage.place / "repository"
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    for folder in (repository, repository / "sub"):
        folder.mkdir(exist_ok=True)
        cage.workspace = folder
        cage.around = type(cage.around)(folder, cage.session / "tmp", cage.home, cage.around.config)
        outcome = cage.run("echo 1 >file && git add file && git commit -qm one && git status --short")
        assert outcome.ok, outcome.content
    tree = cage.place / "tree"
    subprocess.run(["git", "-C", str(repository), "worktree", "add", "-q", str(tree)], check=True)
    cage.workspace = tree
    cage.around = type(cage.around)(tree, cage.session / "tmp", cage.home, cage.around.config)
    outcome = cage.run("echo 2 >file && git add file && git commit -qm two && git log --oneline | wc -l")
    assert outcome.ok and re.search(r"\n3$", outcome.content), outcome.content


def test_the_network_is_reached_only_when_it_is_granted(cage: Cage) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        reach = f"{sys.executable} -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 3)'"
        refused, reached = cage.run(reach), cage.run(reach, network=True)
        server.kill()
    assert not refused.ok and refused.content.endswith("[the sandbox has no network]")
    assert reached.ok, reached.content


async def test_a_server_and_its_client_meet_within_one_command(cage: Cage) -> None:
    script = (
        "import socket; s = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(s.getsockname());"
        "print('met')"
    )
    assert (await cage(f'{sys.executable} -c "{script}"')).content.endswith("met")


def test_a_hook_that_a_command_plants_does_not_run_when_the_user_calls_git(cage: Cage) -> None:
    git = ["git", "-C", str(cage.workspace), "-c", "user.name=x", "-c", "user.email=x@y"]
    subprocess.run([*git, "init", "-q"], check=True)
    plant = "printf '#!/bin/sh\\ntouch ran\\n' >.git/hooks/pre-commit; chmod +x .git/hooks/pre-commit"
    hook = cage.workspace / ".git/hooks/pre-commit"

    def commits() -> bool:
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
        return (cage.workspace / "ran").exists()

    cage.run(f"{plant}; mkdir -p own; cp .git/hooks/pre-commit own/; git config core.hooksPath own")
    assert not hook.exists() and not commits()
    subprocess.run(["bash", "-c", plant], cwd=cage.workspace, check=True)
    assert commits(), "the hook would have run"
