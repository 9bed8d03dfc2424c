"""Snapshots as trees of a shadow git repository that the session owns.

It borrows the objects and the index of the user's repository, so that a first snapshot writes next to nothing, and
never touches either. The user's configuration, hooks and attributes of the system stay out of it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from core.workspace.errors import WorkspaceError
from core.workspace.scan import Stamp, scan
from core.workspace.snapshots import LARGEST_UNTRACKED, MOST_UNTRACKED, Restored, Snapshot

SECONDS = 120.0
"""How long one git command may take."""
OPTIONS = (
    *("-c", "core.quotepath=off", "-c", "gc.auto=0", "-c", "core.hooksPath=/dev/null"),
    *("-c", "core.autocrlf=false", "-c", "core.fsmonitor=false", "-c", "core.safecrlf=false"),
)


class GitFailed(Exception):
    """A git command failed; the text is what it said."""


class ShadowGit:
    """Implements `Snapshots` for a workspace with the repository at `store`."""

    backend = "git"

    def __init__(self, workspace: Path, store: Path, git: str) -> None:
        self._workspace = workspace
        self._store = store
        self._git = git
        self._last: tuple[dict[str, Stamp], Snapshot] | None = None

    async def snapshot(self, label: str = "") -> Snapshot:
        try:
            stamps = await asyncio.to_thread(scan, self._workspace)
            if self._last is not None and self._last[0] == stamps:
                last = self._last[1]
                return Snapshot(last.tree, 0, last.skipped)
            taken = await self._take()
        except (GitFailed, OSError, TimeoutError) as error:
            self._last = None
            return Snapshot(None, detail=f"No snapshot of the files could be taken: {_brief(error)}")
        self._last = (stamps, taken)
        return taken

    async def diff(self, before: str, after: str) -> list[tuple[str, str]]:
        try:
            return [(status, os.fsdecode(path)) for status, path in await self._changes(before, after)]
        except (GitFailed, OSError, TimeoutError) as error:
            raise WorkspaceError(f"The snapshots can't be compared: {_brief(error)}") from error

    async def restore(self, tree: str) -> Restored:
        now = await self.snapshot("before a restore")
        if now.tree is None:
            return Restored(None, detail=now.detail)
        try:
            await self._run("cat-file", "-e", f"{tree}^{{tree}}")
            changes = await self._changes(now.tree, tree)
            await asyncio.to_thread(self._make_way, changes)
            await self._run("read-tree", tree)
            await self._check_out([path for status, path in changes if status != "D"])
        except (GitFailed, OSError, TimeoutError) as error:
            return Restored(None, detail=f"The files could not be restored: {_brief(error)}")
        finally:
            self._last = None
        return Restored(now.tree, tuple((status, os.fsdecode(path)) for status, path in changes))

    async def _take(self) -> Snapshot:
        await self._ensure_store()
        before = self._last[1].tree if self._last else None
        skipped = await self._add_all()
        tree = (await self._run("write-tree")).decode().strip()
        changed = len(await self._changes(before, tree)) if before and before != tree else 0
        return Snapshot(tree, changed, tuple(skipped))

    async def _ensure_store(self) -> None:
        if (self._store / "HEAD").exists():
            return
        self._store.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._run("init", "-q")
        theirs = await self._users_repository()
        if theirs is not None:
            objects, index = theirs
            (self._store / "objects" / "info").mkdir(parents=True, exist_ok=True)
            (self._store / "objects" / "info" / "alternates").write_text(f"{objects}\n")
            if index.is_file():
                shutil.copyfile(index, self._store / "index")

    async def _users_repository(self) -> tuple[Path, Path] | None:
        """(objects, index) of the repository whose top is the workspace, if it is one."""
        try:
            question = ["rev-parse", "--path-format=absolute", "--show-toplevel"]
            question += ["--git-path", "objects", "--git-path", "index"]
            answer = await self._call(["-C", str(self._workspace), *question], env=_bare_environment())
        except GitFailed:
            return None
        top, objects, index = answer.decode().splitlines()[:3]
        return (Path(objects), Path(index)) if Path(top) == self._workspace else None

    async def _add_all(self) -> list[str]:
        """Stage everything that git does not ignore; what was left out because it is too big."""
        untracked = (await self._run("ls-files", "-o", "--exclude-standard", "-z")).split(b"\0")[:-1]
        embedded = [path for path in untracked if path.endswith(b"/")]
        skipped = await asyncio.to_thread(self._too_big, [path for path in untracked if not path.endswith(b"/")])
        specs = [b".", *(b":(exclude,literal)" + path.rstrip(b"/") for path in (*embedded, *skipped))]
        await self._run("add", "-A", "--pathspec-from-file=-", "--pathspec-file-nul", feed=b"\0".join(specs))
        for repository in embedded:
            await self._add_embedded(repository)
        return [os.fsdecode(path) for path in skipped]

    def _too_big(self, paths: Sequence[bytes]) -> list[bytes]:
        root, crowds = os.fsencode(self._workspace), dict[bytes, int]()
        big = []
        for path in paths:
            crowds[os.path.dirname(path)] = crowds.get(os.path.dirname(path), 0) + 1
            try:
                if os.lstat(os.path.join(root, path)).st_size > LARGEST_UNTRACKED:
                    big.append(path)
            except OSError:
                continue
        return big + [folder for folder, count in crowds.items() if folder and count > MOST_UNTRACKED]

    async def _add_embedded(self, repository: bytes) -> None:
        """Stage the files of a repository inside the workspace one by one: git itself would only note its commit."""
        place = os.path.join(os.fsencode(self._workspace), repository)
        listed = await self._call(
            ["-C", os.fsdecode(place), "ls-files", "-co", "--exclude-standard", "-z"], env=_bare_environment()
        )
        paths = [repository + path for path in listed.split(b"\0")[:-1]]
        root = os.fsencode(self._workspace)
        links = [path for path in paths if os.path.islink(os.path.join(root, path))]
        files = [path for path in paths if path not in links and os.path.isfile(os.path.join(root, path))]
        rows = [(_mode(os.path.join(root, path)), name, path) for path, name in await self._hashed(files)]
        for link in links:
            target = os.readlink(os.path.join(root, link))
            name = await self._run("hash-object", "-w", "--stdin", feed=target)
            rows.append((b"120000", name.strip(), link))
        if rows:
            feed = b"".join(b"%s %s\t%s\0" % row for row in rows)
            await self._run("update-index", "--add", "-z", "--index-info", feed=feed)

    async def _hashed(self, files: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """(path, hash) of each file, its content written; a path with a newline can't go through a list of lines."""
        plain = [path for path in files if b"\n" not in path]
        hashes = await self._run("hash-object", "-w", "--stdin-paths", feed=b"\n".join(plain) + b"\n") if plain else b""
        found = list(zip(plain, hashes.split(), strict=True))
        for path in files:
            if b"\n" in path:
                found.append((path, (await self._run("hash-object", "-w", "--", os.fsdecode(path))).strip()))
        return found

    async def _changes(self, before: str, after: str) -> list[tuple[str, bytes]]:
        answer = await self._run("diff-tree", "-r", "--no-renames", "--name-status", "-z", before, after)
        fields = answer.split(b"\0")[:-1]
        return [(status.decode(), path) for status, path in zip(fields[::2], fields[1::2], strict=True)]

    def _make_way(self, changes: Sequence[tuple[str, bytes]]) -> None:
        """Remove what the target tree has not, and whatever stands where one of its files goes."""
        root = os.fsencode(self._workspace)
        for status, path in changes:
            place = os.path.join(root, path)
            if status == "D":
                _unlink(place)
                _prune(os.path.dirname(place), root)
            elif status == "T" or os.path.islink(place):
                _unlink(place)

    async def _check_out(self, paths: Sequence[bytes]) -> None:
        if paths:
            feed = b"\0".join(paths) + b"\0"
            await self._run("checkout-index", "-f", "-q", "-z", "--stdin", feed=feed)

    async def _run(self, *arguments: str, feed: bytes | None = None) -> bytes:
        env = _bare_environment() | {"GIT_DIR": str(self._store), "GIT_WORK_TREE": str(self._workspace)}
        return await self._call([*OPTIONS, *arguments], env=env, feed=feed)

    async def _call(self, arguments: Sequence[str], *, env: dict[str, str], feed: bytes | None = None) -> bytes:
        process = await asyncio.create_subprocess_exec(
            self._git,
            *arguments,
            cwd=self._workspace,
            env=env,
            stdin=asyncio.subprocess.PIPE if feed is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(SECONDS):
                output, errors = await process.communicate(feed)
        except BaseException:
            if process.returncode is None:
                process.kill()
                await process.wait()
            raise
        if process.returncode:
            raise GitFailed(errors.decode("utf-8", "replace").strip() or f"git ended with {process.returncode}")
        return output


def _bare_environment() -> dict[str, str]:
    """An environment in which only the repository itself says how git behaves."""
    kept = {name: value for name in ("PATH", "HOME", "TMPDIR") if (value := os.environ.get(name))}
    return kept | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def _mode(place: bytes) -> bytes:
    return b"100755" if os.access(place, os.X_OK) else b"100644"


def _unlink(place: bytes) -> None:
    try:
        os.unlink(place)
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        if os.path.isdir(place) and not os.path.islink(place):
            return  # A folder that took the file's place: what is in it is listed on its own.
        raise


def _prune(folder: bytes, root: bytes) -> None:
    """Remove directories that became empty, up to the workspace."""
    while folder != root:
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def _brief(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"git took longer than {SECONDS:.0f} s."
    return " ".join(str(error).split())[:300] or type(error).__name__
