"""A claim that is still being written is no sign that the command is gone."""

import shutil

from core.tools import jobs
from core.tools.jobs import Job, Phase


async def test_a_command_whose_claim_is_written_slowly_is_waited_for(tmp_path, monkeypatch):
    written = """printf '%s\\n%s\\n' "$boot" "$stat" >"""
    slow = jobs._WRAPPER.replace(written, "{ sleep 0.4; " + written.removesuffix(" >") + "; } >")
    assert slow != jobs._WRAPPER
    monkeypatch.setattr(jobs, "_WRAPPER", slow)
    job = Job(tmp_path / "job")
    job.spawn([shutil.which("bash") or "/bin/sh"], "exit 3", tmp_path, {"PATH": "/usr/bin:/bin"})
    state = await job.wait(20)
    assert (state.phase, state.exit_code) == (Phase.FINISHED, 3)
