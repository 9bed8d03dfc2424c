"""What keeps a server that is a program of this machine inside: the sandbox of commands, opened for what it needs.

A server lives as long as its session and speaks to whom its user chose it for, so it has the network unless that is
taken away. It may write the workspace, a temporary folder of its own, what its user named, and the caches of the
program that fetches it (uvx, npx); it sees neither sessions, inboxes and configuration nor the usual places of keys.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

from core.sandbox.access import NEVER_OPENED, access_for
from core.sandbox.sandbox import Confinement, Sandbox
from core.tools.mcp.specs import ServerSpec

_CACHES: Final = {
    ("uvx", "uv", "pipx"): (".cache/uv", ".local/share/uv", ".cache/pipx", ".local/share/pipx"),
    ("npx", "npm", "pnpm", "bunx", "bun", "deno"): (".npm", ".cache/pnpm", ".bun", ".cache/deno"),
}
"""Folders of the home that programs write which fetch others and run them."""


class Start(NamedTuple):
    """How a server is started: its command line, what its environment has beside the usual, the folder."""

    command: tuple[str, ...]
    environment: dict[str, str]
    cwd: Path


@dataclass(frozen=True, slots=True)
class Walls:
    """`confinement` is that of the session's commands; None: servers are not confined."""

    confinement: Confinement | None = None

    def confine(self, spec: ServerSpec) -> bool:
        """Whether this server is kept inside."""
        return bool(spec.command) and spec.sandbox and self.confinement is not None and self.sandbox.confines

    @property
    def sandbox(self) -> Sandbox:
        assert self.confinement is not None
        return self.confinement.sandbox

    def start(self, spec: ServerSpec, folder: Path) -> Start:
        """How to start it; `folder` is where the session keeps what belongs to servers.

        Raises OSError, as where there is no such program.
        """
        if not self.confine(spec):
            return Start(spec.command, dict(spec.env), spec.cwd or _made(folder / "empty"))
        assert self.confinement is not None
        temporary = _made(folder / f"{spec.name}.tmp")
        around = replace(
            self.confinement.around,
            temporary=temporary,
            writable=(*self.confinement.around.writable, *self._may(spec.writable), *_caches(spec.command[0])),
            readable=(*self.confinement.around.readable, *self._may(spec.readable), *self._may(_named(spec))),
        )
        inside = "/tmp" if self.sandbox.backend == "bubblewrap" else str(temporary)
        environment = {**dict(os.environ), **spec.env}
        if shutil.which(spec.command[0], path=environment.get("PATH")) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), spec.command[0])
        words = self.sandbox.words(access_for(around, environment, spec.network), spec.cwd or Path(inside))
        names = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), inside)
        return Start((*words, *spec.command), {**names, **spec.env}, spec.cwd or temporary)

    def _may(self, paths: Iterable[Path]) -> Iterator[Path]:
        """Those that may be opened: not the machine itself, nor the sessions and the configuration."""
        assert self.confinement is not None
        closed = [Path(os.path.realpath(place)) for place in (*self.confinement.closed, *map(Path, NEVER_OPENED))]
        for path in paths:
            real = Path(os.path.realpath(path))
            if real != Path("/") and not any(real.is_relative_to(place) for place in closed):
                yield real


OPEN: Final = Walls()
"""Servers run with all rights."""


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _caches(program: str) -> Iterator[Path]:
    for programs, folders in _CACHES.items():
        if Path(program).name in programs:
            yield from (Path.home() / folder for folder in folders)


def _named(spec: ServerSpec) -> Iterator[Path]:
    """What its own command line names: its program and files that it is given, also where such are not seen."""
    yield from (Path(word) for word in spec.command if word.startswith("/") and "\0" not in word and len(word) < 4_096)
