"""Programs that we start ourselves come from no folder that a command of the agent can write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.programs import find_program
from core.workspace.git import find_git


def test_a_program_that_lies_in_the_workspace_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, own = tmp_path / "work", tmp_path / "own"
    for folder in (workspace / "bin", own):
        folder.mkdir(parents=True)
        for name in ("git", "rg", "bash"):
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o755)
    (tmp_path / "link").symlink_to(workspace / "bin")
    monkeypatch.chdir(workspace)
    monkeypatch.setenv("PATH", os.pathsep.join([f"{workspace}/bin", f"{own}/../link", "bin", "", str(own)]))
    assert find_git(workspace) == find_program("git", workspace) == str(own / "git")
    assert find_program("git") == f"{workspace}/bin/git"
