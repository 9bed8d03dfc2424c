"""Sessions with their screens, each on a terminal of its own, forked from a process that has the product imported."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import shlex
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pace import Steps
from warm import Process, Warm

ROOT = Path(__file__).resolve().parents[2]
STEP_S = 0.25
PATIENCE_S = 90.0
STOCK = """
import sys
from textual.drivers.linux_driver import LinuxDriver
import tui.app, tui.themed_app
class Stock(LinuxDriver):
    away = False
    def stop_here(self, ask): pass
    def set_title(self, text): pass
tui.app.ResilientDriver = tui.themed_app.ResilientDriver = Stock
from tui.cli import main
main(sys.argv[1:])
"""
"""The product on the driver that Textual comes with."""


def until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Home:
    """A home folder with sessions that make a step four times a second, and where their processes are forked from."""

    def __init__(self, place: Path, warm: Warm) -> None:
        self.place, self._warm = place, warm
        (place / "stock.py").write_text(STOCK)
        rows = [
            {
                "text": f"Step {step}.",
                "tool_uses": [{"name": "run_command", "input": {"command": f"sleep {STEP_S}; echo {step}"}}],
            }
            for step in range(2000)
        ]
        (place / "script.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (place / "config.toml").write_text("[guards]\nenabled = false\n")  # They would pause what only repeats itself.
        more = {"LONGWATCH_HOME": str(place / "home"), "LONGWATCH_CONFIG": str(place / "config.toml")}
        self.environment = {**os.environ, **more, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}

    def task(self, name: str) -> list[str]:
        (self.place / name).mkdir()
        model = f"simulated/script:{self.place / 'script.jsonl'}"
        return ["run", name, "--name", name, "--model", model, "--speed", "0", "--workspace", str(self.place / name)]

    def call(self, *words: str) -> tuple[int, str]:
        """The exit code of a command, and what it had to complain of."""
        process = self._warm.start("tui.cli", *words, environment=self.environment, folder=ROOT)
        with process:
            _, errors = process.communicate(timeout=PATIENCE_S)
            return process.wait(), errors

    def on(self, terminal: int, words: list[str], stock: bool) -> Process:
        """A command on a terminal, which is closed here then."""
        what = str(self.place / "stock.py") if stock else "tui.cli"
        process = self._warm.start(what, *words, environment=self.environment, folder=ROOT, terminal=terminal)
        os.close(terminal)
        return process

    def shell_on(self, terminal: int) -> Process:
        """A shell with job control on a terminal, which is closed here then."""
        line = ["/bin/bash", "--norc", "--noprofile", "-i"]
        process = self._warm.start(*line, environment=self.environment, folder=ROOT, terminal=terminal)
        os.close(terminal)
        return process

    def folders(self) -> list[Path]:
        return sorted(path for path in self.place.glob("home/sessions/*") if (path / "session.db").exists())


class Terminal:
    """A command on a pty; what it writes is taken off only by `drain`."""

    def __init__(self, home: Home, words: list[str], stock: bool = False, *, in_shell: bool = False) -> None:
        self.master, theirs = pty.openpty()
        self.size(30, 100)
        self.process = home.shell_on(theirs) if in_shell else home.on(theirs, words, stock)
        if in_shell:
            os.write(self.master, (shlex.join([sys.executable, "-P", "-m", "tui.cli", *words]) + "\r").encode())

    def size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def drain(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.master < 0:
                time.sleep(left)
            elif select.select([self.master], [], [], left)[0]:
                try:
                    if not os.read(self.master, 65536):
                        return
                except OSError:
                    return

    def close(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def ended(self) -> bool:
        """Whether the command that was started here is over."""
        return self.process.poll() is not None

    def end(self) -> None:
        self.close()
        self.process.kill()
        self.process.wait()


class Twin:
    """A session whose screen stands on a terminal that takes all that comes, in a thread of its own."""

    def __init__(self, home: Home) -> None:
        self._screen = Terminal(home, home.task("twin"))
        self._over = False
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        assert until(home.folders), "the twin never began"
        (folder,) = home.folders()
        self.steps = Steps(folder)

    def size(self, rows: int, columns: int) -> None:
        self._screen.size(rows, columns)

    def end(self) -> None:
        self._over = True
        self._reading.join()
        self._screen.end()

    def _read(self) -> None:
        while not self._over:
            self._screen.drain(0.1)
