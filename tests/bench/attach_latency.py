"""How long attaching takes, and how old live text is when it is on the screen; on a real pty, with real processes.

.venv/bin/python -P tests/bench/attach_latency.py [--attaches 10] [--marks 100] [--results FILE]

Attaching is measured from the start of the command until the session's words are on the terminal, with the interpreter
and its imports. Live text is measured from the moment at which the wire hands it over until its last byte is on the
terminal: it passes the file of the reply in flight, another process, and its next frame.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "bench")]

from results import add, table  # noqa: E402

from core.clock import SystemClock  # noqa: E402
from core.events import Draft, SessionOpened  # noqa: E402
from core.ids import ulid  # noqa: E402
from core.journal.lease import acquire  # noqa: E402
from core.journal.live import LiveText  # noqa: E402
from core.journal.writer import Journal  # noqa: E402

PATIENCE_S = 60.0
EDGES = "абвгдежзиклмнопрстуфхцчшщэюяАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩ"
"""More letters than there are lines, in a script that nothing else on the screen is written in."""


class Viewer:
    """`longwatch attach` on a terminal of its own."""

    def __init__(self, home: Path) -> None:
        self.began = time.perf_counter()
        self.pid, self.master = pty.fork()
        if not self.pid:
            environment = {
                **os.environ,
                "LONGWATCH_HOME": str(home),
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
            }
            os.execve(sys.executable, [sys.executable, "-P", "-m", "tui.cli", "attach"], environment)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))

    async def shows(self, words: bytes) -> float:
        """When the words came, in seconds of `perf_counter`."""
        seen, end = b"", time.monotonic() + PATIENCE_S
        while words not in seen:
            if time.monotonic() > end:
                raise SystemExit(f"{words!r} never came")
            if await asyncio.to_thread(select.select, [self.master], [], [], 0.05) != ([], [], []):
                seen = seen[-200:] + os.read(self.master, 65536)
        return time.perf_counter()

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)


async def measure(home: Path, attaches: int, marks: int) -> list[tuple[str, list[float]]]:
    """Milliseconds of each attach and of each piece of live text."""
    folder = home / "sessions" / ulid(SystemClock().now_us())
    opened = SessionOpened(
        session=folder.name, name="bench", task="Look at this.", workspace=str(home), model="m", endpoint="e",
        profile="simulated", app_version="0", api_key_env=None, settings={}, origin=None,
    )  # fmt: skip
    folder.mkdir(parents=True, mode=0o700)
    with acquire(folder) as lease:
        async with await Journal.create(folder, SystemClock(), lease=lease) as journal:
            await journal.append(Draft(opened, actor="user"))
            attached = []
            for _ in range(attaches):
                viewer = Viewer(home)
                attached.append((await viewer.shows(b"Look at this.") - viewer.began) * 1000)
                viewer.close()
            return [
                ("attach, from the command to the words", attached),
                ("live text", await _live(home, folder, marks)),
            ]


async def _live(home: Path, folder: Path, marks: int) -> list[float]:
    viewer, text, took = Viewer(home), LiveText(folder, "r1.1"), []
    await viewer.shows(b"Look at this.")
    for number in range(marks):
        # Begins and ends with another letter than the one that stood there before: only what differs is sent.
        letter = EDGES[number % len(EDGES)]
        word = f"{letter}{number:04}{letter}"
        began = time.perf_counter()
        text.add("text", 0, f"{word}\n")
        took.append((await viewer.shows(word.encode()) - began) * 1000)
        await asyncio.sleep(0.037)
    text.discard()
    viewer.close()
    return took[1:]


@click.command()
@click.option("--attaches", default=10, show_default=True)
@click.option("--marks", default=100, show_default=True)
@click.option("--results", type=click.Path(path_type=Path))
def main(attaches: int, marks: int, results: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix="attach-") as place:
        measured = asyncio.run(measure(Path(place), attaches, marks))
    rows = []
    for name, values in measured:
        ranked = sorted(values)
        row = {"what": name, "times": len(ranked), "p50 ms": round(ranked[len(ranked) // 2])}
        rows.append(row | {"p95 ms": round(ranked[int(len(ranked) * 0.95)]), "most ms": round(ranked[-1])})
    rows = [row | {"load": round(os.getloadavg()[0] / (os.cpu_count() or 1), 1)} for row in rows]
    add(results, rows)
    print(table(rows))


if __name__ == "__main__":
    main()
