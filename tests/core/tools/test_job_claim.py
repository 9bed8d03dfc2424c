"""A claim that is still being written, or could not be, is no sign that the command is gone; nor is a full disk."""

import errno
import shutil
from pathlib import Path

import pytest

from core.tools import jobs
from core.tools.base import ToolError
from core.tools.jobs import Job, Phase, job_status

CLAIM = """printf '%s\\n%s\\n' "$boot" "$stat\""""
SHELLS = sorted(filter(None, map(shutil.which, ("bash", "sh"))))


async def test_a_command_whose_claim_is_written_slowly_is_waited_for(tmp_path, monkeypatch):
    slow = jobs._WRAPPER.replace(CLAIM, f"{{ sleep 0.4; {CLAIM}; }}")
    assert slow != jobs._WRAPPER
    monkeypatch.setattr(jobs, "_WRAPPER", slow)
    job = Job(tmp_path / "job")
    job.spawn([shutil.which("bash") or "/bin/sh"], "exit 3", tmp_path, {"PATH": "/usr/bin:/bin"})
    state = await job.wait(20)
    assert (state.phase, state.exit_code) == (Phase.FINISHED, 3)


@pytest.mark.parametrize("shell", SHELLS)
async def test_a_command_whose_claim_finds_no_room_has_not_run_and_may(tmp_path, monkeypatch, shell):
    full = jobs._WRAPPER.replace(CLAIM, "false")
    assert full != jobs._WRAPPER
    job = Job(tmp_path / "job")
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "_WRAPPER", full)
        job.spawn([shell], "echo ran", tmp_path, {"PATH": "/usr/bin:/bin"})
        with pytest.raises(ToolError, match="could not be started"):
            await job.wait(20)
    assert job_status(job.folder).phase is Phase.UNCLAIMED
    job.spawn([shell], "echo ran", tmp_path, {"PATH": "/usr/bin:/bin"})
    assert (await job.wait(20)).phase is Phase.FINISHED


async def test_of_a_command_whose_folder_is_removed_it_is_not_said_that_it_never_ran(tmp_path):
    job = Job(tmp_path / "job")
    job.spawn(["/bin/sh"], f"rm -r '{job.folder}'; echo ran > ran", tmp_path, {"PATH": "/usr/bin:/bin"})
    with pytest.raises(ToolError, match="what came of the command is not known"):
        await job.wait(20)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("shell", SHELLS)
async def test_who_finds_a_claim_leaves_it_alone(tmp_path, shell):
    job = Job(tmp_path / "job")
    job.make_folder()
    (job.folder / "started").write_text("of somebody else")
    job.spawn([shell], "touch ran", tmp_path, {"PATH": "/usr/bin:/bin"})
    assert (await job.wait(20)).phase is Phase.GONE
    assert (job.folder / "started").read_text() == "of somebody else"
    assert not (tmp_path / "ran").exists()


async def test_a_command_that_is_ended_on_a_full_disk_is_known_to_have_been_ended(tmp_path, monkeypatch):
    def full(path, *given):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    job = Job(tmp_path / "job")
    job.spawn(SHELLS[:1], "sleep 60", tmp_path, {"PATH": "/usr/bin:/bin"})
    monkeypatch.setattr(Path, "write_text", full)
    state = await job.wait(0.2)
    assert (state.phase, state.ended) == (Phase.ENDED, "stopped")
