"""P13: a very long session with a faulty server stays as small as it was: memory, tasks, threads, files, processes."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import linear_regression
from typing import Any

import psutil
from forked import fork, wait
from promise import Count, Promise, scratch

from core.agent.host import host
from core.agent.hosting import Hosting
from core.clock import SystemClock
from core.config import Config, GuardSettings, ProfileSettings, RetryPolicy
from core.events import Event
from core.journal.reader import Reader
from core.models.profiles import resolve_endpoint
from core.session import NewSession, create
from core.simulator.faults import Fault, parse_fault
from core.simulator.policies.script import ScriptPolicy
from core.simulator.server import SimulatedServer

FAULTY = 0.05
"""Share of the requests that go wrong."""
KINDS = ("429=0.01", "529", "500", "502", "drop", "cut=4", "reset=6", "error-event=3", "cut-arguments", "stall=5")
WINDOW = 200_000
EVERY = 10
"""Calls between two looks at the process."""
LEAST_LOOKS = 3
"""Looks of which the least counts: a reply has three calls, and in each of them other tasks wait."""
LEAVES = 40
"""Calls after which the control leaves one more file open."""
MOST_SLOPE = 1.0
"""Megabytes in ten thousand calls."""
LONG_ENOUGH = 5_000
"""Calls from which a slope says more than noise."""
NAMES = 30
"""New names in a reply, about as many as real sessions have: what is kept of names, so many at most, is full early.

They are all of one length; with the numbers in them they would grow, and what is kept of them too.
"""
LONGEST_S = 100 * 3600.0


class ManyFaults:
    """Faults of the simulated server, drawn by chance for as long as it runs."""

    def __init__(self, seed: int) -> None:
        self._pick = random.Random(seed)

    def take(self, request: int, text: str) -> Fault | None:
        if self._pick.random() >= FAULTY:
            return None
        return parse_fault(f"*:{self._pick.choice(KINDS)}")


@dataclass(frozen=True, slots=True)
class Look:
    """The process at one moment. `rss` in megabytes.

    `threads` are those beside the workers of the loop's pool, of which there is one more whenever as many are needed
    at the same time, up to a bound.
    """

    calls: int
    rss: float
    tasks: int
    threads: int
    files: int
    children: int


def script(turns: int) -> list[dict[str, Any]]:
    """Replies of three calls: mostly reads, now and then a command, a file, a plan."""
    reads = [
        {"name": "read_file", "input": {"path": "notes.md"}},
        {"name": "list_files", "input": {"path": "."}},
        {"name": "read_file", "input": {"path": "long.txt", "offset": 10}},
    ]
    others = cycle(
        [
            {"name": "run_command", "input": {"command": "echo 'all is well'; seq 30"}},
            {"name": "write_file", "input": {"path": "made.txt", "content": "made\n"}},
            {"name": "plan", "input": {"steps": [{"id": "1", "intent": "Look", "status": "active"}]}},
        ]
    )
    made = []
    for turn in range(turns):
        uses = [*reads[:2], next(others)] if turn % 5 == 4 else reads
        new = ", ".join(f"finding_{turn:06}_{number:02}" for number in range(NAMES))
        made.append({"text": f"Step {turn}: looked at {new}, nothing in module_{turn % 40}.", "tool_uses": uses})
    return made


def serve(place: Path, seed: int) -> int:
    """The model server, in a process of its own, until it is told to end."""

    async def main() -> None:
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        policy, faults = ScriptPolicy.load(place / "script.jsonl"), ManyFaults(seed)
        async with SimulatedServer(policy, clock=SystemClock(), speed=0.0, faults=faults) as server:  # type: ignore[arg-type]
            (place / "address.new").write_text(server.base_url)
            (place / "address.new").rename(place / "address")
            await stopped.wait()

    asyncio.run(main())
    return 0


async def soak(place: Path, address: str, on_call: Callable[[int], None]) -> int:
    """The session, in a process of its own; what was seen on the way goes into `looks`."""
    work = place / "work"
    work.mkdir()
    (work / "notes.md").write_text("# Notes\n")
    (work / "long.txt").write_text("".join(f"line {number} of a long file\n" for number in range(120)))
    config = Config(
        guards=GuardSettings(enabled=False),
        profiles={"local": ProfileSettings(stall_s=0.5, window=WINDOW, cache="explicit", pooling=True)},
        retry=RetryPolicy(first_delay_s=0.01, longest_delay_s=0.02, patient_after=1000),
    )
    folder = await create(place / "home", NewSession("Look again.", work, resolve_endpoint(config, "m", address)))
    process, calls = psutil.Process(), 0
    with (place / "looks").open("a", encoding="utf-8") as out:

        def heard(events: list[Event]) -> None:
            nonlocal calls
            for event in events:
                if event.kind == "tool.finished":
                    calls += 1
                    on_call(calls)
                    if calls % EVERY == 0:
                        out.write(json.dumps(_look(process, calls)) + "\n")
                        out.flush()

        return await host(Hosting(folder, config, speed=0.0, on_events=heard))


def _look(process: psutil.Process, calls: int) -> list[float]:
    with process.oneshot():
        rss, threads, files = process.memory_info().rss / 1e6, process.num_threads(), process.num_fds()
    threads -= sum(thread.name.startswith("asyncio_") for thread in threading.enumerate())
    return [calls, rss, len(asyncio.all_tasks()), threads, files, len(process.children(recursive=True))]


def trial(count: int, seed: int) -> Count:
    """One session of `count` calls."""
    return _tried(count, seed, lambda calls: None)


def control(count: int, seed: int) -> Count:
    """An agent that forgets to close a file now and then."""
    left: list[int] = []

    def leave(calls: int) -> None:
        if calls % LEAVES == 0:
            left.append(os.open(os.devnull, os.O_RDONLY))

    return _tried(count, seed, leave)


def _tried(count: int, seed: int, on_call: Callable[[int], None]) -> Count:
    found = Count()
    with scratch("soak-") as place:
        with (place / "script.jsonl").open("w") as out:
            out.writelines(json.dumps(row) + "\n" for row in script(-(-count // 3)))
        server = fork(lambda: serve(place, seed), place / "log")
        try:
            while not (place / "address").exists():
                if (code := wait(server, 0.02)) is not None:
                    raise RuntimeError(f"the server ended with {code}: {(place / 'log').read_text()}")
            address = (place / "address").read_text()
            agent = fork(lambda: asyncio.run(soak(place, address, on_call)), place / "log")
            code = wait(agent, LONGEST_S)
        finally:
            os.kill(server, signal.SIGTERM)
            wait(server)
        _judge(found, place, code)
    return found


def _judge(found: Count, place: Path, code: int | None) -> None:
    looks = [Look(*json.loads(line)) for line in (place / "looks").read_text().splitlines()]
    problems = [] if code == 0 else [f"it ended with {code}: {(place / 'log').read_text()[-500:]}"]
    calls, failures = _counts(next((place / "home" / "sessions").iterdir()))
    settled = looks[len(looks) // 5 :]
    problems += _leaks(settled)
    if calls >= LONG_ENOUGH:
        slope = 10_000 * linear_regression([one.calls for one in settled], [one.rss for one in settled]).slope
        found.see("MB gained in 10,000 calls at most", round(slope, 2))
        if slope >= MOST_SLOPE:
            problems.append(f"memory grows by {slope:.2f} MB in 10,000 calls")
    found.note(problems, tried=calls)
    found.see("requests that went wrong", failures)
    found.see("MB of memory at most", round(max(one.rss for one in looks)))


def _counts(folder: Path) -> tuple[int, int]:
    """Finished calls and failed requests in the journal."""
    calls = failures = after = 0
    with Reader(folder) as reader:
        while events := reader.events(after, 5000):
            after = events[-1].seq
            calls += sum(event.kind == "tool.finished" for event in events)
            failures += sum(event.kind == "model.failed" for event in events)
    return calls, failures


def _leaks(settled: list[Look]) -> list[str]:
    """Of what there is more at the end than at the start, by the least that was seen in a tenth of the time."""
    tenth, problems = max(LEAST_LOOKS, len(settled) // 10), []
    for name in ("tasks", "threads", "files", "children"):
        first = min(getattr(one, name) for one in settled[:tenth])
        last = min(getattr(one, name) for one in settled[-tenth:])
        if last > first:
            problems.append(f"{name}: {first} became {last}")
    return problems


PROMISE = Promise(
    id="P13",
    says="With 5 % of its requests going wrong a session stays as small as it was: memory, tasks, threads, files",
    unit="calls",
    aim=100_000,
    shard=100_000,
    quick=120,
    trial=trial,
    control=control,
    control_says="an agent that leaves a file open now and then",
    quick_control=120,
)
