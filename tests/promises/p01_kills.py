"""P1: an agent that is killed at random moments loses nothing that it had told anybody, and goes on."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from unittest.mock import patch

from forked import finish, fork, kill, wait
from labour import KINDS, Labour, turn
from promise import Count, Promise, scratch

from core.journal.store import Store

TURNS = 16
LONGEST_S = 0.5
"""A kill comes within this time from the fork: imports done, that is several turns of work."""
KILLS = 12
"""Of one session; then it may end."""


def trial(count: int, seed: int) -> Count:
    return _kill(count, seed, lambda labour: labour.agent)


def control(count: int, seed: int) -> Count:
    """An agent that tells of events before they are on disk."""
    return _kill(count, seed, _hasty)


def _kill(count: int, seed: int, agent: Callable[[Labour], Callable[[], int]]) -> Count:
    pick, found = random.Random(seed), Count()
    while found.tried < count:
        with scratch("kills-") as place:
            labour = Labour(place)
            script = [turn(pick.choice(KINDS), number) for number in range(TURNS)]
            assert finish(lambda labour=labour, script=script: labour.begin(script), labour.log) == 0
            _one_session(labour, agent(labour), min(KILLS, count - found.tried), pick, found)
    return found


def _one_session(labour: Labour, agent: Callable[[], int], kills: int, pick: random.Random, found: Count) -> None:
    for _ in range(kills):
        pid = fork(agent, labour.log)
        code = wait(pid, pick.uniform(0.0, LONGEST_S))
        if code is not None:
            break
        kill(pid)
        found.note(labour.damage())
    else:
        code = finish(agent, labour.log)
    found.see("sessions")
    found.see("events", len(labour.events()))
    problems = [] if code == 0 else [labour.end(code)]
    found.note([*problems, *labour.problems()], tried=0)


def _hasty(labour: Labour) -> Callable[[], int]:
    commit = Store.commit

    async def early(store, batch, blobs, tail):
        labour.acknowledge(tail.seq)
        await asyncio.sleep(0.05)  # a slow disk
        await commit(store, batch, blobs, tail)

    def agent() -> int:
        with patch.object(Store, "commit", early):
            return labour.agent()

    return agent


PROMISE = Promise(
    id="P1",
    says="Killed at any moment (`kill -9`), a session has lost no event that anybody was told of, and resumes",
    unit="kills",
    aim=10_000,
    shard=200,
    quick=12,
    trial=trial,
    control=control,
    control_says="an agent that tells of events before they are on disk",
    quick_control=15,
)
