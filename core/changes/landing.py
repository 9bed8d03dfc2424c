"""What a session changed as a branch of the user's own repository: no checkout, no file and no remote is touched."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.changes.course import Course
from core.changes.trees import Trees
from core.workspace.errors import WorkspaceError
from core.workspace.git import FROM_NOWHERE, find_git

_NOTHING: Final = "0" * 40
_TIMEOUT_S: Final = 120


@dataclass(frozen=True, slots=True)
class Part:
    """One commit to be: its subject, and the two states whose difference it is."""

    subject: str
    before: str
    after: str


def parts_of(course: Course, name: str, *, per_step: bool) -> list[Part]:
    """The session as one commit, or as one for each step of its plan that changed files."""
    if course.base is None or course.tree is None or course.base == course.tree:
        return []
    if not per_step:
        return [Part(name, course.base, course.tree)]
    found, before, subject = [], course.base, "before the first step"
    for seq, intent in course.steps:
        if (after := course.tree_at(seq)) and after != before:
            found.append(Part(subject, before, after))
            before = after
        subject = intent
    return [*found, Part(subject, before, course.tree)] if before != course.tree else found


def land(trees: Trees, workspace: Path, branch: str, parts: Sequence[Part]) -> list[str]:
    """Make `branch` at HEAD with a commit for each part; their ids. Raises WorkspaceError; then there is no branch."""
    git = _Git(workspace)
    if not git.takes("rev-parse", "--git-dir"):
        raise WorkspaceError(f"{workspace} is in no git repository; `longwatch diff S --patch FILE` makes a patch.")
    if not git.takes("rev-parse", "--verify", "HEAD^{commit}"):
        raise WorkspaceError(f"The repository of {workspace} has no commit yet on which a branch could stand.")
    if not git.takes("check-ref-format", "--branch", branch):
        raise WorkspaceError(f"{branch!r} can't be the name of a branch: git takes no such name.")
    if git.takes("show-ref", "--verify", "--quiet", f"refs/heads/{branch}"):
        raise WorkspaceError(f"There is a branch {branch} already, and it stays as it is; name another one.")
    if not git.takes("var", "GIT_COMMITTER_IDENT"):
        raise WorkspaceError(
            "git does not know whose commits these are: git config --global user.name NAME, and user.email ADDRESS."
        )
    prefix = git.ask("rev-parse", "--show-prefix")
    commits = [git.ask("rev-parse", "--verify", "HEAD^{commit}")]
    with tempfile.TemporaryDirectory(prefix="longwatch-") as place:
        git.index = str(Path(place) / "index")
        git.ask("read-tree", commits[0])
        for part in parts:
            rows = [_row(git, trees, part.after, path, prefix) for path in trees.differing(part.before, part.after)]
            git.ask("update-index", "-z", "--index-info", given=b"".join(rows))
            tree = git.ask("write-tree")
            commits.append(git.ask("commit-tree", tree, "-p", commits[-1], given=part.subject.encode() + b"\n"))
    git.ask("update-ref", f"refs/heads/{branch}", commits[-1], _NOTHING)
    return commits[1:]


def _row(git: _Git, trees: Trees, tree: str, path: str, prefix: str) -> bytes:
    """A line for the index: the file as it is in the tree, or that it is gone."""
    entry, name = trees.entry(tree, path), os.fsencode(prefix + path)
    if entry is None:
        return b"0 %s\t%s\0" % (_NOTHING.encode(), name)
    oid = git.ask("hash-object", "-w", "-t", "blob", "--no-filters", "--stdin", given=trees.content(entry.oid))
    return b"%o %s\t%s\0" % (entry.mode, oid.encode(), name)


class _Git:
    """The user's repository, with the user's name and no hook."""

    def __init__(self, workspace: Path) -> None:
        program = find_git(workspace)
        if program is None or not workspace.is_dir():
            raise WorkspaceError(f"There is no git, or no folder {workspace}, so nothing can be landed there.")
        self._program, self._workspace, self.index = program, workspace, ""

    def takes(self, *arguments: str) -> bool:
        """Whether git says yes to it. Raises WorkspaceError where it can't be asked."""
        return self._run(arguments, b"").returncode == 0

    def ask(self, *arguments: str, given: bytes = b"") -> str:
        """What git answers. Raises WorkspaceError."""
        done = self._run(arguments, given)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise WorkspaceError(f"git {arguments[0]} failed: {said[0] if said else done.returncode}.")
        return os.fsdecode(done.stdout).removesuffix("\n")

    def _run(self, arguments: Sequence[str], given: bytes) -> subprocess.CompletedProcess[bytes]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment |= {"LC_ALL": "C", **FROM_NOWHERE, **({"GIT_INDEX_FILE": self.index} if self.index else {})}
        command = [self._program, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *arguments]
        try:
            return subprocess.run(
                command, cwd=self._workspace, env=environment, input=given, capture_output=True, check=False,
                timeout=_TIMEOUT_S,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise WorkspaceError(f"git {arguments[0]} took longer than {_TIMEOUT_S} seconds.") from error
