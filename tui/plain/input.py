"""Lines typed by somebody, or sent by a program: read without a thread that could steal what is typed later."""

from __future__ import annotations

import asyncio
import os
from codecs import getincrementaldecoder

CHUNK = 65_536
LONGEST_LINE = 200_000
"""Characters; what comes beyond them on the same line is a line of its own."""


class TypedLines:
    """The lines of a descriptor in order, None once it has ended. Use within one event loop."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._watched = False

    def start(self) -> None:
        """Begin to listen. A file, which can't be waited for, is read at once."""
        try:
            asyncio.get_running_loop().add_reader(self._fd, self._read)
            self._watched = True
        except (OSError, ValueError):
            while self._read():
                pass

    def stop(self) -> None:
        """Leave to others what is typed from here on."""
        if self._watched:
            self._watched = False
            asyncio.get_running_loop().remove_reader(self._fd)

    async def next(self) -> str | None:
        """The next line, without its end."""
        return await self._lines.get()

    def _read(self) -> bool:
        """Take what is there; False at the end."""
        try:
            data = os.read(self._fd, CHUNK)
        except OSError:
            data = b""
        *lines, self._rest = (self._rest + self._decode(data, final=not data)).split("\n")
        if len(self._rest) > LONGEST_LINE or (not data and self._rest):
            lines, self._rest = [*lines, self._rest], ""
        for line in lines:
            self._lines.put_nowait(line)
        if not data:
            self.stop()
            self._lines.put_nowait(None)
        return bool(data)
