"""What is protected of a workspace and its repository, by names that a command could turn against its user."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from core.sandbox.access import Surroundings, access_for


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    place = tmp_path / "work"
    (place / ".git/objects").mkdir(parents=True)
    (place / ".git/HEAD").write_text("ref: refs/heads/main\n")
    return place


def guarded(workspace: Path, told: tuple[str, ...] = ()) -> set[str]:
    around = Surroundings(workspace, workspace.parent / "tmp", workspace.parent / "home", Path("/no/config"), told=told)
    found = access_for(around, {}, network=False).guarded
    return {str(path.relative_to(workspace)) for path in found}


@pytest.mark.parametrize("place", ["/elsewhere/other/.git", None, "../../../.git", "/var/tmp/.git"])
def test_what_another_worktree_of_the_repository_is_led_by(workspace: Path, place: str | None) -> None:
    other = workspace / ".git/worktrees/other"
    other.mkdir(parents=True)
    if place is not None:
        (other / "gitdir").write_text(f"{place}\n")
    names = {f".git/worktrees/other/{name}" for name in ("commondir", "gitdir", "config.worktree")}
    assert names <= guarded(workspace)


@pytest.mark.parametrize("place", ["{}/sub/wt/.git", "../../../wt/.git", "{}/../tmp/wt/.git", "/tmp/no such/wt/.git"])
def test_a_worktree_that_lies_where_commands_write_is_theirs(workspace: Path, place: str) -> None:
    usual = guarded(workspace)
    (workspace / ".git/worktrees/other").mkdir(parents=True)
    (workspace / ".git/worktrees/other/gitdir").write_text(place.format(workspace) + "\n")
    assert guarded(workspace) == usual


def test_each_submodule_however_many_and_all_of_them_where_they_are_too_many(workspace: Path) -> None:
    for number in range(150):
        (workspace / f".git/modules/{number}/logs").mkdir(parents=True)
        for name in ("HEAD", "logs/HEAD"):
            (workspace / f".git/modules/{number}" / name).touch()
    (workspace / ".git/modules/a/b/modules/c").mkdir(parents=True)
    for name in ("a/b/HEAD", "a/b/modules/c/HEAD"):
        (workspace / ".git/modules" / name).touch()
    modules = (*map(str, range(150)), "a/b", "a/b/modules/c")
    found = guarded(workspace)
    assert {f".git/modules/{module}/hooks" for module in modules} <= found
    assert len([name for name in found if name.startswith(".git/modules/")]) == 3 * len(modules)
    for number in range(150, 600):
        (workspace / f".git/modules/{number}").mkdir()
        (workspace / f".git/modules/{number}/HEAD").touch()
    assert ".git/modules" in guarded(workspace)


def test_hooks_and_configuration_that_the_configuration_names(workspace: Path) -> None:
    (workspace / ".git/config").write_text(
        '[core]\n\thooksPath = .githooks\n[include]\n\tpath = "../shared"\n[includeIf "x"]\n Path=more\n'
    )
    assert {".githooks", "shared", ".git/more"} <= guarded(workspace)


@pytest.mark.parametrize("setting", ["hooksPath =", "hooksPath = .", "path = ..", "path = /etc/x", "path = ../../x"])
def test_neither_the_whole_of_what_a_command_may_write_nor_what_it_can_not(workspace: Path, setting: str) -> None:
    usual = guarded(workspace)
    (workspace / ".git/config").write_text(f"[core]\n{setting}\n")
    assert guarded(workspace) == usual


def test_what_instructs_the_agent_here_also_where_it_is_a_link(workspace: Path) -> None:
    (workspace / "docs").mkdir()
    (workspace / "docs/agents.md").write_text("Be kind.")
    (workspace / "AGENTS.md").symlink_to("docs/agents.md")
    (workspace / "CLAUDE.md").symlink_to("/etc/hosts")
    assert {"AGENTS.md", "docs/agents.md", "NOTES.md"} <= guarded(workspace, told=("NOTES.md",))


def test_git_reads_the_settings_as_we_do(workspace: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=workspace, check=True)
    subprocess.run(["git", "config", "core.hooksPath", "own hooks"], cwd=workspace, check=True)
    assert "own hooks" in guarded(workspace)
