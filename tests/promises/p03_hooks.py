"""P3: killed at a named moment, once or twice on the way, a session resumes: no effect twice, no result lost."""

from __future__ import annotations

import asyncio
import itertools
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from forked import finish
from labour import KINDS, Labour, turn
from promise import Count, Promise
from traps import MOMENTS, OF_DELEGATION, Trap, armed

from core.tools.base import RERUN, Outcome
from core.tools.command import RunCommand

TURNS = 8
KILLED = -9
FIRST = (
    ("after the commit of head.moved", "write", 1),
    ("after a file of a restore", "write", 1),
    ("after the founding of a delegated session", "delegate", 1),
    ("before the commit of tool.finished below", "delegate", 2),
    ("after the life of a delegated session", "delegate", 2),
)
"""Tried by every shard: moments at which an order was once carried out twice, for its end was not in the transaction of
its effect; and between a call and the session that it begins, inside that one, between its end and the result."""
CASES = (*itertools.product(MOMENTS, (*KINDS, "delegate")), *((moment, "delegate") for moment in OF_DELEGATION))


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


def cases(seed: int) -> Iterator[tuple[str, str, int]]:
    """Every moment with every kind of call, and for which occurrence of the moment the trap waits."""
    pick = random.Random(seed)
    every = list(CASES)
    pick.shuffle(every)
    yield from FIRST
    for moment, kind in itertools.cycle(every):
        yield moment, kind, pick.choice((1, 1, 2, 3))


def trial(count: int, seed: int) -> Count:
    """`count` sessions, each killed at one moment; `missed` are those in which the moment never came."""
    found = Count()
    for moment, kind, nth in itertools.islice(cases(seed), count):
        _one(found, moment, kind, nth, ())
    return found


def control(count: int, seed: int) -> Count:
    """Commands that are simply run again when their result is not there."""
    found, pick = Count(), random.Random(seed)
    for _ in range(count):
        _one(found, "before the commit of tool.finished", "command", pick.choice((1, 2, 3)), (NaiveCommand(),))
    return found


def _one(found: Count, moment: str, kind: str, nth: int, tools: tuple[Any, ...]) -> None:
    with tempfile.TemporaryDirectory(prefix="moments-") as place:
        labour = Labour(Path(place))
        script = [turn(kind if number % 3 else "command", number) for number in range(TURNS)]
        script[5] = turn("write", 5)
        assert finish(lambda: labour.begin(script), labour.log) == 0
        code = finish(_trapped(labour, Trap(moment, nth), tools), labour.log)
        found.see("kills" if code == KILLED else "moments that did not come")
        problems = labour.damage()
        if code == KILLED:  # and once more, in the middle of the recovery, or soon after it
            again = Trap(moment, 1) if nth == 1 else Trap("before the commit of runner.recovered", 1)
            code = finish(_trapped(labour, again, tools), labour.log)
            found.see("kills", code == KILLED)
            problems += labour.damage()
        if code == KILLED:
            code = finish(lambda: labour.agent(tools), labour.log)
        if code:
            problems.append(f"it ended with {code}: {labour.log.read_text()[-300:]}")
        found.note(f"{moment} (occurrence {nth}, {kind}): {problem}" for problem in problems or labour.problems())


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
    unit="sessions",
    aim=100 * len(CASES),
    shard=len(MOMENTS) + len(OF_DELEGATION),
    quick=8,
    trial=trial,
    control=control,
    control_says="commands run again when their result is missing",
    quick_control=3,
)
