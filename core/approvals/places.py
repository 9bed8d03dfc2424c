"""Where paths lead: inside the workspace or out of it, whatever their dots and links say."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path

from core.hidden import without_hidden
from core.sandbox.access import PROTECTED

_ASKED = frozenset(
    f"{PROTECTED} .git .idea .github/workflows .gitlab-ci.yml .pre-commit-config.yaml".casefold().split()
)
"""Files of a workspace that make programs run something or tell agents what to do: a change of them is asked."""

_DEVICES = frozenset({"/dev/null", "/dev/zero", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/full"})
_PROGRAMS = ("/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin", "/opt/homebrew/bin")


def real_path(path: str) -> str:
    """Where a path leads; where a link on the way can't be read, as far as its words tell."""
    try:
        return os.path.realpath(path)
    except OSError:
        return os.path.abspath(path)  # noqa: PTH100


@dataclass(frozen=True, slots=True)
class Places:
    """The workspace and the other folders where the session is free; all of them real paths, without links.

    `guarded` are more files and folders of the workspace like those that are asked about everywhere.
    `real` gives the real path of an absolute one; it need not exist, which `exists` tells. `programs` are folders of
    installed programs.
    """

    workspace: str
    folders: tuple[str, ...] = ()
    home: str = "~"
    programs: tuple[str, ...] = _PROGRAMS
    guarded: tuple[str, ...] = ()
    real: Callable[[str], str] = real_path
    exists: Callable[[str], bool] = os.path.exists

    def resolve(self, path: str, cwd: str | None = None) -> str:
        """The real path behind one that is relative to `cwd` (the workspace, where it is left out)."""
        return self.real(str(Path(cwd or self.workspace) / path))

    def inside(self, real: str) -> bool:
        """Whether a real path is in the workspace or in another free folder."""
        return any(below(real, folder) for folder in (self.workspace, *self.folders)) or real in _DEVICES

    def standing(self, real: str) -> str:
        """A real path, or the nearest folder above it that exists."""
        while not self.exists(real) and real != "/":
            real = os.path.dirname(real)  # noqa: PTH120
        return real

    def relative(self, real: str) -> str:
        """A real path as rules and people name it: relative where it is in the workspace."""
        return _relative(real, self.workspace)

    def protected(self, real: str) -> bool:
        """Whether a change of this file of the workspace is asked about wherever one is free.

        Some file systems take no notice of upper case, or of characters that nobody sees.
        """
        parts = _folded(real, self.workspace).split("/")
        usual = any(part in _ASKED for part in (*parts, *map("/".join, pairwise(parts))))
        return usual or not _all_folded(self.guarded, self.workspace).isdisjoint(accumulate(parts, "{}/{}".format))

    def program_of(self, word: str, cwd: str) -> str | None:
        """The name of a program that is called by a path into a folder of installed programs; None otherwise."""
        folder, name = os.path.split(Path(cwd) / word)
        return name if folder in self.programs or self.real(folder) in self.programs else None


def _relative(real: str, workspace: str) -> str:
    return os.path.relpath(real, workspace) if below(real, workspace) else real


def _folded(real: str, workspace: str) -> str:
    return without_hidden(_relative(real, workspace)).casefold()


@lru_cache(8)
def _all_folded(guarded: tuple[str, ...], workspace: str) -> frozenset[str]:
    """The same of all guarded ones, of which there are hundreds in a repository of many parts."""
    return frozenset(_folded(real, workspace) for real in guarded)


def below(path: str, folder: str) -> bool:
    """Whether a path is a folder or inside of it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def paths_in(word: str) -> Iterator[str]:
    """What of a word may be a path: the whole, and what stands behind `=`, `:`, `,`, `@` or an option's letters."""
    yield word
    if "=" in word and not word.startswith(("--exclude", "--ignore")):
        yield word.partition("=")[2]
    elif re.match(r"-\w.", word):
        yield word[2:]
    if found := re.match(r"-[A-Za-z]+(?=/|\.\.)", word):
        yield word[found.end() :]
    for part in re.split(r"[=:,@]", word)[1:]:
        if part.startswith("/") or ".." in part:
            yield part
