"""What has cost people files elsewhere: attributes, index flags, collected garbage, things in the way."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from test_snapshots import IDENTITY, git, taken, tree, write

from core.changes.landing import land
from core.changes.trees import Trees
from core.workspace.errors import WorkspaceError
from core.workspace.git import Repository
from core.workspace.lending import Lender
from core.workspace.snapshots import check_workspace, open_snapshots
from core.workspace.worktree import unsaved_files


async def test_line_ends_survive_attributes(beside_git, workspace):
    write(workspace, ".gitattributes", "*.txt text eol=lf\n*.bat text eol=crlf\n")
    write(workspace, "w.txt", b"one\r\ntwo\r\n")
    write(workspace, "x.bat", b"one\ntwo\n")
    before, expected = await taken(beside_git), tree(workspace)
    write(workspace, "w.txt", b"changed")
    write(workspace, "x.bat", b"c")
    restored = await beside_git.restore(before)
    assert restored.before, restored.detail
    assert tree(workspace) == expected


async def test_assume_unchanged(beside_git, workspace):
    write(workspace, "a", "one")
    git(workspace, "add", ".")
    git(workspace, "commit", "-qm", "x")
    git(workspace, "update-index", "--assume-unchanged", "a")
    write(workspace, "a", "two!")
    before = await taken(beside_git)
    write(workspace, "a", "three")
    await beside_git.restore(before)
    assert (workspace / "a").read_text() == "two!"


async def test_unmerged_index(beside_git, workspace):
    write(workspace, "a", "one")
    git(workspace, "add", ".")
    git(workspace, "commit", "-qm", "x")
    git(workspace, "checkout", "-qb", "o")
    write(workspace, "a", "two")
    git(workspace, "commit", "-qam", "y")
    git(workspace, "checkout", "-q", "main")
    write(workspace, "a", "three")
    git(workspace, "commit", "-qam", "z")
    subprocess.run(["git", *IDENTITY, "merge", "o"], cwd=workspace, capture_output=True)  # noqa: ASYNC221
    before, expected = await taken(beside_git), tree(workspace)
    write(workspace, "a", "x")
    await beside_git.restore(before)
    assert tree(workspace) == expected


async def test_grown_file_not_lost(beside_git, workspace):
    write(workspace, "data", "old")
    before = await taken(beside_git)
    (workspace / "data").unlink()
    await taken(beside_git)
    (workspace / "data").write_bytes(b"x" * (11 << 20))
    restored = await beside_git.restore(before)
    await beside_git.restore(restored.before)
    assert (workspace / "data").stat().st_size == 11 << 20


async def test_dir_symlink_in_the_way_is_not_written_through(beside_git, workspace, tmp_path):
    write(workspace, "d/f", "one")
    before = await taken(beside_git)
    shutil.rmtree(workspace / "d")
    out = tmp_path / "outside"
    out.mkdir()
    (out / "f").write_text("precious")
    (workspace / "d").symlink_to(out)
    write(workspace, ".gitignore", "d\n")
    restored = await beside_git.restore(before)
    assert (out / "f").read_text() == "precious", restored


async def test_new_process_changed_count(workspace, tmp_path):
    git(workspace, "init", "-q")
    write(workspace, "a", "1")
    s1 = open_snapshots(workspace, tmp_path / "session")
    t = await taken(s1)
    s2 = open_snapshots(workspace, tmp_path / "session")
    assert await taken(s2) == t


async def test_gc_of_users_repo(beside_git, workspace):
    write(workspace, "a", "one" * 100)
    git(workspace, "add", ".")
    before = await taken(beside_git)
    write(workspace, "a", "two")
    git(workspace, "add", ".")
    git(workspace, "gc", "-q", "--prune=now")
    git(workspace, "prune", "--expire=now")
    restored = await beside_git.restore(before)
    assert restored.before and (workspace / "a").read_text() == "one" * 100, restored


@pytest.fixture
def trapped(workspace, tmp_path):
    """A repository in whose index a command put another one, with a filter and a remote that leave a trace."""
    inner, trace = workspace / "inner", tmp_path / "trace"
    for place in (inner, workspace):
        write(place, ".gitattributes", "b filter=a=b\n")
        write(place, "b", "one")
        git(place, "init", "-q")
        git(place, "add", ".")
        git(place, "commit", "-qm", "x")
    for place in (workspace, inner):
        write(place, "b", "two")
        for name, value in (
            ("filter.a=b.clean", f"touch {trace}; cat"),
            ("filter.a=b.required", "true"),
            ("core.repositoryformatversion", "1"),
            ("extensions.partialClone", "origin"),
            ("remote.origin.promisor", "true"),
            ("remote.origin.url", "ssh://nowhere/x"),
            ("core.sshCommand", f"touch {trace}; false"),
        ):
            git(place, "config", name, value)
    return trace


async def test_what_a_command_put_into_the_configuration_of_a_repository_is_not_run(trapped, workspace, tmp_path):
    program, gone = shutil.which("git"), "1" * 40
    repository = await Repository.around(program, workspace)
    assert repository is not None and await repository.having([gone]) == set()
    with pytest.raises(WorkspaceError):
        await repository.read(gone)
    assert set(await Lender(program, workspace, tmp_path / "own").unchanged()) == {".gitattributes"}
    assert await unsaved_files(workspace) == 1
    (workspace / ".git/refs/heads/main").write_text(f"{gone}\n")
    with pytest.raises(WorkspaceError, match="no commit yet"):
        land(Trees(tmp_path, workspace), workspace, "made", [])
    assert not trapped.exists()
    git(workspace / "inner", "status")
    assert trapped.exists()  # So the trap works.


async def test_edit_of_same_size_in_the_same_instant(beside_git, workspace):
    path = write(workspace, "a", "one")
    missed = 0
    for number in range(40):
        path.write_text(f"{number:03}")
        before = await taken(beside_git)
        path.write_text("zzz")
        missed += before == await taken(beside_git)
    assert not missed


async def test_home_parent(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "u"))
    (tmp_path / "home" / "u").mkdir(parents=True)
    with pytest.raises(WorkspaceError):
        check_workspace(tmp_path / "home")


async def test_subdir_of_repo(tmp_path):
    top = tmp_path / "top"
    top.mkdir()
    git(top, "init", "-q")
    write(top, ".gitignore", "*.log\n")
    write(top, "sub/a", "1")
    git(top, "add", ".")
    git(top, "commit", "-qm", "x")
    write(top, "sub/x.log", "1")
    s = open_snapshots(top / "sub", tmp_path / "session")
    t = await taken(s)
    write(top, "sub/x.log", "2")
    write(top, "sub/a", "2")
    await s.restore(t)
    assert (top / "sub/a").read_text() == "1"
    assert (top / "sub/x.log").read_text() == "2"


async def test_session_inside_workspace(workspace):
    write(workspace, "a", "1")
    s = open_snapshots(workspace, workspace / "home" / "sessions" / "s1")
    t = await taken(s)
    write(workspace, "a", "2")
    restored = await s.restore(t)
    assert restored.files == (("M", "a"),), restored


@pytest.mark.parametrize("name", ["x" * 5_000, "a\0b", "~nobody-of-that-name/x"])
def test_a_workspace_that_no_file_system_can_hold_does_not_exist(tmp_path, name):
    with pytest.raises(WorkspaceError, match="does not exist"):
        check_workspace(Path(name) if name.startswith("~") else tmp_path / name)
