"""A promise, how often it was tried, and the file in which the counts of all runs add up.

A promise is tried in shards: each has a seed of its own, so that a full run is many shards over as many hours as it
takes, on one machine or on several, and no two of them try the same thing. Beside each promise stands a negative
control: the same trial on something that does not keep the promise, which has to be caught.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import platformdirs


@dataclass(slots=True)
class Count:
    """What a shard came to. `broken`: how many of the `tried` did not keep the promise, `examples` says how.

    `seen` counts what else is worth knowing, summed over shards; of names that end in "at most" the largest is kept.
    """

    tried: int = 0
    broken: int = 0
    seen: dict[str, float] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def note(self, problems: Iterable[str], tried: int = 1) -> None:
        """One more trial, with what was wrong in it."""
        found = list(problems)
        self.tried += tried
        self.broken += bool(found)
        self.examples += found[: max(0, 5 - len(self.examples))]

    def see(self, name: str, amount: float = 1) -> None:
        before = self.seen.get(name, 0)
        self.seen[name] = max(before, amount) if name.endswith("at most") else before + amount


MEMORY, ROOM = Path("/dev/shm"), 2 << 30
"""Where files are kept in memory, and how many bytes must be free there."""


@contextmanager
def scratch(prefix: str) -> Iterator[Path]:
    """A folder for a trial of which the disk is no part: in memory where there is room, for a disk's `fsync` is what
    nearly all of its time would go to."""
    there = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(prefix=prefix, dir=MEMORY if there else None, ignore_cleanup_errors=True) as name:
        yield Path(name)


Trial = Callable[[int, int], Count]
"""Tries so often, with that seed."""


@dataclass(frozen=True, slots=True)
class Promise:
    """`says` in the words of the README; `unit` is what is counted; `aim` how many a full run tries.

    `shard` is how many one shard tries; `quick` and `quick_control` what every run of the tests tries.
    """

    id: str
    says: str
    unit: str
    aim: int
    shard: int
    quick: int
    trial: Trial
    control: Trial
    control_says: str
    quick_control: int

    def run(self, count: int, seed: int, *, control: bool = False) -> dict[str, Any]:
        """Try a shard; its row for the results file, with the seconds that it took and how many of them of CPU."""
        began, used = time.monotonic(), _cpu_s()
        found = (self.control if control else self.trial)(count, seed)
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "promise": self.id,
            "control": control,
            "seed": seed,
            "tried": found.tried,
            "broken": found.broken,
            "seconds": round(time.monotonic() - began, 1),
            "cpu_s": round(_cpu_s() - used, 1),
            "seen": found.seen,
            "examples": found.examples,
        }


def delayed_s(pid: int) -> float:
    """For how long the threads of a process have waited for a processor; 0 where nobody can tell."""
    try:
        return sum(int(it.read_text().split()[1]) for it in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
    except (OSError, IndexError):
        return 0.0


def load() -> float:
    """By how much slower a busy machine may be."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _cpu_s() -> float:
    """Of this process and of those that it has waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def results_file() -> Path:
    """Where results add up when no other file is named: outside the repository."""
    named = os.environ.get("LONGWATCH_PROMISES")
    return Path(named) if named else platformdirs.user_state_path("longwatch") / "promises.jsonl"


def add(file: Path, row: dict[str, Any]) -> None:
    """Add a row; rows of several processes do not mix."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")


def rows(file: Path) -> list[dict[str, Any]]:
    """Every row so far; none when there is no file."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def total(found: Iterable[dict[str, Any]]) -> Count:
    """The sum of rows."""
    count = Count()
    for row in found:
        count.tried += row["tried"]
        count.broken += row["broken"]
        count.examples += row["examples"]
        for name, amount in row["seen"].items():
            count.see(name, amount)
    return count


def table(promises: Iterable[Promise], found: list[dict[str, Any]]) -> str:
    """The README's table: what was promised, what was really tried and found, and whether the test can fail."""
    lines = ["| | promised | tried | broken | the control: caught |", "|---|---|---|---|---|"]
    for promise in promises:
        tried = total(_trials(promise, found))
        control = total(row for row in found if row["promise"] == promise.id and row["control"])
        seen = "".join(f", {_number(amount)} {name}" for name, amount in sorted(tried.seen.items()))
        aim = "" if tried.tried >= promise.aim else f" of {promise.aim:,}"
        lines.append(
            f"| {promise.id} | {promise.says} | {tried.tried:,}{aim} {promise.unit}{seen} | {tried.broken:,} | "
            f"{promise.control_says}: {_caught(control)} |"
        )
    return "\n".join(lines)


def missing(promise: Promise, found: Iterable[dict[str, Any]]) -> int:
    """How many are left to try of a full run."""
    return max(0, promise.aim - total(_trials(promise, found)).tried)


def left(promises: Iterable[Promise], found: list[dict[str, Any]]) -> str:
    """What is left to try, and how long that takes by what was measured so far."""
    lines = [f"{'':<5}{'left':>9} {'of':>9} {'ms a try':>9} {'of CPU':>9} {'hours':>7}"]
    for promise in promises:
        rest = missing(promise, found)
        timed = [row for row in _trials(promise, found) if "seconds" in row]
        tried = max(1, sum(row["tried"] for row in timed))
        wall, cpu = (sum(row[name] for row in timed) / tried for name in ("seconds", "cpu_s"))
        times = f"{1000 * wall:>9,.1f} {1000 * cpu:>9,.1f} {rest * wall / 3600:>7.1f}" if timed else "not measured"
        lines.append(f"{promise.id:<5}{rest:>9,} {promise.aim:>9,} {times}")
    return "\n".join(lines)


def _trials(promise: Promise, found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in found if row["promise"] == promise.id and not row["control"]]


def _caught(control: Count) -> str:
    return f"{control.broken:,} of {control.tried:,}" if control.tried else "not run"


def _number(amount: float) -> str:
    return f"{amount:,.0f}" if amount == int(amount) else f"{amount:,.2f}"
