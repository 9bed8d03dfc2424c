"""What the length of a session costs on the screen: ticks, focus, pages, opening, memory, against an empty session.

    .venv/bin/python -P tests/bench/screen_scale.py [--calls 1158 --calls 100000]

The journals are real, written once into a scratch folder; each session is opened by the real source in a process of its
own on a screen of 200x50 without a terminal. Opening is CPU time from the start of the process to the first full paint
(every pane shows the newest moment), beside Textual's own for an empty app; steps are CPU time, drawing included.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))

from screen_stage import REFERENCE_CALLS, ROOT, Figures, in_process

SIZE = (200, 50)
OPENINGS = 3
STEPS = 15
WARM = 3
A_COMMIT = 500
"""Events that are written together: the journal keeps the same rows as if each had come alone."""


async def build(folder: Path, calls: int) -> None:
    """A journal of that many calls."""
    from screen_stage import session

    from core.clock import VirtualClock
    from core.events import Draft
    from core.journal.writer import Journal

    log = session(calls)
    clock = VirtualClock(log.events[0].at_us)
    folder.mkdir(parents=True)
    async with await Journal.create(folder, clock) as journal:
        for start in range(0, len(log.events), A_COMMIT):
            part = log.events[start : start + A_COMMIT]
            clock.advance((part[-1].at_us - clock.now_us()) / 1_000_000)
            await journal.append(*(Draft(event.body, key=event.key, actor=event.actor) for event in part))


def resident_mb() -> float:
    rows = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(rows["VmRSS"].split()[0]) / 1024


async def textual_alone() -> dict[str, float]:
    from recording import recording_driver, written
    from textual.app import App

    app: App[None] = App(driver_class=recording_driver(*SIZE))
    measured: dict[str, float] = {}

    async def pilot(_: Any) -> None:
        await written(app)
        measured.update(cpu=time.process_time(), mb=resident_mb())
        app.exit()

    await app.run_async(auto_pilot=pilot)
    return measured


async def opened(folder: Path) -> dict[str, float]:
    from recording import recording_driver, written

    from tui.undisturbed import undisturbed

    with undisturbed():  # as `tui.watching` does it
        from core.clock import VirtualClock
        from core.controls import SessionControls
        from core.source import SessionSource
        from tui.app import LongwatchApp

    clock = VirtualClock(4_000_000_000_000_000)
    app = LongwatchApp(SessionSource(folder), SessionControls(folder), mode="attached", clock=clock)
    app.driver_class = recording_driver(*SIZE)
    measured: dict[str, float] = {}

    async def pilot(_: Any) -> None:
        while not app.watch_screen.is_read:  # noqa: ASYNC110 - the screen has no event for it
            await asyncio.sleep(0.01)
        await written(app)
        measured.update(
            cpu=time.process_time(), mb=resident_mb(), calls=app.view.tool_calls.count(), events=app.view.last_seq
        )
        measured.update(await steps(app, clock))
        app.exit()

    await app.run_async(auto_pilot=pilot)
    return measured


async def steps(app: Any, clock: Any) -> dict[str, float]:
    """CPU milliseconds of each kind of step, drawing and writing included."""
    screen, panes = app.watch_screen, ["tool_calls", "conversation"]

    def tick() -> None:
        clock.advance(1)
        screen._second()

    def focus() -> None:
        panes.reverse()
        screen.choose(panes[0])

    kinds: dict[str, Callable[[], object]] = {
        "tick": tick,
        "focus": focus,
        "page": lambda: screen.conversation.line_list.action_page(-1),
        "everything": screen.show_moment,
    }
    return {name: await cpu_ms(app, step) for name, step in kinds.items()}


async def cpu_ms(app: Any, step: Callable[[], object]) -> float:
    """The mean of several, without the first ones, which fill caches; what waiting for the end costs is taken off."""
    from recording import written

    spent = []
    for do in (lambda: None, step):
        for index in range(STEPS + WARM):
            if index == WARM:
                before = time.process_time()
            do()
            await written(app)
        spent.append(time.process_time() - before)
    return 1000 * (spent[1] - spent[0]) / STEPS


def compare(sizes: tuple[int, ...]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for calls in (0, *sizes):
            asyncio.run(build(Path(scratch) / str(calls), calls))
        alone = best_of("textual")
        empty = best_of("session", "--folder", f"{scratch}/0")
        for calls in sizes:
            show(calls, best_of("session", "--folder", f"{scratch}/{calls}"), empty, alone)


def best_of(*what: str) -> dict[str, float]:
    """The run with the shortest opening of a few: CPU time only grows by disturbance.

    One before them compiles modules, and reads a session that no screen has read before: `first_cpu` and `first_mb`.
    """
    first, *runs = (in_process(__file__, "--one", *what) for _ in range(1 + OPENINGS))
    return {**min(runs, key=lambda run: run["cpu"]), "first_cpu": first["cpu"], "first_mb": first["mb"]}


def show(calls: int, measured: dict[str, float], empty: dict[str, float], alone: dict[str, float]) -> None:
    assert measured["calls"] == calls
    table = Figures(f"{calls:,} calls on a screen of 200x50", "")
    for name, words in (("tick", "status tick"), ("focus", "focus change")):
        table.add(f"{words}, CPU ms (empty session {empty[name]:.1f})", measured[name])
        table.add(f"{words}, times an empty session", measured[name] / empty[name], 1.5)
    table.add("page of the conversation, CPU ms", measured["page"], 50)
    table.add("every pane drawn anew, CPU ms", measured["everything"])
    seconds = 0.5 if calls <= REFERENCE_CALLS else 1.0
    table.add("opening over an empty Textual app, CPU s", measured["cpu"] - alone["cpu"], seconds)
    table.add("  of it for a session that has just begun", empty["cpu"] - alone["cpu"])
    most = 1.5 * alone["mb"] + 60
    table.add("memory, MB", measured["mb"], most)
    table.add("  of the first screen, which reads all of the log", measured["first_mb"], most)
    table.add("  its CPU, microseconds an event", 1e6 * (measured["first_cpu"] - empty["cpu"]) / measured["events"])
    table.add("  an empty Textual app", alone["mb"])
    table.show()


@click.command()
@click.option("--calls", "sizes", multiple=True, type=int, default=(REFERENCE_CALLS, 100_000), show_default=True)
@click.option("--one", type=click.Choice(["textual", "session"]), help="Measure this in this process.")
@click.option("--folder", type=click.Path(path_type=Path))
def main(sizes: tuple[int, ...], one: str | None, folder: Path | None) -> None:
    if one == "textual":
        print(json.dumps(asyncio.run(textual_alone())))
    elif one is not None and folder is not None:
        sys.path.insert(0, str(ROOT))
        print(json.dumps(asyncio.run(opened(folder))))
    else:
        compare(sizes)


if __name__ == "__main__":
    main()
