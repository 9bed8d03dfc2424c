"""P3: killed at a named moment, once or twice on the way, a session resumes: no effect twice, no result lost."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from forked import finish
from labour import KINDS, Labour, turn
from promise import Count, Promise, scratch
from traps import MOMENTS, OF_DELEGATION, Trap, armed

from core.tools.base import RERUN, Outcome
from core.tools.command import RunCommand

TURNS = 8
KILLED = -9


class Case(NamedTuple):
    """A session whose calls are of that kind, killed when the moment comes for the `nth` time in a life."""

    moment: str
    kind: str
    nth: int


FIRST = (
    Case("after the commit of head.moved", "write", 1),
    Case("after a file of a restore", "write", 1),
    Case("after the founding of a delegated session", "delegate", 1),
    Case("before the commit of tool.finished below", "delegate", 2),
    Case("after the life of a delegated session", "delegate", 2),
)
"""Tried by every shard: moments at which an order was once carried out twice, for its end was not in the transaction of
its effect; and between a call and the session that it begins, inside that one, between its end and the result."""
CASES = (*itertools.product(MOMENTS, (*KINDS, "delegate")), *((moment, "delegate") for moment in OF_DELEGATION))

ONCE = re.compile(r"runner\.attached|session\.finished$|memory|compressed|head\.moved|restore")
"""Of moments that come once in a life, or seldom more often, the first."""


class NaiveCommand(RunCommand):
    """A command as a child of the agent, run again when there is no result: what most agents do."""

    async def run(self, arguments: Any, context: Any) -> Outcome:
        line = f"export LONGWATCH_JOB={context.jobs}/{context.call}; {arguments.command}"
        done = await asyncio.to_thread(
            subprocess.run, ["bash", "-c", line], cwd=context.workspace, capture_output=True, text=True
        )
        return Outcome(done.stdout, ok=done.returncode == 0, exit_code=done.returncode)

    async def recover(self, arguments: Any, intent: Any, context: Any) -> Any:
        return RERUN


def cases(seed: int) -> Iterator[Case]:
    """Every moment with every kind of call, kind by kind, and for which occurrence of the moment the trap waits."""
    pick = random.Random(seed)
    yield from FIRST
    done = {(case.moment, case.kind) for case in FIRST}
    while True:
        every = [it for it in CASES if it not in done]
        pick.shuffle(every)
        for moment, kind in sorted(every, key=lambda it: it[1]):
            yield Case(moment, kind, 1 if ONCE.search(moment) else pick.choice((1, 1, 2, 3)))
        done = set()


def trial(count: int, seed: int) -> Count:
    """`count` cases in as many sessions as they need: one is killed again and again until it ends."""
    found = Count()
    for _, same in itertools.groupby(itertools.islice(cases(seed), count), key=lambda case: case.kind):
        _tried(found, deque(same), ())
    return found


def control(count: int, seed: int) -> Count:
    """Commands that are simply run again when their result is not there; a session for each."""
    found, pick = Count(), random.Random(seed)
    for _ in range(count):
        case = Case("before the commit of tool.finished", "command", pick.choice((1, 2, 3)))
        _tried(found, deque([case]), (NaiveCommand(),))
    return found


def _tried(found: Count, left: deque[Case], tools: tuple[Any, ...]) -> None:
    while left:
        with scratch("moments-") as place:
            _one_session(found, Labour(place), left, tools)


def _one_session(found: Count, labour: Labour, left: deque[Case], tools: tuple[Any, ...]) -> None:
    """Take cases for as long as the session goes on, let it end, judge it.

    A moment that does not come in what is left of a session gets one of its own.
    """
    kind = left[0].kind
    script = [turn(kind if number % 3 else "command", number) for number in range(TURNS)]
    script[5] = turn("write", 5)
    assert finish(lambda: labour.begin(script), labour.log) == 0
    tried: list[Case] = []
    problems: list[str] = []
    code: int | str = KILLED
    while left and code == KILLED and not problems:
        case = left[0]
        code = finish(_trapped(labour, Trap(case.moment, case.nth), tools), labour.log)
        problems += labour.damage()
        if code == KILLED or not tried:
            tried.append(left.popleft())
            found.see("kills" if code == KILLED else "moments that did not come")
        if code == KILLED:
            code = finish(_trapped(labour, _again(case), tools), labour.log)
            found.see("kills", code == KILLED)
            problems += labour.damage()
    if code == KILLED:
        code = finish(lambda: labour.agent(tools), labour.log)
    if code:
        problems.append(labour.end(code))
    killed = "; ".join(f"{case.moment} ({case.nth})" for case in tried)
    found.note([f"{kind}, {killed}: {problem}" for problem in problems or labour.problems()], tried=len(tried))
    found.see("sessions")


def _again(case: Case) -> Trap:
    """Where the next life ends: in the middle of the recovery, or soon after it."""
    return Trap(case.moment, 1) if case.nth == 1 else Trap("before the commit of runner.recovered", 1)


def _trapped(labour: Labour, trap: Trap, tools: tuple[Any, ...]) -> Callable[[], int]:
    def agent() -> int:
        with armed(trap, labour.folder):
            return labour.agent(tools)

    return agent


PROMISE = Promise(
    id="P3",
    says=f"Killed at each of {len(MOMENTS) + len(OF_DELEGATION)} moments (around every commit, spawn, file, snapshot, "
    "restore, delegated session, inside a reply), twice in a row: no effect happens twice, no result is lost, the "
    "session resumes",
    unit="cases",
    aim=100 * len(CASES),
    shard=len(CASES),
    quick=8,
    trial=trial,
    control=control,
    control_says="commands run again when their result is missing",
    quick_control=3,
)
