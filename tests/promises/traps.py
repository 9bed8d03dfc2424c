"""Moments of an agent's life at which it can be killed, found from outside: the product holds no hook of its own.

`armed` puts a trap at the seams of the product in this process, which is a fork made for it alone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from core.agent.delegation import Delegation
from core.journal.project_memory import ProjectMemory
from core.journal.store import Store
from core.models.wire import Wire
from core.tools import edit
from core.tools.jobs import Job
from core.workspace.objects import ObjectStore
from core.workspace.restore import Restorer
from core.workspace.snapshots import CopyStore

COMMITTED = (
    *("runner.attached", "model.requested", "model.responded", "tool.started", "tool.finished", "checkpoint.made"),
    *("command.accepted", "command.done", "context.compressed", "head.moved", "memory.written", "session.finished"),
)
"""Events whose commit is a moment of its own: just before it, and just after."""
SEAMS: tuple[tuple[str, Any, str], ...] = (
    ("the spawn of a command", Job, "spawn"),
    ("a replaced file", edit, "replace_file"),
    ("a snapshot", CopyStore, "snapshot"),
    ("a kept file of a snapshot", ObjectStore, "put_file"),
    ("a kept tree of a snapshot", ObjectStore, "write_tree"),
    ("a restore", CopyStore, "restore"),
    ("a file of a restore", Restorer, "_attempt"),
    ("a memory of the project", ProjectMemory, "sync"),
    ("the founding of a delegated session", Delegation, "_found"),
    ("the life of a delegated session", Delegation, "_supervised"),
)
BELOW = ("model.requested", "model.responded", "tool.started", "tool.finished", "session.finished")
"""The same in the log of a delegated session."""
DELTAS = ("the first delta", "the middle of a call's arguments", "the last delta")
MOMENTS = (
    *(f"{when} the commit of {kind}" for kind in COMMITTED for when in ("before", "after")),
    *(f"{when} {what}" for what, owner, _ in SEAMS if owner is not Delegation for when in ("before", "after")),
    *DELTAS,
)
OF_DELEGATION = (
    *(f"{when} {what}" for what, owner, _ in SEAMS if owner is Delegation for when in ("before", "after")),
    *(f"{when} the commit of {kind} below" for kind in BELOW for when in ("before", "after")),
    *(f"{when} the commit of model.consulted" for when in ("before", "after")),
)
"""Moments that only come where a part of the task is handed on."""


@dataclass(slots=True)
class Trap:
    """Kills this process when `moment` is reached for the `nth` time."""

    moment: str
    nth: int

    def reach(self, moment: str) -> None:
        if moment == self.moment:
            self.nth -= 1
            if self.nth == 0:
                os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def armed(trap: Trap, folder: Path) -> Iterator[None]:
    """The product with the trap in it; a log elsewhere than in `folder` is that of a delegated session."""
    with ExitStack() as stack:
        for what, owner, name in SEAMS:
            stack.enter_context(patch.object(owner, name, _around(getattr(owner, name), what, trap)))
        stack.enter_context(patch.object(Store, "commit", _commit(Store.commit, trap, folder)))
        stack.enter_context(patch.object(Wire, "stream", _stream(Wire.stream, trap)))
        yield


def _around(original: Callable[..., Any], what: str, trap: Trap) -> Callable[..., Any]:
    """A function, or what gives something to await, between its two moments."""

    def plain(*given: Any, **named: Any) -> Any:
        trap.reach(f"before {what}")
        result = original(*given, **named)
        if hasattr(result, "__await__"):
            return _awaited(result, what, trap)
        trap.reach(f"after {what}")
        return result

    return plain


async def _awaited(result: Any, what: str, trap: Trap) -> Any:
    value = await result
    trap.reach(f"after {what}")
    return value


def _commit(original: Callable[..., Any], trap: Trap, folder: Path) -> Callable[..., Any]:
    async def commit(store: Any, batch: Any, blobs: Any, tail: Any) -> None:
        batch, where = list(batch), "" if store.folder == folder else " below"
        for row in batch:
            trap.reach(f"before the commit of {row.kind}{where}")
        await original(store, batch, blobs, tail)
        for row in batch:
            trap.reach(f"after the commit of {row.kind}{where}")

    return commit


def _stream(original: Callable[..., Any], trap: Trap) -> Callable[..., Any]:
    async def stream(wire: Any, body: Any, on_delta: Callable[[Any], None]) -> Any:
        heard = []

        def hear(delta: Any) -> None:
            on_delta(delta)
            heard.append(delta.kind)
            if len(heard) == 1:
                trap.reach(DELTAS[0])
            if heard.count("tool") == 2:
                trap.reach(DELTAS[1])

        reply = await original(wire, body, hear)
        trap.reach(DELTAS[2])
        return reply

    return stream
