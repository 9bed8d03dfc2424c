"""A whole rehearsal from outside: its processes one after the other, and what they used."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.clock import monotonic
from core.journal.lease import holder
from core.rehearsal.befell import witness
from core.rehearsal.stage import staged_at

MOST_DEATHS = 4
"""Two are planned."""
PROGRESS, USED = "progress.txt", "used.json"
"""In the place of a rehearsal that was begun: how far it is, and what it used in the end."""
LOOK_EVERY_S = 0.2


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
        witness(staged_at(place))
        say("killed, and resumed")
    raise RehearsalFailed(f"The session of the rehearsal in {place} was killed again and again.")


def begin(place: Path) -> subprocess.Popen[bytes]:
    """Play it in a process that stays when this one and its terminal go; `follow` tells how far it is."""
    command = [sys.executable, "-P", "-m", "core.rehearsal.company", str(place)]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with (place / PROGRESS).open("ab") as progress:
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": progress, "stderr": progress}
        return subprocess.Popen(command, cwd="/", env=kept, start_new_session=True, **streams)


def until_it_runs(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Until a runner holds the session of a rehearsal that was begun, or will no more. Blocks."""
    while holder(folder) is None and not _waited(process):
        pass


def follow(place: Path, process: subprocess.Popen[bytes], say: Callable[[str], None]) -> dict[str, Any]:
    """Tell each line as it comes, until it has ended; what it used. Blocks. Raises RehearsalFailed."""
    with (place / PROGRESS).open(encoding="utf-8") as progress:
        ended = False
        while not ended:
            ended = _waited(process)
            for line in progress:
                say(line.rstrip("\n"))
    if process.returncode:
        raise RehearsalFailed(f"The rehearsal in {place} did not come to its end; {place / PROGRESS} says why.")
    used: dict[str, Any] = json.loads((place / USED).read_bytes())
    return used


def _waited(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended, after a moment."""
    try:
        process.wait(LOOK_EVERY_S)
    except subprocess.TimeoutExpired:
        return False
    return True


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


def main(place: Path) -> int:
    """Run it through, beside whoever began it."""
    try:
        used = run_through(place, lambda line: print(line, flush=True))
    except RehearsalFailed as error:
        print(error, flush=True)
        return 1
    (place / USED).write_text(json.dumps(used), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
