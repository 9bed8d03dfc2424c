"""Where a session is kept: the log, its blobs and snapshots, live text, the lease, the inbox, the list of sessions.

`Journal` writes, `Reader` and `Follow` read; nothing else opens a `session.db`.
"""

from core.journal.errors import AlreadyRecorded, DiskFull, JournalError, LeaseLost
from core.journal.follow import Follow
from core.journal.inbox import Command
from core.journal.lease import Holder, Lease, LeaseHeld
from core.journal.reader import Reader
from core.journal.writer import Journal

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
