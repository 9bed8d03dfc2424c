"""Where a session is kept: the log, its blobs and snapshots, live text, the lease, the inbox, the list of sessions.

`Journal` writes, `Reader` and `Follow` read; nothing else opens a `session.db`. Who only reads does not load the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.journal.errors import AlreadyRecorded, DiskFull, JournalError, LeaseLost
    from core.journal.follow import Follow
    from core.journal.inbox import Command
    from core.journal.lease import Holder, Lease, LeaseHeld
    from core.journal.reader import Reader
    from core.journal.writer import Journal

_ROOMS = {
    **dict.fromkeys(("AlreadyRecorded", "DiskFull", "JournalError", "LeaseLost"), "errors"),
    **dict.fromkeys(("Holder", "Lease", "LeaseHeld"), "lease"),
    "Follow": "follow",
    "Command": "inbox",
    "Reader": "reader",
    "Journal": "writer",
}

__all__ = [
    "AlreadyRecorded",
    "Command",
    "DiskFull",
    "Follow",
    "Holder",
    "Journal",
    "JournalError",
    "Lease",
    "LeaseHeld",
    "LeaseLost",
    "Reader",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__} has no {name}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
