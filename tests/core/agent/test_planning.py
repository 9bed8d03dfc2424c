"""A compression is planned beside the event loop: a screen, an inbox and a running tool don't wait for it."""

import asyncio
import threading

from core.agent.desk import Desk
from core.clock import SystemClock
from core.events import BookmarkAdded, Draft
from core.request.compression import NothingToCompress, Wish

ENOUGH_S = 10.0


def test_the_loop_goes_on_while_a_compression_is_planned(tmp_path):
    async def planned():
        desk, ticked = Desk(tmp_path, None, None, SystemClock()), threading.Event()

        def plan(wish):
            raise NothingToCompress("it went on" if ticked.wait(ENOUGH_S) else "it stood still")

        desk.thrift.plan = plan
        asyncio.get_running_loop().call_soon(ticked.set)
        return await desk.compress(Wish())

    assert asyncio.run(planned()) == "it went on"


def test_nothing_is_appended_while_the_facts_are_read(tmp_path):
    async def planned():
        desk, reached, said = Desk(tmp_path, None, None, SystemClock()), threading.Event(), []

        class Journal:
            async def append(self, *drafts, blobs):
                said.append("appended")
                return []

        def plan(wish):
            reached.wait(ENOUGH_S)
            said.append("planned")
            raise NothingToCompress("")

        desk.journal, desk.thrift.plan = Journal(), plan
        compressing = asyncio.create_task(desk.compress(Wish()))
        await asyncio.sleep(0)
        appending = asyncio.create_task(desk.append(Draft(BookmarkAdded(text=""))))
        await asyncio.sleep(0)
        reached.set()
        await asyncio.gather(compressing, appending)
        return said

    assert asyncio.run(planned()) == ["planned", "appended"]
