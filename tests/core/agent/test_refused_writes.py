"""A write that the disk refuses after nobody waits for it any more."""

import asyncio
import contextlib
import gc

from core.agent.desk import Desk
from core.clock import VirtualClock
from core.events import Draft, SessionPaused
from core.journal.errors import DiskFull
from core.workspace.none import NoSnapshots


class RefusingJournal:
    """Keeps everybody waiting, then has no room."""

    def __init__(self):
        self.asked, self.refuse = asyncio.Event(), asyncio.Event()

    async def append(self, *drafts, blobs=()):
        self.asked.set()
        await self.refuse.wait()
        raise DiskFull("no room")


async def test_it_is_not_cried_out_on_stderr(tmp_path):
    cried, journal = [], RefusingJournal()
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: cried.append(context))
    desk = Desk(tmp_path, journal, NoSnapshots(), VirtualClock())
    writing = asyncio.create_task(desk.append(Draft(SessionPaused(reason="operator"), actor="user")))
    await journal.asked.wait()
    writing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await writing
    journal.refuse.set()
    for _ in range(5):
        await asyncio.sleep(0)
    gc.collect()
    assert not cried
