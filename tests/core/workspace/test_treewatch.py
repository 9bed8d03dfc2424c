"""A tree that was left alone costs nothing to look at, and one that was touched is never taken for it."""

from __future__ import annotations

import asyncio
import mmap
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from test_snapshots import edit, git, taken, write

from core.workspace import copies, treewatch
from core.workspace.snapshots import Snapshots, open_snapshots
from core.workspace.treewatch import TreeWatch, tree_watch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows with each walk through the tree."""
    walked: list[str] = []
    walk = copies.walk
    monkeypatch.setattr(copies, "walk", lambda *asked: walked.append("") or walk(*asked))
    return walked


@pytest.fixture
def watch(workspace: Path) -> Iterator[TreeWatch]:
    with closing(tree_watch(workspace.resolve())) as watch:
        yield watch


@pytest.fixture
def watched(workspace: Path, tmp_path: Path, watch: TreeWatch) -> Snapshots:
    git(workspace, "init", "-q")
    write(workspace, ".gitignore", "build/\n")
    write(workspace, "dir/deep/a", "one\n")
    write(workspace, "build/out", "1")
    return open_snapshots(workspace, tmp_path / "session", watch)


async def settled(snapshots: Snapshots) -> str:
    """The tree, once the watch knows what to watch."""
    await taken(snapshots)
    return await taken(snapshots)


async def test_nothing_is_looked_at_when_nothing_was_changed(
    watched: Snapshots, workspace: Path, looks: list[str]
) -> None:
    tree = await settled(watched)
    looks.clear()
    write(workspace, "build/out", "what is ignored may change")
    (workspace / "dir/deep/a").read_text()
    assert await taken(watched) == tree and await watched.left() == tree and looks == []
    write(workspace, "dir/deep/a", "two\n")
    assert await taken(watched) != tree and looks == [""]


def mapped(workspace: Path) -> None:
    """Written through memory, by one that let go of the file first."""
    with (workspace / "dir/deep/a").open("r+b") as file:
        memory = mmap.mmap(file.fileno(), 0)
    memory[:3] = b"ONE"
    memory.close()


def moved_in(workspace: Path) -> None:
    write(workspace.parent, "elsewhere/deep/new", "1")
    (workspace.parent / "elsewhere").rename(workspace / "dir" / "in")


def replaced(workspace: Path) -> None:
    workspace.rename(workspace.with_name("away"))
    write(workspace, "other", "1")


CHANGES: dict[str, Callable[[Path], object]] = {
    "mapped": mapped,
    "moved in": moved_in,
    "moved": lambda place: (place / "dir/deep").rename(place / "shallow"),
    "replaced whole": replaced,
    "mode": lambda place: (place / "dir/deep/a").chmod(0o755),
    "truncated": lambda place: os.truncate(place / "dir/deep/a", 1),
    "in a new folder": lambda place: write(place, "n/e/w/er", "1"),
    "in a folder that is ignored no more": lambda place: (place / ".gitignore").write_text(""),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_every_kind_of_change_is_told(
    watched: Snapshots, workspace: Path, tmp_path: Path, watch: TreeWatch, change: str
) -> None:
    before = await settled(watched)
    assert watch.quiet()
    CHANGES[change](workspace)
    seen = await taken(watched)
    assert seen != before and seen == await taken(open_snapshots(workspace, tmp_path / "unwatched"))


async def test_a_file_with_a_second_name_outside_is_no_ground_for_a_proof(
    watched: Snapshots, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").hardlink_to(workspace / "dir/deep/a")
    before = await settled(watched)
    (tmp_path / "outside").write_text("changed under its other name")
    assert await taken(watched) != before


@pytest.mark.parametrize("limit", ["SHARE", "LONGEST_S", "_TOLD_BY_THE_KERNEL"])
async def test_beyond_its_limits_nothing_is_proved(
    watched: Snapshots, watch: TreeWatch, looks: list[str], limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = {"SHARE": 1 << 40, "LONGEST_S": -1.0, "_TOLD_BY_THE_KERNEL": frozenset({"nfs4"})}[limit]
    monkeypatch.setattr(treewatch, limit, value)
    await settled(watched)
    looks.clear()
    assert not watch.quiet()
    await taken(watched)
    assert looks == [""]


def test_mounts_in_the_tree_count_and_the_last_one_at_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [b"1 0 8:1 / / rw - ext4 /dev/a rw", b"2 1 8:1 / /home/a\\040b rw - nfs4 far:/ rw"]
    assert treewatch._all_told(Path("/home/c"), b"\n".join(rows))
    assert not treewatch._all_told(Path("/home/a b/project"), b"\n".join(rows))
    assert not treewatch._all_told(Path("/home"), b"\n".join(rows))
    over = b"3 2 8:1 / /home/a\\040b rw shared:1 - xfs /dev/b rw"
    assert treewatch._all_told(Path("/home/a b/project"), b"\n".join([*rows, over]))


async def test_random_edits_are_seen_as_one_sees_them_who_looks_at_everything(
    watched: Snapshots, workspace: Path, tmp_path: Path
) -> None:
    unwatched, pick = open_snapshots(workspace, tmp_path / "unwatched"), random.Random(5)
    for _ in range(60):
        for _ in range(pick.choice([0, 0, 1, 3])):
            edit(workspace, pick)
        both = await asyncio.gather(watched.snapshot("one"), unwatched.snapshot("other"))
        assert both[0].tree == both[1].tree
