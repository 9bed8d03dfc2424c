"""Contents that the user's repository lends: only what surely is in the file, and not for longer than a moment."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_snapshots import git, taken, tree, write

from core.workspace import shadow
from core.workspace.objects import ObjectStore
from core.workspace.shadow import ShadowGit
from core.workspace.treewatch import TreeWatch


@pytest.fixture
def lending(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ShadowGit:
    """Snapshots that ask git about few files already, beside a repository with a commit."""
    monkeypatch.setattr(shadow, "_MANY", 1)
    for path in ("a", "dir/b", "ünï\ncödé", "runs", "link"):
        place = write(workspace, path, f"content of {path}\r\n")
    place.unlink()
    place.symlink_to("dir/b")
    (workspace / "runs").chmod(0o755)
    git(workspace, "init", "-q")
    git(workspace, "add", ".")
    git(workspace, "commit", "-qm", "one")
    return ShadowGit(workspace, tmp_path / "session", TreeWatch(), "git")


async def test_what_git_has_is_not_read_and_outlives_the_users_repository(
    lending: ShadowGit, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    keep = ObjectStore.put_file
    monkeypatch.setattr(ObjectStore, "put_file", lambda store, path: read.append(path.name) or keep(store, path))
    write(workspace, "new", "untracked\n")
    write(workspace, "a", "changed\n")
    before, expected = await taken(lending), tree(workspace)
    assert sorted(read) == ["a", "new"]
    write(workspace, "dir/b", "later\n")
    await taken(lending)
    await lending.packing
    shutil.rmtree(workspace / ".git")
    for name in ("runs", "ünï\ncödé"):
        (workspace / name).unlink()
    assert (await lending.restore(before)).kept == () and tree(workspace) == expected


async def test_what_git_may_hold_in_another_form_is_read_as_it_is(lending: ShadowGit, workspace: Path) -> None:
    write(workspace, ".gitattributes", "filtered filter=upper\ncrlf text eol=crlf\nstamped ident\n")
    git(workspace, "config", "filter.upper.clean", "tr a-z A-Z")
    for path, text in (("filtered", "small\n"), ("crlf", "one\r\ntwo\r\n"), ("stamped", "$Id$\n")):
        write(workspace, path, text)
    git(workspace, "add", ".")
    git(workspace, "commit", "-qm", "two")
    for path, flag in (("a", "--assume-unchanged"), ("dir/b", "--skip-worktree")):
        git(workspace, "update-index", flag, path)
        write(workspace, path, f"CONTENT OF {path}\r\n")
    before, expected = await taken(lending), tree(workspace)
    for path in ("filtered", "crlf", "stamped", "a", "dir/b"):
        write(workspace, path, "spoiled")
    await lending.restore(before)
    assert tree(workspace) == expected
