"""Taking a seat at a session: its journal under the lease, its facts read from the log, its workspace looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

from core.agent.desk import Desk
from core.agent.trust import Vouchers
from core.clock import Clock
from core.events import IMPORTED, SessionOpened
from core.journal.errors import JournalError
from core.journal.lease import Lease, taken
from core.journal.reader import Reader
from core.journal.schema import CAME
from core.journal.writer import Journal
from core.version import app_version
from core.workspace.none import NoSnapshots
from core.workspace.snapshots import Snapshots, open_snapshots
from core.workspace.treewatch import tree_watch

READ_CHUNK = 2000


@asynccontextmanager
async def seated(
    folder: Path, clock: Clock, vouchers: Vouchers | None = None, *, brief: bool = False
) -> AsyncIterator[tuple[Desk, Lease]]:
    """A desk with its facts read from the log, under the lease; `brief`: for a moment, to run nothing.

    Raises LeaseHeld or JournalError.
    """
    with await taken(folder, app_version(), brief=brief) as lease, ExitStack() as holding:
        async with await Journal.open(folder, clock, lease=lease) as journal:
            with Reader(folder) as reader:
                snapshots = _snapshots(folder, await _opening(reader), holding)
                desk = Desk(folder, journal, snapshots, clock, vouchers, reader.within)
                await _catch_up(desk, reader)
                desk.vouchers.hidden = not desk.facts.state.exposed
                yield desk, lease


async def _opening(reader: Reader) -> SessionOpened:
    first = await asyncio.to_thread(reader.event, 1)
    if first is None or not isinstance(first.body, SessionOpened):
        raise JournalError(f"The session in {reader.folder} was never opened: its journal has no first event.")
    return first.body


def _snapshots(folder: Path, opened: SessionOpened, holding: ExitStack) -> Snapshots:
    """Of the workspace; none where the session came from elsewhere, for its files are not here."""
    if opened.profile == IMPORTED or (folder / CAME).exists():
        return NoSnapshots()
    workspace = Path(opened.workspace)
    return open_snapshots(workspace, folder, holding.enter_context(closing(tree_watch(workspace))))


async def _catch_up(desk: Desk, reader: Reader) -> None:
    after = 0
    while batch := await asyncio.to_thread(reader.events, after, READ_CHUNK):
        desk.facts.apply_all(batch)
        after = batch[-1].seq
        await asyncio.sleep(0)
