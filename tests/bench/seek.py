"""What it costs to open any moment of a session: CPU from the seek until all of it is drawn, by the length of the log.

    .venv/bin/python -P tests/bench/seek.py [--calls 1158 --calls 100000] [--profile]

The journals are real, each is opened as a film on a screen of 200x50 in a process of its own; moments are drawn by
chance, always the same. `drawn`: with everything that Textual does for it; `asked`: the panes' own part. The ratio to a
session of 30 calls says what of it hangs on the length.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import pstats
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))

from screen_scale import SIZE, build
from screen_stage import REFERENCE_CALLS, ROOT, Figures, in_process

SMALL = 30
MOMENTS, WARM = 60, 8
AIMS = {REFERENCE_CALLS: 100, 100_000: 300}
"""Milliseconds, by calls."""


async def sought(folder: Path, *, profile: bool) -> dict[str, float]:
    from recording import recording_driver, written

    from core.clock import VirtualClock
    from core.source import SessionSource
    from tui.abilities import ReadOnly
    from tui.app import LongwatchApp

    app = LongwatchApp(
        SessionSource(folder), ReadOnly(), mode="replay", start_at=1, clock=VirtualClock(4_000_000_000_000_000)
    )
    app.driver_class = recording_driver(*SIZE)
    measured: dict[str, float] = {}

    async def pilot(_: Any) -> None:
        while not app.watch_screen.is_read:  # noqa: ASYNC110 - the screen has no event for it
            await asyncio.sleep(0.01)
        await written(app)
        watched = cProfile.Profile() if profile else None
        drawn, asked = await moments(app, watched)
        if watched is not None:
            pstats.Stats(watched, stream=sys.__stderr__).sort_stats("cumulative").print_stats(70)
        for name, spent in (("drawn", drawn), ("asked", asked)):
            tenths = quantiles(spent, n=10)
            measured.update({f"{name} p50": tenths[4], f"{name} p90": tenths[8], f"{name} max": max(spent)})
        measured["calls"] = app.view.tool_calls.count()
        app.exit()

    await app.run_async(auto_pilot=pilot)
    return measured


async def moments(app: Any, watched: cProfile.Profile | None) -> tuple[list[float], list[float]]:
    """CPU milliseconds of each seek: until it is drawn, and of its own part; what waiting costs is taken off."""
    from recording import written

    pick, drawn, asked = random.Random(7), [], []
    waiting = min([await cost_of_waiting(app) for _ in range(10)])
    for index in range(MOMENTS + WARM):
        seq = pick.randint(1, app.view.last_seq)
        if watched is not None and index == WARM:
            watched.enable()
        app.stirred()  # As by the hand at the scrubber.
        start = time.process_time()
        app.watch_screen.seek(seq)
        own = time.process_time()
        await written(app)
        if index >= WARM:
            drawn.append(1000 * (time.process_time() - start - waiting))
            asked.append(1000 * (own - start))
    if watched is not None:
        watched.disable()
    return drawn, asked


async def cost_of_waiting(app: Any) -> float:
    """CPU seconds until all is drawn while there is nothing to draw."""
    from recording import written

    before = time.process_time()
    await written(app)
    return time.process_time() - before


@click.command()
@click.option("--calls", "sizes", multiple=True, type=int, default=(REFERENCE_CALLS,), show_default=True)
@click.option("--profile", is_flag=True)
@click.option("--folder", type=click.Path(path_type=Path))
def main(sizes: tuple[int, ...], profile: bool, folder: Path | None) -> None:
    if folder is not None:
        sys.path.insert(0, str(ROOT))
        print(json.dumps(asyncio.run(sought(folder, profile=profile))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        found = {}
        for calls in (SMALL, *sizes):
            asyncio.run(build(Path(scratch) / str(calls), calls))
            more = ["--profile"] if profile and calls != SMALL else []
            found[calls] = in_process(__file__, "--folder", f"{scratch}/{calls}", *more)
    for calls, measured in found.items():
        table = Figures(f"Opening a moment of {calls:,} calls, 200x50", "CPU ms")
        for name in ("drawn p50", "drawn p90", "drawn max", "asked p50", "asked p90", "asked max"):
            table.add(name, measured[name], AIMS.get(calls) if name == "drawn max" else None)
        table.add(f"drawn p50, times {SMALL} calls", measured["drawn p50"] / found[SMALL]["drawn p50"])
        table.show()


if __name__ == "__main__":
    main()
