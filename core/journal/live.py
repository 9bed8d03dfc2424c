"""The reply in flight, for viewers only: a file of deltas that goes once the outcome is in the journal.

Losing it loses nothing: after a crash the request is sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import BinaryIO, Final, Literal

import msgspec

LIVE: Final = "live"
FLUSH_EVERY_S: Final = 0.1
_SUFFIX: Final = ".jsonl"
_READ_MAX: Final = 4 * 1024 * 1024

DeltaKind = Literal["text", "thinking", "tool", "arguments"]


class Delta(msgspec.Struct, frozen=True):
    """A piece of content block `index`: visible text, thinking, or the JSON of a call's arguments."""

    kind: str = msgspec.field(name="t")
    index: int = msgspec.field(name="i")
    text: str = msgspec.field(name="d")


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Delta)


class LiveText:
    """Writes the deltas of one attempt, gathered and flushed at most ten times a second by the running loop.

    The file appears with the first flush, so a reply that is over before that never touches the disk. A disk that
    refuses ends the showing, never the reply.
    """

    def __init__(self, folder: Path, attempt: str) -> None:
        self.path = folder / LIVE / f"{attempt}{_SUFFIX}"
        self._waiting: list[tuple[str, int, list[str]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._file: BinaryIO | None = None
        self._over = False

    def add(self, kind: DeltaKind, index: int, text: str) -> None:
        """Take a delta; consecutive ones of the same block become one row."""
        if self._waiting and self._waiting[-1][:2] == (kind, index):
            self._waiting[-1][2].append(text)
        else:
            self._waiting.append((kind, index, [text]))
        if self._timer is None and not self._over:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_EVERY_S, self.flush)

    def flush(self) -> None:
        """Write what waits, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deltas = [Delta(kind, index, _clean("".join(parts))) for kind, index, parts in self._waiting]
        self._waiting.clear()
        if deltas and not self._over:
            try:
                self._file = self._file or self._open()
                self._file.write(_ENCODER.encode_lines(deltas))
            except OSError:
                self._shut()

    def close(self) -> None:
        """Flush and stop; what was written stays until `discard`. Safe to call twice."""
        self.flush()
        self._shut()

    def discard(self) -> None:
        """Remove what was written: the outcome is in the journal. Closes first when need be."""
        self._waiting.clear()
        self.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _open(self) -> BinaryIO:
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        return os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb", buffering=0)

    def _shut(self) -> None:
        self._over = True
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


class LiveTail:
    """Reads the newest reply in flight, each time from where it stopped; never blocks long, never raises."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / LIVE
        self.attempt: str | None = None
        """The attempt that was read last; None while no reply is in flight. When it changes, start a new block."""
        self._offset = 0

    def read(self) -> list[Delta]:
        """Deltas of `attempt` since the last call."""
        path = self._newest()
        attempt = path.name.removesuffix(_SUFFIX) if path else None
        if attempt != self.attempt:
            self.attempt, self._offset = attempt, 0
        if path is None:
            return []
        try:
            with path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(_READ_MAX)
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        if not whole and len(data) == _READ_MAX:
            whole = data  # One row longer than any that we write: pass over it.
        self._offset += len(whole)
        return [delta for line in whole.splitlines() if (delta := _decode(line)) is not None]

    def _newest(self) -> Path | None:
        with contextlib.suppress(OSError):
            files = [(entry.stat().st_mtime_ns, entry.name) for entry in os.scandir(self._folder) if _is_live(entry)]
            if files:
                return self._folder / max(files)[1]
        return None


def clear_live(folder: Path) -> None:
    """Remove what a crashed runner left; for the holder of the lease, before its first request."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder / LIVE):
            if _is_live(entry):
                Path(entry.path).unlink(missing_ok=True)


def _is_live(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(_SUFFIX) and entry.is_file(follow_symlinks=False)


def _clean(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _decode(line: bytes) -> Delta | None:
    try:
        return _DECODER.decode(line)
    except msgspec.DecodeError:
        return None
