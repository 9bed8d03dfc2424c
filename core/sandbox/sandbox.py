"""The sandbox of a machine, found once per start, and the same applied to one session's commands."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from core.programs import set_apart
from core.sandbox.access import Access, Surroundings, access_for, configuration
from core.sandbox.bubblewrap import bubblewrap
from core.sandbox.grant import NOTHING, Grant
from core.sandbox.guard import LEFT, Guard
from core.sandbox.landlock import landlock

Backend = Literal["bubblewrap", "landlock", "none"]
_TEMPORARY_NAMES: Final = ("TMPDIR", "TEMP", "TMP")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How commands are confined on this machine. `why`: why not, in words, where `backend` is none."""

    backend: Backend
    why: str = ""
    program: str = ""

    def __str__(self) -> str:
        """`bubblewrap`, `landlock`, or `none: why`."""
        return f"none: {self.why}" if self.backend == "none" else self.backend

    @property
    def confines(self) -> bool:
        return self.backend != "none"

    def words(self, access: Access, cwd: Path) -> list[str]:
        """The words to put before a command; none where nothing confines."""
        if self.backend == "bubblewrap":
            return bubblewrap(self.program, access, cwd)
        return landlock(access) if self.backend == "landlock" else []


@dataclass(frozen=True, slots=True)
class Cell:
    """One command's: the words to put before it, and who puts protected files back when it has ended."""

    words: Sequence[str] = ()
    guard: Guard | None = None

    @classmethod
    def left_in(cls, folder: Path) -> Cell:
        """The cell of a command that an earlier process began and left running, with what it left in `folder`."""
        return cls(guard=Guard.left_in(folder))

    def leave(self, folder: Path) -> None:
        """Write down in `folder` what is to be put back, for whoever takes the command up. Raises OSError."""
        if self.guard is not None:
            self.guard.leave(folder)

    def close(self, folder: Path) -> list[str]:
        """Put back what the command must not change, once; the names of what it did. Raises OSError."""
        changed = self.guard.put_back() if self.guard else []
        (folder / LEFT).unlink(missing_ok=True)
        return changed


@dataclass(frozen=True, slots=True)
class Confinement:
    """A sandbox with the surroundings of one session.

    `network`: whether its commands reach other machines; a single call may be granted more.
    """

    sandbox: Sandbox
    around: Surroundings
    network: bool = False

    def cell(self, cwd: Path, environment: Mapping[str, str], grant: Grant = NOTHING) -> Cell:
        """What a command that runs in `cwd` is put into. Raises OSError when no private folder can be made."""
        if not self.sandbox.confines:
            return Cell()
        self.around.temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
        writable = (*self.around.writable, *(Path(path) for path in grant.writable if self._may_open(path)))
        around = replace(self.around, writable=writable)
        access = access_for(around, environment, self.network or grant.network)
        kept = access.protected if self.sandbox.backend == "bubblewrap" else ()
        guard = Guard(access.guarded, access.temporary, access.writable, kept)
        return Cell(self.sandbox.words(access, cwd), guard)  # The words last: they name what may be gone in a moment.

    def environment(self, environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
        """What a command inherits, temporary files and caches in the folder that it may write; and words before it.

        What shuts it in inherits that first. So where that would find programs or libraries that commands can write,
        the words, which come after those of the cell, give it to the command alone.
        """
        if not self.sandbox.confines:
            return dict(environment), []
        inside = "/tmp" if self.sandbox.backend == "bubblewrap" else str(self.around.temporary)
        caches = {"XDG_CACHE_HOME": f"{inside}/cache", "npm_config_cache": f"{inside}/cache/npm"}
        whole = {**caches, **environment, **dict.fromkeys(_TEMPORARY_NAMES, inside)}
        safe, kept = set_apart(whole, self.around.workspace, self.around.temporary, *self.around.writable)
        return safe, ["/usr/bin/env", *(f"{name}={value}" for name, value in kept.items())] if kept else []

    @property
    def closed(self) -> tuple[Path, ...]:
        """What no command is ever given, whoever allows it: sessions with their inboxes, and the configuration."""
        return (self.around.home, *configuration(self.around.config))

    def _may_open(self, path: str) -> bool:
        """Whether a path that was granted is still what it was then, and none that stays closed."""
        closed = any(Path(path).is_relative_to(os.path.realpath(place)) for place in self.closed)
        return not closed and os.path.realpath(path) == path
