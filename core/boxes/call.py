"""One run of ssh: its three pipes, read and written without ever waiting for longer than was said."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from contextlib import suppress
from typing import IO, Final

from core.boxes.ssh import Box

_PIECE: Final = 256 * 1024
_ERRORS_KEPT: Final = 8192
_END_S: Final = 2.0


class Call:
    """`longwatch box` on a box. `asks`: ssh may ask at the terminal; else it has none, and fails in place of asking."""

    def __init__(self, box: Box, *, asks: bool) -> None:
        """Raises OSError when there is no ssh."""
        before = signal.signal(signal.SIGINT, signal.SIG_IGN) if asks else None  # A later Ctrl+C is not meant for it.
        try:
            self._process = subprocess.Popen(
                box.line("box", batch=not asks),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=not asks,
            )
        finally:
            if before is not None:
                signal.signal(signal.SIGINT, before)
        self.errors = b""
        """The end of what ssh, or a shell there, complained about."""
        self.sent = self.received = 0
        self._waiting = b""
        self._bell, self._ringer = os.pipe()
        self._files = selectors.DefaultSelector()
        for file in (self._out, self._err, self._in):
            os.set_blocking(file.fileno(), False)
        for descriptor in (self._out.fileno(), self._err.fileno(), self._bell):
            self._files.register(descriptor, selectors.EVENT_READ)

    def ring(self) -> None:
        """End the wait of `read` that is on, or the next one. May be called from any thread."""
        with suppress(OSError):
            os.write(self._ringer, b"!")

    def write(self, data: bytes) -> None:
        """Send it, now as far as it goes, the rest while reading. Raises OSError when the other side is gone."""
        self._waiting += data
        self._flush()

    def read(self, seconds: float) -> bytes | None:
        """What came; None when nothing came in that time, or somebody rang; empty at the end."""
        for key, _ in self._files.select(seconds):
            if key.fd == self._out.fileno():
                data = os.read(key.fd, _PIECE)
                self.received += len(data)
                return data
            if key.fd == self._err.fileno():
                self._complain()
            elif key.fd == self._bell:
                os.read(self._bell, 4096)
            else:
                self._flush()
        return None if self._process.poll() is None else b""  # What ssh began may hold its pipes open.

    def end(self) -> int:
        """Hang up; what ssh ended with. Safe to call twice."""
        self._files.close()
        self._in.close()
        try:
            code = self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        with suppress(OSError, ValueError):
            self._complain()
        for file in (self._out, self._err):
            file.close()
        for descriptor in (self._bell, self._ringer):
            with suppress(OSError):
                os.close(descriptor)
        return code

    def _flush(self) -> None:
        descriptor = self._in.fileno()
        with suppress(BlockingIOError):
            while self._waiting:
                count = os.write(descriptor, self._waiting[:_PIECE])
                self._waiting = self._waiting[count:]
                self.sent += count
        listed = descriptor in self._files.get_map()
        if self._waiting and not listed:
            self._files.register(descriptor, selectors.EVENT_WRITE)
        elif listed and not self._waiting:
            self._files.unregister(descriptor)

    def _complain(self) -> None:
        data = os.read(self._err.fileno(), _PIECE)
        if not data and self._err.fileno() in (self._files.get_map() or {}):
            self._files.unregister(self._err.fileno())
        self.errors = (self.errors + data)[-_ERRORS_KEPT:]

    @property
    def _in(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _out(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def _err(self) -> IO[bytes]:
        assert self._process.stderr is not None
        return self._process.stderr
