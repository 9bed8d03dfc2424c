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

from core.clock import monotonic

COLUMNS, ROWS = 80, 24
PATIENCE_S, LOOKS_S = 45.0, 6.0
"""Until the first byte, and how long somebody looks from then on."""
_CHUNK = 65_536


class Terminals:
    """Viewers of the session `folder` in `home`. `counted` holds how many bytes they were sent, over all processes."""

    def __init__(self, home: Path, folder: Path, counted: Path) -> None:
        self._home, self._folder, self._counted = home, folder, counted
        self._thread: threading.Thread | None = None

    def lose_one(self) -> None:
        """A viewer comes, its terminal goes away under it, another one comes. Goes on beside the session."""
        self._thread = threading.Thread(target=self._visits, name="terminals", daemon=True)
        self._thread.start()

    def _visits(self) -> None:
        sent = 0
        for _ in range(2):
            sent += self._visit()
            self._counted.write_text(str(sent), encoding="ascii")

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
