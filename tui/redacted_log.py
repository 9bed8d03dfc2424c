"""The log of a runner without a terminal: whatever is written to it loses its secrets, line by line."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress


class RedactedLog(io.TextIOBase):
    """Text for the file at a descriptor. Only whole lines are written, for a secret may come in pieces.

    What a full disk does not take is lost: a log is no reason to end.
    """

    def __init__(self, descriptor: int, redact: Callable[[str], str]) -> None:
        self._out = open(descriptor, "a", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        self._redact = redact
        self._held = ""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._out.fileno()

    def write(self, text: str) -> int:
        whole, newline, rest = (self._held + text).rpartition("\n")
        self._held = rest
        if newline:
            with suppress(OSError):
                self._out.write(self._redact(whole) + newline)
                self._out.flush()
        return len(text)

    def flush(self) -> None:
        """Also what is no whole line: nothing may be lost when the process ends."""
        held, self._held = self._held, ""
        with suppress(OSError):
            self._out.write(self._redact(held))
            self._out.flush()
