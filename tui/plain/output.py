"""Lines to a terminal or a pipe: the last barrier against foreign text, colour where it is wanted, and no waiting."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Full, Queue
from threading import Thread

from tui.plain.lines import Tone
from tui.safe import CONTROL
from tui.terminal import DUMB

MOST_WAITING = 10_000
"""Lines kept for somebody who does not read on; what comes after them is counted and left out."""
FLUSH_S = 1.0
"""Longest time that leaving waits for what is still to be written."""

_COLOURS: dict[Tone, str] = {"user": "36", "agent": "1", "quiet": "2", "wrong": "31", "needs": "1;33"}


def has_colour(fd: int, environ: Mapping[str, str]) -> bool:
    """Whether the descriptor is a terminal with colours, and nobody forbade them (no-color.org)."""
    return os.isatty(fd) and environ.get("TERM") not in (None, "", *DUMB) and not environ.get("NO_COLOR")


def printable(line: str) -> str:
    """A line in which nothing is left that could control a terminal."""
    return CONTROL.sub(" ", line.expandtabs(4))


class LineWriter:
    """Writes whole lines in a thread, so that a reader who stalls never holds up anything else.

    `lost` is called once, in that thread, when nobody can read any more.
    """

    def __init__(
        self, fd: int, *, colour: bool = False, encoding: str = "utf-8", lost: Callable[[], None] = lambda: None
    ) -> None:
        self._fd, self._colour, self._encoding, self._lost = fd, colour, encoding, lost
        self._queue: Queue[str | None] = Queue(MOST_WAITING)
        self._dropped = 0
        self._thread = Thread(target=self._write_all, name="lines", daemon=True)
        self._thread.start()

    def say(self, text: str, tone: Tone = "") -> None:
        """One line, or several."""
        lines = [self._painted(printable(line), tone) for line in text.split("\n")]
        try:
            if self._dropped:
                self._queue.put_nowait(f"{self._dropped:,} lines were left out: nobody was reading.\n")
                self._dropped = 0
            self._queue.put_nowait("\n".join(lines) + "\n")
        except Full:
            self._dropped += len(lines)

    def ring(self) -> None:
        """The bell, where it is a terminal's."""
        if os.isatty(self._fd):
            with suppress(Full):
                self._queue.put_nowait("\a")

    def close(self) -> None:
        """Let what waits be written, for a moment."""
        with suppress(Full):
            self._queue.put(None, timeout=FLUSH_S)
            self._thread.join(FLUSH_S)

    def _painted(self, line: str, tone: Tone) -> str:
        code = _COLOURS.get(tone, "")
        return f"\x1b[{code}m{line}\x1b[0m" if self._colour and code and line else line

    def _write_all(self) -> None:
        while (text := self._queue.get()) is not None:
            data = memoryview(text.encode(self._encoding, "replace"))
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:
                self._lost()
                return
