"""Asking git, and nothing of git's that runs foreign code: no hooks, no file-system monitor, no user configuration.

A command of the agent may have made the repository, or one inside of it, and with it the configuration that git obeys.
So contents that are missing are fetched from nowhere, which could run a program too.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.programs import find_program
from core.workspace.errors import WorkspaceError

_TIMEOUT_S: Final = 60.0
_GRACE_S: Final = 5.0
_OPTIONS: Final = (
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.untrackedCache=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "safe.directory=*"),
)
FROM_NOWHERE: Final = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
"""Variables with which git fetches nothing that is missing: a repository may name the program that fetches."""
FROM_REMOTES: Final = {"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh", "GIT_NO_LAZY_FETCH": "0"}
"""Variables with which git may fetch what a partial clone left with its origin."""
_OF_FILTERS: Final = {b"clean": "", b"smudge": "", b"process": "", b"required": "false"}


def find_git(*within: Path) -> str | None:
    """The git program, or None; none that lies within these folders, where commands may have put it."""
    return find_program("git", *within)


async def git(program: str, folder: Path, *arguments: str, given: bytes = b"", **variables: str) -> bytes:
    """Run git in a folder and return what it printed. Raises WorkspaceError when it fails or takes too long."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        **FROM_NOWHERE,
        **variables,
    }
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *_OPTIONS,
            *arguments,
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise WorkspaceError(f"git can't be started ({error.strerror}).") from error
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            out, err = await process.communicate(given)
    except TimeoutError as error:
        raise WorkspaceError(f"git {arguments[0]} took longer than {_TIMEOUT_S:.0f} seconds.") from error
    finally:
        await _ended(process)
    if process.returncode:
        said = err.decode(errors="replace").strip().splitlines()
        raise WorkspaceError(f"git {arguments[0]} failed: {said[0] if said else process.returncode}.")
    return out


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End it if it runs, with its children: by TERM, at which git clears away what it has half made, then by KILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_S):
                    await process.wait()


async def git_unfiltered(program: str, folder: Path, *arguments: str) -> bytes:
    """The same for what makes git read files: it looks at them as they are, through no program that a filter names."""
    listed = (await git(program, folder, "config", "--null", "--name-only", "--list")).split(b"\0")
    named = [name for name in listed if name.startswith(b"filter.") and name.rpartition(b".")[2] in _OF_FILTERS]
    variables = {"GIT_CONFIG_COUNT": str(len(named))}  # In a word after `-c` a name could not hold `=`.
    for number, name in enumerate(named):
        variables[f"GIT_CONFIG_KEY_{number}"] = os.fsdecode(name)
        variables[f"GIT_CONFIG_VALUE_{number}"] = _OF_FILTERS[name.rpartition(b".")[2]]
    return await git(program, folder, *arguments, given=b"", **variables)


class Repository:
    """The user's repository around a workspace, only ever read."""

    def __init__(self, program: str, workspace: Path, objects: Path) -> None:
        self._program, self._workspace = program, workspace
        self.objects = objects

    @classmethod
    async def around(cls, program: str, workspace: Path) -> Repository | None:
        """The repository that the workspace belongs to, or None.

        A folder that merely lies inside one (a repository of dot files, say) without being tracked is on its own.
        """
        try:
            top = await git(program, workspace, "rev-parse", "--show-toplevel")
            objects = await git(program, workspace, "rev-parse", "--git-path", "objects")
            if _line(top) != workspace.resolve() and not await git(program, workspace, "ls-files", "-z", "--", "."):
                return None
        except WorkspaceError:
            return None
        return cls(program, workspace, (workspace / _line(objects)).resolve())

    async def having(self, oids: Iterable[str]) -> set[str]:
        """Those of the ids whose content the repository holds."""
        given = "".join(f"{oid}\n" for oid in oids).encode()
        options = ("cat-file", "--batch-check", "--buffer")
        answers = (await git(self._program, self._workspace, *options, given=given)).decode()
        return {line[:40] for line in answers.splitlines() if line[40:46] == " blob "}

    async def read(self, oid: str) -> bytes:
        """A content of the repository. Raises WorkspaceError when it is gone (`git gc` may have removed it)."""
        return await git(self._program, self._workspace, "cat-file", "blob", oid)


def _line(out: bytes) -> Path:
    return Path(os.fsdecode(out.removesuffix(b"\n")))
