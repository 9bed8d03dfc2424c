"""A new session: its folder and its first events, there whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from core.clock import Clock
from core.events import Draft, SessionOpened
from core.journal.errors import JournalError
from core.journal.lease import acquire
from core.journal.writer import Journal
from core.private import make_private


async def found(folder: Path, opened: SessionOpened, clock: Clock, *first: Draft) -> None:
    """Make the session `opened` in `folder`, with `first` after it. Raises JournalError."""
    home = folder.parent.parent
    try:
        make_private(folder.parent)
        with tempfile.TemporaryDirectory(prefix=".founding-", dir=home, ignore_cleanup_errors=True) as place:
            draft = Path(place) / folder.name
            draft.mkdir(mode=0o700)
            with acquire(draft) as lease:
                async with await Journal.create(draft, clock, session=opened.session, lease=lease) as journal:
                    await journal.append(Draft(opened, actor="user"), *first)
            draft.rename(folder)
    except OSError as error:
        raise JournalError(f"No session can be kept in {home}: {error.strerror}; choose another --home.") from error
