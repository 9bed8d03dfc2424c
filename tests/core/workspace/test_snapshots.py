"""Snapshots and restores over real trees: byte for byte, undoable, with git and without, nothing foreign touched."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from core.workspace.errors import WorkspaceError
from core.workspace.snapshots import Snapshots, check_workspace, open_snapshots

IDENTITY = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "init.defaultBranch=main"]


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def tree(workspace: Path) -> dict[str, tuple[str, bytes | str, bool]]:
    """Every file and link outside of repositories' own folders: type, content, whether it may be run."""
    found: dict[str, tuple[str, bytes | str, bool]] = {}
    for folder, folders, files in os.walk(workspace):
        folders[:] = [name for name in folders if name != ".git"]
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in [*files, *links]:
            path = Path(folder, name)
            if path.is_symlink():
                found[str(path.relative_to(workspace))] = ("link", str(path.readlink()), False)
            else:
                runs = bool(path.stat().st_mode & stat.S_IXUSR)
                found[str(path.relative_to(workspace))] = ("file", path.read_bytes(), runs)
    return found


def write(workspace: Path, path: str, text: str | bytes) -> Path:
    place = workspace / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode() if isinstance(text, str) else text)
    return place


async def taken(snapshots: Snapshots) -> str:
    shot = await snapshots.snapshot("test")
    assert shot.tree is not None, shot.detail
    return shot.tree


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    return place


@pytest.fixture(params=["repository", "plain folder", "no git"])
def snapshots(request: pytest.FixtureRequest, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if request.param == "repository":
        write(workspace, "tracked.txt", "one\n")
        git(workspace, "init", "-q")
        git(workspace, "add", ".")
        git(workspace, "commit", "-qm", "first")
    if request.param == "no git":
        monkeypatch.setenv("PATH", str(tmp_path))
    made = open_snapshots(workspace, tmp_path / "session")
    assert made.backend == ("copies" if request.param == "no git" else "git")
    return made


def edit(workspace: Path, pick: random.Random) -> None:
    """One random change of the kinds that tools and commands make."""
    names = ["a", "b", "dir/c", "dir/deep/d", "dir", "ünï cödé", "new\nline", "-dash", "quote'\"", "dir/run.sh"]
    place = workspace / pick.choice(names)
    action = pick.choice(["write", "write", "link", "remove", "mode", "binary"])
    if action in ("write", "binary", "link"):
        for parent in [*reversed(place.relative_to(workspace).parents)][1:]:
            above = workspace / parent
            if above.is_symlink() or above.is_file():
                above.unlink()
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
    if action == "write":
        place.write_text(f"line {pick.random()}\n" * pick.randrange(5))
    elif action == "binary":
        place.write_bytes(pick.randbytes(200) + b"\r\n\x00")
    elif action == "link":
        place.symlink_to(pick.choice(["a", "../outside", "missing target", "dir"]))
    elif action == "mode" and place.is_file() and not place.is_symlink():
        place.chmod(0o755 if pick.random() < 0.5 else 0o644)
    elif action == "remove" and os.path.lexists(place):
        shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()


@pytest.mark.parametrize("seed", range(3))
async def test_every_checkpoint_and_every_undo_is_restored_byte_for_byte(
    snapshots: Snapshots, workspace: Path, seed: int
) -> None:
    pick, states = random.Random(seed), []
    for _ in range(6):
        for _ in range(5):
            edit(workspace, pick)
        states.append((await taken(snapshots), tree(workspace)))
    for _ in range(6):
        edit(workspace, pick)
        before = tree(workspace)
        target, expected = pick.choice(states)
        restored = await snapshots.restore(target)
        assert restored.before is not None, restored.detail
        assert tree(workspace) == expected
        undone = await snapshots.restore(restored.before)
        assert undone.before is not None, undone.detail
        assert tree(workspace) == before


async def test_an_unchanged_tree_is_the_same_snapshot_and_costs_no_process(
    snapshots: Snapshots, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(workspace, "a", "one\n")
    first = await taken(snapshots)

    async def refused(*arguments: object, **options: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", refused)
    again = await snapshots.snapshot("again")
    assert (again.tree, again.changed) == (first, 0)


async def test_diff_tells_what_was_added_changed_and_removed(snapshots: Snapshots, workspace: Path) -> None:
    for name in ("changed", "gone", "turned"):
        write(workspace, name, name)
    before = await taken(snapshots)
    write(workspace, "changed", "otherwise")
    write(workspace, "sub/added", "new")
    (workspace / "gone").unlink()
    (workspace / "turned").unlink()
    (workspace / "turned").symlink_to("changed")
    shot = await snapshots.snapshot("after")
    assert shot.tree is not None and shot.changed == 4
    expected = [("A", "sub/added"), ("D", "gone"), ("M", "changed"), ("T", "turned")]
    assert sorted(await snapshots.diff(before, shot.tree)) == expected
    restored = await snapshots.restore(before)
    assert sorted(restored.files) == [("A", "gone"), ("D", "sub/added"), ("M", "changed"), ("T", "turned")]
    assert not (workspace / "sub").exists()


async def test_a_restore_touches_only_what_differs(snapshots: Snapshots, workspace: Path) -> None:
    same, other = write(workspace, "same", "same"), write(workspace, "other", "one")
    before = await taken(snapshots)
    untouched = same.stat()
    other.write_text("two")
    await snapshots.restore(before)
    assert same.stat().st_ino == untouched.st_ino and same.stat().st_mtime_ns == untouched.st_mtime_ns
    assert other.read_text() == "one"


async def test_an_empty_folder_gives_way_to_a_file_and_one_that_holds_something_does_not(
    snapshots: Snapshots, workspace: Path
) -> None:
    write(workspace, "place", "a file\n")
    target = await taken(snapshots)
    (workspace / "place").unlink()
    (workspace / "place" / "deep").mkdir(parents=True)
    assert (await snapshots.restore(target)).kept == () and (workspace / "place").read_text() == "a file\n"
    (workspace / "place").unlink()
    place = write(workspace, "place/.git/HEAD", "theirs")
    assert (await snapshots.restore(target)).kept == ("place",) and place.read_text() == "theirs"


async def test_an_unknown_tree_restores_nothing(snapshots: Snapshots, workspace: Path) -> None:
    write(workspace, "a", "one")
    await taken(snapshots)
    restored = await snapshots.restore("0" * 40)
    assert restored.before is None and restored.detail
    assert (workspace / "a").read_text() == "one"


async def test_a_snapshot_that_fails_says_why_and_allows_no_restore(
    snapshots: Snapshots, workspace: Path, tmp_path: Path
) -> None:
    write(workspace, "a", "one")
    target = await taken(snapshots)
    write(workspace, "a", "two")
    shutil.rmtree(tmp_path / "session")
    (tmp_path / "session").write_text("in the way")
    shot = await snapshots.snapshot("impossible")
    assert shot.tree is None and shot.detail and "Traceback" not in shot.detail
    restored = await snapshots.restore(target)
    assert restored.before is None and restored.detail
    assert (workspace / "a").read_text() == "two"


async def test_big_untracked_files_are_left_out_and_named(snapshots: Snapshots, workspace: Path) -> None:
    write(workspace, "small", "kept")
    with (workspace / "big.bin").open("wb") as file:
        file.truncate(11 * 1024 * 1024)
    shot = await snapshots.snapshot("with a big file")
    assert shot.tree is not None and shot.skipped == ("big.bin",)
    write(workspace, "small", "changed")
    await snapshots.restore(shot.tree)
    assert (workspace / "small").read_text() == "kept"
    assert (workspace / "big.bin").stat().st_size == 11 * 1024 * 1024


@pytest.fixture
def beside_git(workspace: Path, tmp_path: Path) -> Snapshots:
    git(workspace, "init", "-q")
    return open_snapshots(workspace, tmp_path / "session")


async def test_ignored_files_stay_as_they_are(beside_git: Snapshots, workspace: Path) -> None:
    write(workspace, ".gitignore", "*.log\nbuild/\n")
    write(workspace, "a", "one")
    write(workspace, "run.log", "1")
    write(workspace, "build/out", "1")
    before = await taken(beside_git)
    write(workspace, "a", "two")
    write(workspace, "run.log", "2")
    write(workspace, "build/out", "2")
    restored = await beside_git.restore(before)
    assert restored.files == (("M", "a"),)
    assert (workspace / "run.log").read_text() == (workspace / "build/out").read_text() == "2"


async def test_an_unborn_repository_and_its_index_are_not_disturbed(beside_git: Snapshots, workspace: Path) -> None:
    write(workspace, "staged", "staged")
    git(workspace, "add", "staged")
    write(workspace, "staged", "and changed")
    status = git(workspace, "status", "--porcelain")
    before = await taken(beside_git)
    write(workspace, "other", "new")
    await beside_git.restore(before)
    assert (workspace / "staged").read_text() == "and changed"
    assert git(workspace, "status", "--porcelain") == status


@pytest.mark.parametrize("born", [False, True])
async def test_repositories_inside_the_workspace_are_covered(
    beside_git: Snapshots, workspace: Path, born: bool
) -> None:
    nested = workspace / "vendor" / "inner"
    write(workspace, "vendor/inner/.gitignore", "*.o\n")
    write(workspace, "vendor/inner/file", "one")
    write(workspace, "vendor/inner/run", "#!").chmod(0o755)
    (nested / "link").symlink_to("file")
    git(nested, "init", "-q")
    if born:
        git(nested, "add", ".")
        git(nested, "commit", "-qm", "inner")
    before, expected = await taken(beside_git), tree(workspace)
    write(workspace, "vendor/inner/file", "two")
    write(workspace, "vendor/inner/more", "new")
    (nested / "link").unlink()
    after, changed = await taken(beside_git), tree(workspace)
    assert (await beside_git.restore(before)).before is not None
    assert tree(workspace) == expected
    assert (await beside_git.restore(after)).before is not None
    assert tree(workspace) == changed
    assert (nested / ".git").is_dir()


async def test_hooks_and_filters_of_the_workspace_never_run(beside_git: Snapshots, workspace: Path) -> None:
    ran = workspace.parent / "ran"
    for hook in ("pre-commit", "post-checkout", "post-index-change", "fsmonitor"):
        write(workspace, f".git/hooks/{hook}", f"#!/bin/sh\ntouch '{ran}'\n").chmod(0o755)
    git(workspace, "config", "filter.evil.clean", f"touch '{ran}'; cat")
    git(workspace, "config", "filter.evil.smudge", f"touch '{ran}'; cat")
    git(workspace, "config", "core.fsmonitor", str(workspace / ".git/hooks/fsmonitor"))
    write(workspace, ".gitattributes", "* filter=evil\n")
    write(workspace, "a", "one")
    before = await taken(beside_git)
    write(workspace, "a", "two")
    await beside_git.restore(before)
    assert (workspace / "a").read_text() == "one"
    assert not ran.exists()


@pytest.mark.parametrize("place", ["/", "~", "missing", "file", "\udcff"])
def test_places_that_are_no_workspace_are_refused(tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "file").write_text("x")
    (tmp_path / "\udcff").mkdir()
    path = {"/": Path("/"), "~": tmp_path}.get(place, tmp_path / place)
    with pytest.raises(WorkspaceError, match="workspace"):
        check_workspace(path)


async def test_what_lies_between_two_calls_was_done_by_hand(snapshots: Snapshots, workspace: Path) -> None:
    write(workspace, "calls", "0\n")
    write(workspace, "hands", "0\n")
    write(workspace, "gone", "0\n")
    before = await snapshots.snapshot("before a call")
    write(workspace, "calls", "1\n")
    left = await snapshots.left()
    assert left is not None and await snapshots.by_hand([], left) == set()
    write(workspace, "hands", "1\n")
    (workspace / "gone").unlink()
    write(workspace, "new", "1\n")
    assert await snapshots.by_hand([], left) == {"hands", "gone", "new"}
    found = await snapshots.snapshot("before the next call")
    assert found.changed == 4 and found.tree is not None and before.tree != left
    write(workspace, "calls", "2\n")
    assert await snapshots.by_hand([(left, found.tree)], await snapshots.left()) == {"hands", "gone", "new"}


async def test_a_preview_of_a_restore_says_what_a_restore_then_does(snapshots: Snapshots, workspace: Path) -> None:
    write(workspace, "changed", "one\ntwo\nthree\n")
    write(workspace, "gone", "one\n")
    write(workspace, "binary", b"\0one")
    target = await taken(snapshots)
    write(workspace, "changed", "one\n2\n")
    write(workspace, "binary", b"\0two")
    write(workspace, "new/er", "1\n2\n")
    (workspace / "gone").unlink()
    (workspace / "link").symlink_to("changed")
    held, files = tree(workspace), sorted((workspace.parent / "session").rglob("*"))
    fates = await snapshots.would_restore(target)
    assert (tree(workspace), sorted((workspace.parent / "session").rglob("*"))) == (held, files)
    assert [tuple(fate) for fate in fates] == [
        ("M", "binary", None, None),
        ("M", "changed", 2, 1),
        ("A", "gone", 1, 0),
        ("D", "link", None, None),
        ("D", "new/er", 0, 2),
    ]
    restored = await snapshots.restore(target)
    assert sorted(restored.files) == sorted((fate.status, fate.path) for fate in fates)
    assert await snapshots.would_restore(target) == []
