"""Processes that begin with everything imported: forked from this one, which has no loop and no thread.

A start of the interpreter with its imports costs a second; a fork costs milliseconds, and is killed just as dead.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from promise import delayed_s

import core.agent.host
import core.models.client
import core.models.prices
import core.session
import core.simulator.policies
import core.simulator.server  # noqa: F401
from core.constraints.reading import constraints_in
from core.events import decode_body, kinds
from core.tools.registry import builtin_tools, schemas
from core.version import app_version

LATE = ("anyio._backends._asyncio", "httpcore2", "truststore", "uvicorn.lifespan.off")
"""What libraries import only when they are first used."""
PATIENCE_S = 120.0
BROKE = 70
"""Exit code of a child that ended with an exception."""


def _warm() -> None:
    """Do once what every child would do anew in its first moments, a tenth of a second each time."""
    for name in LATE:
        importlib.import_module(name)
    constraints_in("Do the steps.")
    schemas(builtin_tools())
    app_version()
    for kind in kinds():
        decode_body(kind, "{}")


_warm()


def fork(main: Callable[[], int], log: Path) -> int:
    """Begin `main` in a child, whose words go to `log`; its pid."""
    assert threading.active_count() == 1, "a fork would copy the locks of other threads"
    gc.freeze()
    if pid := os.fork():
        return pid
    code = BROKE
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        code = main()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def aside(work: Callable[[], str]) -> str:
    """What `work` comes to in a child, so that it changes nothing here; what it raises is its answer."""
    reading, writing = os.pipe()
    gc.freeze()
    if not (pid := os.fork()):
        try:
            said = work()
        except BaseException:
            said = traceback.format_exc()
        with os.fdopen(writing, "w", errors="replace") as out:
            out.write(said)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    return said


def wait(pid: int, seconds: float = PATIENCE_S) -> int | None:
    """The exit code of a child (negative: the signal that killed it), None when it still runs after so long.

    Time in which it only waited for a processor does not count: a busy machine is no fault of it.
    """
    end, pause = time.monotonic() + seconds, 0.0005
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if (left := end + delayed_s(pid) - time.monotonic()) <= 0:
            return None
        time.sleep(min(left, pause))
        pause = min(pause * 1.5, 0.01)


def kill(pid: int) -> None:
    """End a child at once, with no chance to say anything."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def finish(main: Callable[[], int], log: Path) -> int | str:
    """Run a child to its end: its exit code, or what is known about a child that hung."""
    pid = fork(main, log)
    code = wait(pid)
    if code is None:
        kill(pid)
        return f"hung for {PATIENCE_S:g} s"
    return code
