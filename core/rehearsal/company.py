"""A whole rehearsal from outside: its processes one after the other, and what they used."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.clock import monotonic

MOST_DEATHS = 4
"""Two are planned."""


class RehearsalFailed(Exception):
    """A rehearsal that did not come to its end; one sentence."""


def run_through(place: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Play what was prepared in `place` to its end; what it used. Blocks. Raises RehearsalFailed."""
    began, before = monotonic(), _cpu()
    for _ in range(MOST_DEATHS):
        code = _process(place, say)
        if code == 0:
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            return {"wall_s": monotonic() - began, "cpu_s": _cpu() - before, "memory_mb": used.ru_maxrss / 1024}
        if code != -signal.SIGKILL:
            raise RehearsalFailed(f"The session of the rehearsal in {place} ended with {code}; its log says why.")
        say("killed, and resumed")
    raise RehearsalFailed(f"The session of the rehearsal in {place} was killed again and again.")


def _process(place: Path, say: Callable[[str], None]) -> int:
    command = [sys.executable, "-P", "-m", "core.rehearsal", str(place)]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environ = kept | {"PYTHONHASHSEED": "0"}
    with subprocess.Popen(command, cwd="/", env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            say(line.rstrip("\n"))
        return process.wait()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
