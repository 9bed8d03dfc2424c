"""Another machine ("box") by the system's ssh: how a longwatch is begun there, and what it means when that fails.

Users, ports, keys and jumps are for `~/.ssh/config`, which knows them already. Nothing of a session stands in a command
line there: what is asked is written to the remote longwatch's standard input.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.config import Config
from core.folds.words import one_line
from core.journal.errors import JournalError

CONNECT_S: Final = 8
"""Seconds that ssh may take to reach a box."""
SSH_FAILED, NOT_FOUND = 255, 127
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:%\[\]-]{0,252}")
WOULD_ASK: Final = re.compile(rb"(?i)denied|verification failed")
"""What ssh says where it would have asked somebody."""
_LONGEST_REASON: Final = 160
# A command that ssh runs sees no login files, and so often not the folder where pipx and uv put programs.
_FOUND: Final = """sh -c 'PATH="$PATH:$HOME/.local/bin" exec longwatch "$@"' longwatch"""


@dataclass(frozen=True, slots=True)
class Box:
    """A machine: `name` as the user says it, `host` as ssh takes it, `command` as a shell there begins longwatch."""

    name: str
    host: str
    command: str = _FOUND

    def line(self, *words: str, batch: bool) -> list[str]:
        """The command line by which ssh runs `longwatch WORDS` there. `batch`: nobody is here to be asked anything.

        The words are ours, never a user's: a shell on the other side reads them.
        """
        options = ["-T", "-o", f"ConnectTimeout={CONNECT_S}", "-o", "ServerAliveInterval=10"]
        options += ["-o", "ServerAliveCountMax=3", *(["-o", "BatchMode=yes"] if batch else [])]
        return ["ssh", *options, "--", self.host, " ".join([self.command, *words])]


def box_named(name: str, config: Config) -> Box:
    """The box of that name: as `[boxes.NAME]` says, else what ssh itself knows by it. Raises JournalError."""
    said = config.boxes.get(name)
    host = said.host if said and said.host else name
    for text in (name, host):
        if not _NAME.fullmatch(text):
            raise JournalError(
                f"{one_line(text, 60)!r} is no name of a machine; say it as you would to ssh: USER@HOST."
            )
    return Box(name, host, said.command if said and said.command else _FOUND)


def from_where(who: str, environ: Mapping[str, str]) -> str:
    """On a box: who it is that came by ssh, in their own words, and where ssh says that they come from."""
    client = environ.get("SSH_CONNECTION", "").split(" ")[0]
    return one_line(who, 120) + (f" from {one_line(client, 60)}" if client else "")


def problem(box: Box, code: int | None, errors: bytes) -> str:
    """Why longwatch on a box gave no answer, in a sentence; `code` is what ssh ended with, `errors` what it said."""
    lines = [
        text
        for line in errors[-8192:].decode("utf-8", "replace").splitlines()
        if (text := one_line(line, _LONGEST_REASON))
    ]
    reason = lines[-1].rstrip(".") if lines else ""
    if code == NOT_FOUND:
        where = f'[boxes."{box.name}"] command = "/path/to/longwatch" in the configuration says where it is'
        return f"no longwatch was found there; {where}."
    if code == SSH_FAILED and WOULD_ASK.search(errors):
        settles = f"`ssh {box.host}` at a terminal shows what; a key, and the host's in known_hosts, settle it"
        return f"it can't be reached, for ssh would have to ask ({reason}); {settles}."
    if code == SSH_FAILED:
        return f"it can't be reached ({reason or 'ssh does not say why'})."
    if "no command 'box'" in reason:
        return "its longwatch is older than this one and can't be attached to from here; update it there."
    if code is not None and code < 0:
        return f"ssh was ended by signal {-code}."
    return f"longwatch there ended with {code} ({reason or 'it does not say why'})."
