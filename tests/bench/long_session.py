"""The reference session's length, headless, against the simulator with no delays: cost per turn, bytes, memory.

    .venv/bin/python tests/bench/long_session.py [--turns 1158] [--size 3000] [--policy auto]

The simulator runs in a process of its own. A turn is one reply with one command; its CPU time is what this process
and its finished children used between two outcomes, from the first outcome on: imports lie before it. With the policy
`off` the history is never compressed: the window of the simulator holds it all.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import msgspec

from core.agent.host import host
from core.agent.hosting import Hosting
from core.config import Config, ContextSettings, Policy
from core.events import ModelRequested
from core.journal.reader import Reader
from core.models.profiles import resolve_endpoint
from core.overview import read_totals
from core.session import NewSession, create

ROOT = Path(__file__).parent.parent.parent


def cpu() -> tuple[float, float]:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime


def written() -> int:
    """Bytes sent to the disk by this process and its finished children; what was removed before that doesn't count."""
    rows = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(rows["write_bytes"]) - int(rows["cancelled_write_bytes"])


def script(path: Path, turns: int, size: int) -> None:
    """One short text and one command a reply."""
    with path.open("w") as out:
        for turn in range(turns):
            command = f"echo step {turn}" if not size else f"seq {turn * 7} {turn * 7 + size} | head -c {size}"
            row = {"text": f"Step {turn}.", "tool_uses": [{"name": "run_command", "input": {"command": command}}]}
            out.write(json.dumps(row) + "\n")


def measure(turns: int, size: int, policy: Policy) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        (place / "work").mkdir()
        script(place / "script.jsonl", turns, size)
        command = [sys.executable, "-P", "-m", "core.simulator", "--policy", f"script:{place / 'script.jsonl'}"]
        command += ["--speed", "0", "--context-limit", "100000000"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[1]
            return asyncio.run(session(place, url, turns, policy))
        finally:
            server.terminate()
            server.wait()


async def session(place: Path, url: str, turns: int, policy: Policy) -> dict[str, float]:
    endpoint = msgspec.structs.replace(
        resolve_endpoint(Config(), "sim", url), cache="explicit", window=None, pooling=True
    )
    folder = await create(place / "home", NewSession("Do the steps.", place / "work", endpoint))
    marks: list[tuple[float, float]] = []

    def on_events(events: list) -> None:
        for event in events:
            if event.kind == "tool.finished":
                marks.append(cpu())

    config = Config(context=ContextSettings(policy=policy))
    bytes_before, began = written(), time.perf_counter()
    code = await host(Hosting(folder, config, on_events=on_events))
    seconds = time.perf_counter() - began
    assert code == 0, code
    own = [1000 * (after[0] - before[0]) for before, after in itertools.pairwise(marks)]
    both = [1000 * (sum(after) - sum(before)) for before, after in itertools.pairwise(marks)]
    content = content_bytes(folder)
    database = sum(path.stat().st_size for path in folder.glob("session.db*"))
    return {
        "turns": len(own),
        "wall s": seconds,
        "CPU ms/turn, median (own)": statistics.median(own),
        "CPU ms/turn, first 100 (own)": statistics.mean(own[:100]),
        "CPU ms/turn, last 100 (own)": statistics.mean(own[-100:]),
        "last/first (own)": statistics.mean(own[-100:]) / statistics.mean(own[:100]),
        "CPU ms/turn, first 100 (with children)": statistics.mean(both[:100]),
        "CPU ms/turn, last 100 (with children)": statistics.mean(both[-100:]),
        "new content MB": content / 1e6,
        "database MB": database / 1e6,
        "database/content": database / content,
        "written MB": (written() - bytes_before) / 1e6,
        "compressions": read_totals(folder).compressions,
        "largest request KB": largest_request(folder) / 1e3,
        "peak memory MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def content_bytes(folder: Path) -> int:
    """Model-visible text: what the model said, with its arguments, and what the tools answered."""
    total = 0
    with Reader(folder) as reader:
        for event in reader.events():
            if event.kind == "model.responded":
                total += len(msgspec.json.encode(event.body.content))
            elif event.kind == "tool.finished":
                total += len(event.body.content.encode())
    return total


def largest_request(folder: Path) -> int:
    """Bytes."""
    with Reader(folder) as reader:
        bodies = (event.body for event in reader.events())
        return max(body.body_bytes for body in bodies if isinstance(body, ModelRequested))


@click.command()
@click.option("--turns", default=1158, show_default=True)
@click.option("--size", "sizes", multiple=True, type=int, default=(0, 3000), show_default=True, help="Bytes a result.")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    type=click.Choice(["off", "auto"]),
    default=("off", "auto"),
    show_default=True,
)
def main(turns: int, sizes: tuple[int, ...], policies: tuple[Policy, ...]) -> None:
    runs = [(size, policy) for size in sizes for policy in policies]
    for size, policy in runs:
        if len(runs) > 1:  # each in a process of its own, for its own peak of memory
            one = ["--turns", str(turns), "--size", str(size), "--policy", policy]
            subprocess.run([sys.executable, __file__, *one], check=True)
            continue
        os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
        print(f"\n{turns} turns, results of {size or 10} bytes, policy {policy}")
        for name, value in measure(turns, size, policy).items():
            print(f"  {name:<42} {value:>10,.2f}")


if __name__ == "__main__":
    main()
