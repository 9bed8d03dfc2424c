"""What other processes do, seen from a test: those that a job left behind, and waiting for what one will do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from core.tools.jobs import MARK


def eventually(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait in real time for something another process does; fails when it never happens."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
    return answer


def survivors(folder: Path) -> list[str]:
    """Command lines of living processes that carry a job's mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK, "").startswith(str(folder)):
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
