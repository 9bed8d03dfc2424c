"""Whether a command surely comes from the user: the agent's own commands can write into the inbox as well.

A process of the same user can write every file that the user can, and read every secret that lies in one. So what gives
the agent more than it has (an approval, a higher budget) counts only where it can't have come from the agent: from the
screen in the runner's own process, which vouches for each command in memory; by an inbox that sandboxes have hidden
from all commands so far; or, while no runner lives, from a terminal, which commands of the agent don't have.

It is no wall: without a sandbox a process of the same user can make itself a terminal, and can edit any file.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from core.approvals.policy import NOT_CONFINED, Confinement
from core.journal.inbox import Command
from core.sandbox.access import NEVER_OPENED, PRIVATE_TEMPORARY
from core.sandbox.sandbox import Confinement as Around

UNTRUSTED = (
    "This counts only from the screen of the process that runs the session, or from a terminal while none does: "
    "without a sandbox, commands of the agent could leave it in the inbox too."
)


class Vouchers:
    """Commands that this process itself sent, by their content. In memory only: there is no file to read or forge.

    `confinement` is how the agent's commands are confined, as the runner found it; `hidden`: no command of the agent's
    could ever reach the inbox.
    """

    def __init__(self, confinement: Confinement = NOT_CONFINED) -> None:
        self.confinement = confinement
        self.hidden = confinement.hides_sessions
        self._digests: set[bytes] = set()

    def vouch(self, command: Command) -> None:
        """Call it before the command is posted: the runner may take it at once."""
        self._digests.add(_digest(command))

    def trusts(self, command: Command) -> bool:
        """Whether it can't come from a command of the agent's."""
        return self.hidden or _digest(command) in self._digests


def _digest(command: Command) -> bytes:
    return hashlib.sha256(msgspec.json.encode(command, order="deterministic")).digest()


def fact_of(confinement: Around) -> Confinement:
    """How commands are confined, as approvals are judged by it."""
    if not confinement.sandbox.confines:
        return NOT_CONFINED
    settled = (*confinement.around.writable, *confinement.closed, *PRIVATE_TEMPORARY, *map(Path, NEVER_OPENED))
    return Confinement(
        True,
        confinement.sandbox.backend,
        confinement.network,
        hides_sessions=True,
        settled=tuple(os.path.realpath(path) for path in settled),
    )
