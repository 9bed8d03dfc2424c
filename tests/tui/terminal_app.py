"""A small app in a process of its own, for tests that take its terminal away.

Usage: terminal_app.py REPORT [controlling]. Appends one line to REPORT per tick of the event loop, and what it is told.
"""

from __future__ import annotations

import fcntl
import sys
import termios
from pathlib import Path

from textual.app import ComposeResult
from textual.widgets import Static

from tui.compositor import ThriftyApp
from tui.driver import ResilientDriver


class TickingApp(ThriftyApp[None]):
    def __init__(self, report: Path) -> None:
        super().__init__(driver_class=ResilientDriver)
        self._report = report.open("a", buffering=1)
        self._ticks = 0
        self._ticks_left: int | None = None

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)

    def on_mount(self) -> None:
        self.set_interval(0.02, self._tick)

    def _tick(self) -> None:
        self._ticks += 1
        self._report.write(f"tick {self._ticks}\n")
        self.query_one(Static).update("\n".join(f"{self._ticks} {line} ".ljust(70, "#") for line in range(20)))
        if self._ticks_left is not None:
            self._ticks_left -= 1
            if self._ticks_left == 0:
                self.exit()

    def on_terminal_lost(self, reason: str) -> None:
        self._report.write(f"lost {reason}\n")
        self._ticks_left = 25

    def on_key(self) -> None:
        self.exit()


if __name__ == "__main__":
    if "controlling" in sys.argv:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    path = Path(sys.argv[1])
    TickingApp(path).run()
    with path.open("a") as report:
        report.write("ended\n")
