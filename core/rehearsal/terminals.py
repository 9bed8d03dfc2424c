"""Screens that look at a rehearsal: one loses its terminal, another comes; what both were sent is counted.

The viewer is the product's own command in a process of its own, on a terminal of this process's making.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

from core.clock import MICROSECONDS, Clock, monotonic
from core.journal.viewers import FOLDER

COLUMNS, ROWS = 80, 24
PATIENCE_S, LOOKS_S = 45.0, 6.0
"""Until the first byte, and how long somebody looks from then on."""
UNSEEN_S = 600.0
"""By the clock of the session, from when its runner has noticed that the first one is gone."""
_LOOK_S = 0.05
_CHUNK = 65_536


class Terminals:
    """Viewers of the session `folder` in `home`. `counted` holds how many bytes they were sent, over all processes."""

    def __init__(self, home: Path, folder: Path, counted: Path, clock: Clock) -> None:
        self._home, self._folder, self._counted, self._clock = home, folder, counted, clock
        self._thread: threading.Thread | None = None

    def lose_one(self) -> None:
        """A viewer comes, its terminal goes away under it, another one comes. Goes on beside the session."""
        self._thread = threading.Thread(target=self._visits, name="terminals", daemon=True)
        self._thread.start()

    def _visits(self) -> None:
        before = self._there()
        sent = self._visit()
        self._counted.write_text(str(sent), encoding="ascii")
        self._stay_away(self._there() - before)
        self._counted.write_text(str(sent + self._visit()), encoding="ascii")

    def _there(self) -> set[Path]:
        return {*(self._folder / FOLDER).glob("*.json")}

    def _stay_away(self, gone: set[Path]) -> None:
        """Nobody comes for a while: a session that runs a thousand times as fast would hardly have been alone."""
        until, since_us = monotonic() + PATIENCE_S, self._clock.now_us()
        while monotonic() < until and self._clock.now_us() < since_us + UNSEEN_S * MICROSECONDS:
            if gone & self._there():
                since_us = self._clock.now_us()
            threading.Event().wait(_LOOK_S)

    def _visit(self) -> int:
        """Bytes that a viewer was sent until its screen stood there; then its terminal is gone."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        command = [sys.executable, "-P", "-m", "tui.cli", "--home", str(self._home), "attach", self._folder.name]
        environ = os.environ | {"TERM": "xterm-256color"}
        process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=environ, cwd="/"
        )
        os.close(slave)
        try:
            return _read(master)
        finally:
            os.close(master)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _read(master: int) -> int:
    """Read for some seconds from the first byte on, or until nothing comes for longer than patience lasts."""
    sent, until = 0, monotonic() + PATIENCE_S
    while (left := until - monotonic()) > 0 and select.select([master], [], [], left)[0]:
        try:
            chunk = os.read(master, _CHUNK)
        except OSError:
            break
        if not chunk:
            break
        until = until if sent else monotonic() + LOOKS_S
        sent += len(chunk)
    return sent
