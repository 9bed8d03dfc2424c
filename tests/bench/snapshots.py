"""What a checkpoint costs on a big tree, and whether a rewind with its undo ever changes anything.

`cost`: a git repository of so many files; the first checkpoint, one after one file changed, one where nothing did.
`identity`: random trees (modes, links, nested and unborn repositories, unicode and newline names, ignored files, files
edited by hand between checkpoint and rewind); a restore and its undo have to give back every byte, and lose none.

.venv/bin/python -P tests/bench/snapshots.py cost --files 13000
.venv/bin/python -P tests/bench/snapshots.py identity --trees 1000
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import click

ROOT = Path(__file__).parent.parent.parent
IDENTITY = ("-c", "user.name=n", "-c", "user.email=e@x", "-c", "init.defaultBranch=main")
EVERYTHING = dict[str, tuple[str, bytes | str, int]]
IGNORED = "ignored"
"""What a test's tree ignores: never touched by a restore."""


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, check=True, capture_output=True)


def grown(place: Path, files: int) -> None:
    """A repository with that many files of about 4 KB in folders of 50, committed."""
    pick = random.Random(1)
    for number in range(files):
        path = place / f"package{number // 2500}" / f"part{number // 50}" / f"module_{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(b"value_%d = %d\n" % (line, pick.getrandbits(60)) for line in range(120)))
    git(place, "init", "-q")
    git(place, "add", ".")
    git(place, "-c", "gc.auto=0", "commit", "-qm", "all")
    git(place, "repack", "-adq")  # As any repository is after a while; not meanwhile, by itself.


async def timed(work: Awaitable[object]) -> tuple[float, float]:
    """Seconds of wall clock and of CPU, own and children's."""
    before, cpu = time.perf_counter(), os.times()
    await work
    after = os.times()
    return time.perf_counter() - before, sum(after[:4]) - sum(cpu[:4])


def everything(workspace: Path) -> EVERYTHING:
    """All files and links but repositories' own, ignored ones too: kind, content, whether it may be run."""
    found: EVERYTHING = {}
    for folder, folders, files in os.walk(workspace):
        folders[:] = [name for name in folders if name != ".git"]
        for name in [*files, *(name for name in folders if Path(folder, name).is_symlink())]:
            path = Path(folder, name)
            place = str(path.relative_to(workspace))
            if path.is_symlink():
                found[place] = ("link", str(path.readlink()), 0)
            else:
                found[place] = ("file", path.read_bytes(), path.stat().st_mode & 0o100)
    return found


def furnished(workspace: Path, pick: random.Random) -> None:
    """Perhaps a repository: born or not, with ignored files, and perhaps with another one inside."""
    if pick.random() < 0.2:
        return
    (workspace / ".gitignore").write_text(f"{IGNORED}/\n*.log\n")
    (workspace / "tracked.txt").write_text("one\n")
    git(workspace, "init", "-q")
    if pick.random() < 0.7:
        git(workspace, "add", ".")
        git(workspace, "commit", "-qm", "first")
    if pick.random() < 0.4:
        inner = workspace / "vendor" / "inner"
        inner.mkdir(parents=True)
        (inner / "theirs.txt").write_text("theirs\n")
        git(inner, "init", "-q")
        if pick.random() < 0.5:
            git(inner, "add", ".")
            git(inner, "commit", "-qm", "inner")
    (workspace / IGNORED).mkdir()
    (workspace / IGNORED / "cache.bin").write_bytes(pick.randbytes(64))


async def one(seed: int, edit: Callable[[Path, random.Random], None]) -> tuple[int, int]:
    """(paths that differed, paths of ignored or by-hand content lost) in one tree's restores and undos."""
    from core.workspace.snapshots import open_snapshots
    from core.workspace.treewatch import tree_watch

    pick, differing, lost = random.Random(seed), 0, 0
    with tempfile.TemporaryDirectory(prefix="longwatch-") as place:
        workspace = Path(place) / "project"
        workspace.mkdir()
        furnished(workspace, pick)
        snapshots = open_snapshots(workspace, Path(place) / "session", tree_watch(workspace))
        states = []
        for _ in range(3):
            for _ in range(4):
                edit(workspace, pick)
            states.append(((await snapshots.snapshot("look")).tree, everything(workspace)))
        for _ in range(3):
            edit(workspace, pick)
            if (workspace / IGNORED).is_dir():
                (workspace / IGNORED / "cache.bin").write_bytes(pick.randbytes(64))
            before, (target, expected) = everything(workspace), pick.choice(states)
            done = await snapshots.restore(target or "")
            now = everything(workspace)
            differing += _unlike(now, expected, but=f"{IGNORED}/")
            lost += _unlike(now, before, only=f"{IGNORED}/")
            await snapshots.restore(done.before or "")
            lost += _unlike(everything(workspace), before)
    return differing, lost


def _unlike(one: EVERYTHING, other: EVERYTHING, but: str = "\0", only: str = "") -> int:
    return sum(
        one.get(path) != other.get(path)
        for path in one.keys() | other.keys()
        if not path.startswith(but) and path.startswith(only)
    )


@click.group()
def main() -> None:
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "core" / "workspace")]


@main.command()
@click.option("--files", default=13_000, show_default=True)
@click.option("--rounds", default=5, show_default=True)
def cost(files: int, rounds: int) -> None:
    asyncio.run(_cost(files, rounds))


async def _cost(files: int, rounds: int) -> None:
    from core.workspace.snapshots import open_snapshots
    from core.workspace.treewatch import tree_watch

    with tempfile.TemporaryDirectory(prefix="longwatch-") as place:
        workspace = Path(place) / "project"
        workspace.mkdir()
        grown(workspace, files)
        await asyncio.sleep(1.5)  # Files that have just been written are read again, for their clock may stand still.
        firsts, later, idle = [], [], []
        for number in range(rounds):
            folder = Path(place) / f"session{number}"
            snapshots = open_snapshots(workspace, folder, tree_watch(workspace))
            firsts.append(await timed(snapshots.snapshot("first")))
            for step in range(3):
                (workspace / "package0" / "part0" / "module_0.py").write_text(f"changed = {number}{step}\n")
                later.append(await timed(snapshots.snapshot("later")))
                await asyncio.sleep(0.1)
                await snapshots.snapshot("settled")
                idle.append(await timed(snapshots.snapshot("nothing")))
            shutil.rmtree(folder)
    print(f"{files:,} files          wall s (median, max)      CPU s (median)")
    for name, rows in (("first checkpoint", firsts), ("one file changed", later), ("nothing changed", idle)):
        walls, cpus = [row[0] for row in rows], [row[1] for row in rows]
        print(f"{name:<20} {median(walls):8.2f} {max(walls):8.2f} {median(cpus):18.2f}")


@main.command()
@click.option("--trees", default=1_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--lent", is_flag=True, help="Ask the repository of each tree what it has, as of a big one.")
@click.option("--minutes", default=3.0, show_default=True, help="Stop after so long.")
def identity(trees: int, seed: int, lent: bool, minutes: float) -> None:
    from test_snapshots import edit

    from core.workspace import shadow

    if lent:
        shadow._MANY = 1

    until, totals, done = time.monotonic() + minutes * 60, [0, 0], 0
    for number in range(seed, seed + trees):
        if time.monotonic() > until:
            break
        for place, count in enumerate(asyncio.run(one(number, edit))):
            totals[place] += count
        done += 1
    print(f"{done:,} trees, {done * 3:,} rewinds with their undo: {totals[0]} paths differed, {totals[1]} were lost")


if __name__ == "__main__":
    main()
