"""What a command may see and change, as plain paths; each backend turns the same `Access` into its own means."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from core.sandbox.repository import PRIVATE_TEMPORARY, repository_paths

EMPTY: Final = Path("/run")
"""Sockets of the machine's services live here; a command sees a folder of its own."""

NEVER_OPENED: Final = ("/run", "/dev", "/proc", "/sys")
"""The machine itself, which no command is given."""

_CREDENTIALS: Final = """
.ssh .gnupg .aws .azure .kube .docker .netrc .git-credentials .pgpass .my.cnf .npmrc .yarnrc.yml .pypirc .vault-token
.password-store .terraform.d .oci .boto .s3cfg .cargo/credentials .cargo/credentials.toml .gem/credentials
.config/gh .config/hub .config/gcloud .config/git/credentials .config/containers .config/op .config/rclone
.config/longwatch .config/google-chrome .config/chromium .mozilla .thunderbird .local/share/keyrings
.local/share/longwatch .claude .claude.json .codex .gemini .anthropic .huggingface/token .cache/huggingface/token
.bash_history .zsh_history .python_history .psql_history .mysql_history .lesshst .local/share/fish/fish_history
"""
_MACHINE_SECRETS: Final = (
    "/etc/shadow /etc/shadow- /etc/gshadow /etc/gshadow- /etc/sudoers /etc/sudoers.d /etc/krb5.keytab"
)
PROTECTED: Final = """
.longwatch.toml AGENTS.md CLAUDE.md CLAUDE.local.md GEMINI.md QWEN.md .cursorrules .mcp.json .claude .codex .gemini
.cursor .vscode .envrc .husky .github/copilot-instructions.md
"""
"""Below a workspace: what instructs an agent, configures one, or makes a tool of the user run something."""
_MOST_PROTECTED: Final = 100
"""Each one is mounted for each command, which waits the longer for it the more there are; the others are put back."""
_OWN_CODE: Final = tuple(Path(os.path.realpath(__file__)).parents[2] / name for name in ("core", "tui", "themes"))


@dataclass(frozen=True, slots=True)
class Access:
    """Paths, each of which exists, by their real names (`readable` ones by those of links, too).

    Everything else is readable and can't be written.

    `writable` files and folders may be changed, but for `protected` ones in them; `hidden` ones are not seen, but for
    `readable` ones in them. `temporary` stands in for /tmp. `network`: whether other machines and this one are reached.
    `guarded` are the names of what is protected, whether it exists or not.
    """

    writable: tuple[Path, ...]
    protected: tuple[Path, ...]
    hidden: tuple[Path, ...]
    readable: tuple[Path, ...]
    temporary: Path
    guarded: tuple[Path, ...] = ()
    network: bool = False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a session lives: its workspace, its folder for temporary files, and what its commands must not see.

    `told` names the files of the workspace that instruct its agent.

    `home` is the product's own folder with all sessions, `config` its configuration file; `writable`, `readable` and
    `hidden` are what the user added.
    """

    workspace: Path
    temporary: Path
    home: Path
    config: Path
    writable: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    told: tuple[str, ...] = ()


def access_for(around: Surroundings, environment: Mapping[str, str], network: bool) -> Access:
    """What the commands of a session may do now; looks at the disk, for a command may have made a repository."""
    workspace, homes = Path(os.path.realpath(around.workspace)), _homes()
    writable, temporary = _real(around.writable), Path(os.path.realpath(around.temporary))
    repository, runs = repository_paths(workspace, *writable, temporary)
    guarded = guarded_paths(workspace, (*repository, *writable), runs, around.told)
    programs = tuple(_programs(environment, homes))
    needed = {*programs, workspace, *around.readable, *around.writable, *repository}
    hidden = (*_hidden(needed, environment, homes), *around.hidden, around.home, *configuration(around.config))
    return Access(
        writable=_real((workspace, *repository, *around.writable)),
        protected=_real((*(path for path in _OWN_CODE if path.is_relative_to(workspace)), *guarded))[:_MOST_PROTECTED],
        hidden=_real(hidden),
        readable=_named((*programs, *around.readable)),
        temporary=temporary,
        guarded=guarded,
        network=network,
    )


def _reachable(paths: Iterable[Path], roots: Collection[Path]) -> tuple[Path, ...]:
    """Those of the paths that lie in what may be written, and what in there the links among them lead to.

    Plain text all along, for a repository of many parts has hundreds of them, and each command waits for it.
    """
    names, tops = [os.fspath(path) for path in paths], [os.fspath(root) for root in roots]
    folders = {folder: os.path.realpath(folder) for folder in {os.path.split(name)[0] for name in names}}
    ways: dict[str, None] = {}
    for name in names:
        folder, last = os.path.split(name)
        target = f"{folders[folder].rstrip('/')}/{last}"
        leads = os.path.islink(target)  # noqa: PTH114 - unlike a Path it takes a folder that is closed to us for no link
        ways |= dict.fromkeys((name, os.path.realpath(target) if leads else target))
    return tuple(Path(way) for way in ways if any(way.startswith(f"{top}/") for top in tops) and not _holds(way, tops))


def _holds(way: str, tops: list[str]) -> bool:
    """Whether the whole of something that may be written is there."""
    return any(f"{top}/".startswith(f"{way}/") for top in tops)


def guarded_paths(
    workspace: Path, more: Collection[Path], runs: Iterable[Path], told: Iterable[str]
) -> tuple[Path, ...]:
    """What commands must leave as it is of a workspace and of what `more` they may write, whether it is there or not.

    `runs` make git run something; `told` names what instructs the agent.
    """
    instructing = (*_below(workspace, PROTECTED), *(workspace / name for name in told))
    return _reachable((*instructing, *runs), (workspace, *more))


@lru_cache(64)
def _below(folder: Path, names: str) -> tuple[Path, ...]:
    """What is called so in a folder; to put a hundred paths together for each command takes longer than to look."""
    return tuple(folder / name for name in names.split())


@lru_cache(64)
def _entries(search: str) -> tuple[Path, ...]:
    """The folders of a PATH."""
    return tuple(Path(part) for part in search.split(os.pathsep) if part.startswith("/"))


def _real(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Those that exist, their links followed, without what is no path at all."""
    found = []
    for path in paths:
        with suppress(OSError, ValueError):
            name = os.fspath(path)
            os.stat(name)  # noqa: PTH116 - most don't exist, and to follow the links of those is dear
            found.append(os.path.realpath(name, strict=True))
    return tuple(map(Path, dict.fromkeys(found)))


def _named(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Those that exist, by the names they are called by as well as by their real ones."""
    given = [path for path in dict.fromkeys(paths) if path.is_absolute()]
    return tuple(dict.fromkeys((*(path for path in given if os.path.exists(path)), *_real(given))))  # noqa: PTH110 - raises nothing


def _programs(environment: Mapping[str, str], homes: Collection[Path]) -> Iterator[Path]:
    """Where programs live that a command is to find, wherever they were installed."""
    yield from (Path(sys.prefix), Path(sys.base_prefix))
    if "VIRTUAL_ENV" in environment:
        yield Path(environment["VIRTUAL_ENV"])
    for entry in _entries(environment.get("PATH", "")):
        whole = entry.name in ("bin", "sbin") and not _is_broad(entry.parent, homes)
        yield entry.parent if whole else entry


def _is_broad(folder: Path, homes: Collection[Path]) -> bool:
    """Whether to show this folder would show more than programs."""
    return folder in (*PRIVATE_TEMPORARY, *homes, Path("/"), EMPTY) or folder.parent in (Path("/"), Path("/home"))


def _homes() -> tuple[Path, ...]:
    """Every home folder of the machine."""
    with suppress(OSError):
        return (Path("/root"), *Path("/home").iterdir())
    return (Path("/root"),)


def _own_homes(environment: Mapping[str, str]) -> set[Path]:
    own = {Path(environment["HOME"])} if environment.get("HOME", "").startswith("/") else set()
    with suppress(KeyError):
        own.add(Path(pwd.getpwuid(os.getuid()).pw_dir))
    return own - {Path("/"), *PRIVATE_TEMPORARY}


def _hidden(needed: set[Path], environment: Mapping[str, str], homes: Collection[Path]) -> Iterator[Path]:
    """Credentials in the user's home, and the whole homes of others, unless something that is needed lies there."""
    own = _own_homes(environment)
    for home in {*homes, *own}:
        if home in own or any(path.is_relative_to(home) for path in needed):
            yield from _below(home, _CREDENTIALS)
        else:
            yield home
    yield from _below(Path("/"), _MACHINE_SECRETS)
    with suppress(OSError):
        yield from Path("/etc/ssh").glob("ssh_host_*_key")


def configuration(file: Path) -> tuple[Path, ...]:
    """The product's configuration: its folder where that is its own, else the file, and keys and consents beside it."""
    return (
        (file.parent,)
        if file.parent.name == "longwatch"
        else (file, file.parent / "keys", file.parent / "trusted.json")
    )
