"""A real terminal for scenarios: a pty whose output is kept as a screen by pyte."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import sys
import termios
import time
from collections.abc import Sequence

import pyte
from processes import PATIENCE_S, ROOT, Longwatch

LINE = [sys.executable, "-P", "-m", "tui.cli"]


class Terminal:
    """A command of the product on a terminal of its own.

    `line`: another program before the arguments; `shell`: a shell with job control, into which one types.
    """

    def __init__(
        self,
        longwatch: Longwatch,
        *arguments: str,
        columns: int = 120,
        rows: int = 36,
        shell: bool = False,
        line: Sequence[str] = (),
    ) -> None:
        self.received = bytearray()
        self._told, self._text = 0, "\n".join([" " * columns] * rows)
        self.screen = pyte.Screen(columns, rows)
        self.screen.write_process_input = self.press
        self._stream = pyte.ByteStream(self.screen)
        what, *before = ["/bin/bash", "--norc", "--noprofile", "-i"] if shell else line or ["tui.cli"]
        environment = {**longwatch.environment, "TERM": "xterm-256color", "PS1": "$ ", "HISTFILE": ""}
        self._master, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        assert longwatch.warm
        self._process = longwatch.warm.start(
            what, *before, *arguments, environment=environment, folder=ROOT, terminal=theirs
        )
        os.close(theirs)
        self.pid = self._process.pid

    def text(self) -> str:
        """What is on the screen now."""
        self._drain(0.02)
        if self._told != len(self.received):
            self._told, self._text = len(self.received), "\n".join(self.screen.display)
        return self._text

    def shows(self, *words: str) -> None:
        """Wait until all the words are on the screen."""
        end, away = time.monotonic() + PATIENCE_S, False
        while time.monotonic() < end:
            text = self.text()
            if all(word in text for word in words):
                return
            away = self._put_away(text, away)
        raise AssertionError(f"never showed {words}:\n{text}")

    def watches(self, *words: str) -> None:
        """Wait until it shows the session."""
        self.shows(*(words or ("running", "Step")))

    def _put_away(self, text: str, away: bool) -> bool:
        """Close an account of what happened, whenever it comes, as a user would: once; whether that is done."""
        there = " Since " in text and "esc close" in text
        if there and not away:
            self.press("\x1b")
        return there

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def ends(self) -> int:
        """Wait for the command that was started to end; its exit code."""
        end = time.monotonic() + PATIENCE_S
        while (code := self._process.poll()) is None and time.monotonic() < end:
            self._drain(0.02)
        assert code is not None, "it never ended:\n" + "\n".join(self.screen.display)
        return code

    def vanish(self) -> None:
        """The terminal goes away, as when a connection drops."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def close(self) -> None:
        self.vanish()
        self._process.kill()
        self._process.wait()

    def _drain(self, patience_s: float) -> None:
        while self._master >= 0 and select.select([self._master], [], [], patience_s)[0]:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            if not data:
                return
            self.received += data
            self._stream.feed(data)
