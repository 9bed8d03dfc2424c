"""Opening a session of 1,158 calls on the screen: CPU time until its tail is drawn.

Beside it: starting Textual alone, and the same screen over a session that has only begun.

.venv/bin/python -P tests/bench/open_session.py
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent.parent
CALLS = 1158


async def build(folder: Path, calls: int) -> None:
    """A journal with that many calls of 3 KB each, written the way a runner writes it."""
    sys.path.insert(0, str(ROOT / "tests"))
    from logbook import Logbook

    from core.clock import SystemClock
    from core.events import Draft
    from core.journal.writer import Journal

    log = Logbook()
    for number in range(calls):
        attempt = log.reply(
            ("run_command", {"command": f"make part-{number}"}), text=f"Step {number}. " + "Words. " * 20
        )
        log.start(attempt, 0, "run_command", {"command": f"make part-{number}"}, "command")
        log.finish(attempt, 0, "run_command", f"exit 0 · 1.0 s\n{f'line of output {number} ' * 5}\n" * 25, ms=1000)
    folder.mkdir(parents=True)
    async with await Journal.create(folder, SystemClock()) as journal:
        for event in log.events:
            await journal.append(Draft(event.body, key=event.key, actor=event.actor))


async def textual_alone() -> float:
    from textual.app import App

    async with App().run_test(size=(200, 50)) as pilot:
        await pilot.pause()
    return time.process_time()


async def opened(folder: Path, calls: int) -> float:
    from core.controls import SessionControls
    from core.source import SessionSource
    from tui.app import LongwatchApp

    app = LongwatchApp(SessionSource(folder), SessionControls(folder), mode="attached")
    async with app.run_test(size=(200, 50)) as pilot:
        while app.view.tool_calls.count() < calls or not app.view.last_seq:
            await pilot.pause(0.005)
        await pilot.pause()
        assert not calls or app.view.context.usage.last.total > 0
        return time.process_time()


@click.command()
@click.option("--one", type=click.Choice(["textual", "empty", "session"]), help="Measure this in this process.")
@click.option("--folder", type=click.Path(path_type=Path))
def main(one: str | None, folder: Path | None) -> None:
    if one == "textual":
        print(asyncio.run(textual_alone()))
    elif one is not None and folder is not None:
        print(asyncio.run(opened(folder / one, CALLS if one == "session" else 0)))
    else:
        compare()


def compare(rounds: int = 3) -> None:
    """Each in processes of its own; the best of a few rounds, as CPU time only grows by disturbance."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        asyncio.run(build(folder / "empty", 0))
        asyncio.run(build(folder / "session", CALLS))
        best: dict[str, float] = {}
        for _ in range(rounds):
            for one in ("textual", "empty", "session"):
                command = [sys.executable, "-P", __file__, "--one", one, "--folder", str(folder)]
                spent = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])
                best[one] = min(spent, best.get(one, spent))
    print(f"{CALLS} calls, 200x50, CPU seconds from the start of the process")
    print(f"  Textual alone, an empty app            {best['textual']:6.2f}")
    print(f"  the screen over a session just begun   {best['empty']:6.2f}")
    print(f"  the screen over {CALLS} calls           {best['session']:6.2f}")
    print(f"  for the calls                          {best['session'] - best['empty']:6.2f}")


if __name__ == "__main__":
    main()
