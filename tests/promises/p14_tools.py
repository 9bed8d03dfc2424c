"""P14: a command that misbehaves ends in time, leaves no process behind, and takes no memory of the agent's."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "core" / "sandbox"), str(HERE.parent / "core" / "tools")]

import psutil  # noqa: E402
from cage import Cage  # noqa: E402
from promise import Count, Promise, load  # noqa: E402

from core.sandbox.probe import find_sandbox  # noqa: E402
from core.sandbox.sandbox import Sandbox  # noqa: E402
from core.tools.crowd import how_limited  # noqa: E402

MOST_PROCESSES = 60
MOST_MB = 50
FIRST = 10_000 + 100 * os.getpid()
SLEEPS = range(FIRST, FIRST + 20)
"""Seconds that these commands sleep, by which what is left of them is known; those of nobody else."""


@dataclass(frozen=True)
class Case:
    """A command, the start of its answer, and what must be in it. `bomb`: only where processes are limited.

    `ends`: by itself, so that it is given time, however busy the machine is.
    """

    command: str
    begins: str = "exit 0"
    holds: str = ""
    bomb: bool = False
    ends: bool = True


CASES = {
    "it does not mind being told to end": Case(
        f"trap '' TERM; while :; do sleep {FIRST + 1}; done", "timed out after 1 s", ends=False
    ),
    "a grandchild holds its output": Case(
        f"(sleep {FIRST + 2} &); (trap '' TERM; sleep {FIRST + 3}; true) & echo done", holds="done"
    ),
    "a child has a session of its own": Case(
        f"setsid sh -c 'sleep {FIRST + 4} & sleep {FIRST + 5}' & sleep {FIRST + 6}", "timed out", ends=False
    ),
    "it forks without end": Case(f"b() {{ b | b & b; }}; b 2>/dev/null; sleep {FIRST + 7}", "", bomb=True, ends=False),
    "it writes 1 GB": Case("yes | head -c 1000000000", "", "characters left out"),
    "it writes a line of 50 MB": Case("head -c 50000000 /dev/zero | tr '\\0' x", holds="left out"),
    "it writes no UTF-8": Case("printf 'a\\377\\376\\200\\355\\240\\200 ok\\n'", holds=" ok"),
}
NAIVE = [name for name, case in CASES.items() if not case.bomb and "UTF-8" not in name and "GB" not in name]

Run = Callable[[Cage, Case], str]


def trial(count: int, seed: int) -> Count:
    """Case after case, by turns with the sandbox of this machine and without one."""
    return _tried(count, list(CASES), _by_tool)


def control(count: int, seed: int) -> Count:
    return _tried(count, NAIVE, _naively)


def _tried(count: int, names: list[str], run: Run) -> Count:
    found = Count()
    sandboxes = [Sandbox("none", "the other half"), *([it] if (it := find_sandbox()).confines else [])]
    with tempfile.TemporaryDirectory(prefix="hygiene-", ignore_cleanup_errors=True) as name:
        for number in range(count):
            case, sandbox = names[number % len(names)], sandboxes[number // len(names) % len(sandboxes)]
            if CASES[case].bomb and how_limited() is None:
                found.see("not tried, for processes can't be limited here")
                continue
            environment = {"PATH": os.environ["PATH"], "HOME": name}
            cage = Cage(Path(name) / str(number), sandbox, environment, {"most_processes": MOST_PROCESSES})
            found.note(f"{case} ({sandbox.backend}): {problem}" for problem in _problems(CASES[case], cage, run))
    found.see("MB of memory at most", _peak_mb())
    return found


def _problems(case: Case, cage: Cage, run: Run) -> Iterator[str]:
    before = _peak_mb()
    try:
        said = run(cage, case)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    if not said.startswith(case.begins) or case.holds not in said:
        yield f"it said {said[:100]!r}"
    if (grown := _peak_mb() - before) > MOST_MB:
        yield f"{grown} MB more memory"
    left, zombies = _left(), _zombies()
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    if left or zombies:
        yield f"{len(left)} processes and {zombies} zombies are left"


def _by_tool(cage: Cage, case: Case) -> str:
    """As a session runs it."""
    return asyncio.run(cage(case.command, timeout=60 if case.ends else 1)).content


def _naively(cage: Cage, case: Case) -> str:
    """As one runs a command at first: its output in memory, its end by a time-out of the child alone."""
    process = subprocess.Popen(
        ["bash", "-c", case.command], cwd=cage.workspace, stdout=subprocess.PIPE, env=cage.environment, text=True
    )
    out: Any = ""
    try:
        out, _ = process.communicate(timeout=1.5)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
    return f"exit {process.returncode}\n{out}"


def _left() -> list[psutil.Process]:
    """What of these commands still lives, however it hides; the kernel has a moment to end what was in a sandbox."""
    wanted = [["sleep", str(seconds)] for seconds in SLEEPS]
    found = [it for it in psutil.process_iter(["cmdline"]) if it.info["cmdline"] in wanted]
    _, alive = psutil.wait_procs(found, timeout=load())
    return alive


def _zombies() -> int:
    mine = psutil.Process().children()
    return sum(it.status() == psutil.STATUS_ZOMBIE for it in mine if it.is_running())


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


PROMISE = Promise(
    id="P14",
    says="A command that ignores signals, forks without end, hides in a session of its own or writes 1 GB ends in time "
    "and leaves no process and no memory taken",
    unit="commands",
    aim=2 * len(CASES) * 50,
    shard=2 * len(CASES) * 5,
    quick=len(CASES),
    trial=trial,
    control=control,
    control_says="`subprocess` with a time-out",
    quick_control=len(NAIVE),
)
