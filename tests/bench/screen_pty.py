"""The product on a pty of its own, for the benchmarks that need a real process: its bytes and its processor."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import tempfile
import termios
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pyte

sys.path.insert(0, str(Path(__file__).parent))

from screen_stage import ROOT

PATIENCE_S = 90.0
PROGRAM = ("-m", "tui.cli")
OBSERVED = (str(Path(__file__).with_name("observed.py")),)
"""The same with threads that can be told apart (`cpu_by_side`)."""
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Screen:
    """What a terminal shows that gets bytes; it answers what a terminal is asked."""

    def __init__(self, columns: int, rows: int, answer: Callable[[bytes], object] = lambda data: None) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._screen.write_process_input = lambda text: answer(text.encode())
        self._stream = pyte.ByteStream(self._screen)

    def feed(self, data: bytes) -> None:
        self._stream.feed(data)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)


class Terminal:
    """A command of the product on a pty; `read` and `write` are all that passes."""

    def __init__(
        self, longwatch: Any, *arguments: str, columns: int, rows: int, program: Sequence[str] = PROGRAM
    ) -> None:
        self.pid, self._master = pty.fork()
        if not self.pid:
            os.chdir(ROOT)
            command = [sys.executable, "-P", *program, *arguments]
            os.execve(sys.executable, command, {**longwatch.environment, "TERM": "xterm-256color"})
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.bytes = self.packed = 0
        """What came from the product; what `ssh -C` makes of it (zlib, level 6, flushed at each write; no headers)."""
        self._pack = zlib.compressobj(6)

    def read(self, wait_s: float = 0.0, most: int = 65_536) -> bytes:
        """What comes within `wait_s`; empty when nothing does, or the command has ended."""
        if not select.select([self._master], [], [], wait_s)[0]:
            return b""
        try:
            data = os.read(self._master, most)
        except OSError:
            return b""
        self.bytes += len(data)
        if data:
            self.packed += len(self._pack.compress(data)) + len(self._pack.flush(zlib.Z_PARTIAL_FLUSH))
        return data

    def write(self, data: bytes) -> None:
        os.write(self._master, data)

    def show_until(self, screen: Screen, condition: Callable[[], object]) -> None:
        """Feed the screen until the condition holds."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < end, screen.text
            screen.feed(self.read(0.05))


@contextmanager
def product(replies: Sequence[dict[str, Any]], *server: str) -> Iterator[tuple[Any, list[str]]]:
    """The command line over an empty home; the arguments by which `run` reaches a server that plays these replies."""
    from processes import Longwatch

    with tempfile.TemporaryDirectory() as scratch:
        longwatch = Longwatch(Path(scratch))
        longwatch.script(*replies)
        try:
            place = ["--workspace", str(longwatch.workspace), "--base-url", longwatch.serve(*server)]
            yield longwatch, ["run", "Do the steps.", "--model", "sim", *place]
        finally:
            if (process := runner(longwatch)) is not None:
                process.kill()
            longwatch.end()


def runner(longwatch: Any) -> psutil.Process | None:
    """The process that runs the only session."""
    from core.journal.lease import holder

    found = [held for folder in longwatch.home.glob("sessions/*") if (held := holder(folder)) is not None]
    return psutil.Process(found[0].pid) if found else None


def cpu_by_side(process: psutil.Process) -> dict[str, float]:
    """Seconds of CPU so far of an `OBSERVED` process: `runner` and `screen`, and `commands`, its finished children.

    What counts neither way, threads that are not Python's, is the screen's, for they watch files for it.
    """
    spent = {"runner": 0.0, "screen": 0.0}
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        name, _, rest = (task / "stat").read_text().partition("(")[2].rpartition(")")
        fields = rest.split()
        spent["runner" if name.startswith("runner") else "screen"] += (int(fields[11]) + int(fields[12])) * TICK_S
    times = process.cpu_times()
    return {**spent, "commands": times.children_user + times.children_system}
