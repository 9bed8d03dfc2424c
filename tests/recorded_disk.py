"""What SQLite writes, recorded call by call, and the disks that a power cut could have left of it.

The recorder stands between SQLite and the operating system, as a VFS of its own around the default one; the writing
program knows nothing of it. A disk keeps what was synced; of later writes each 512-byte sector is there or not.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p, cast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

SECTOR = 512
_NAME = b"recorded"
_CREATE = 0x4
_LOGS = ("-wal", "-journal")

_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_Delete = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_Close = CFUNCTYPE(c_int, c_void_p)
_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)


class _Vfs(ctypes.Structure):
    """sqlite3_vfs, version 3."""

    _fields_ = [
        *(("iVersion", c_int), ("szOsFile", c_int), ("mxPathname", c_int), ("pNext", c_void_p), ("zName", c_char_p)),
        *(("pAppData", c_void_p), ("xOpen", c_void_p), ("xDelete", c_void_p)),
        *((f"method{number}", c_void_p) for number in range(14)),
    ]


class _Methods(ctypes.Structure):
    """sqlite3_io_methods, version 3."""

    _fields_ = [
        *(("iVersion", c_int), ("xClose", c_void_p), ("xRead", c_void_p), ("xWrite", c_void_p)),
        *(("xTruncate", c_void_p), ("xSync", c_void_p)),
        *((f"method{number}", c_void_p) for number in range(13)),
    ]


class Op(NamedTuple):
    """One step: a write of `data` at `at`, a truncation to `at`, a sync or deletion of `file`, or `at` acknowledged.

    Names are as safe as the last sync of the folder.
    """

    what: Literal["write", "truncate", "sync", "delete", "sync folder", "acknowledged"]
    file: str
    at: int = 0
    data: bytes = b""


@dataclass
class Recording:
    """The steps in their order; files go by their names alone. `renamed`: what a file was called while it was made."""

    ops: list[Op] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)

    def add(self, what: Any, path: str, at: int = 0, data: bytes = b"") -> None:
        name = Path(path).name
        self.ops.append(Op(what, self.renamed.get(name, name), at, data))

    def acknowledge(self, number: int) -> None:
        """Note that somebody was told: everything up to `number` is safe."""
        self.ops.append(Op("acknowledged", "", number))

    def acknowledged(self, until: int) -> int:
        """What had been promised before step `until`."""
        return max((op.at for op in self.ops[:until] if op.what == "acknowledged"), default=0)


class _Recorder:
    """The VFS. Functions and structures are kept as long as SQLite may call them."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._library = ctypes.CDLL(_sqlite3.__file__)
        self._library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        self._library.sqlite3_vfs_find.argtypes = [c_char_p]
        self._library.sqlite3_vfs_register.argtypes = [c_void_p, c_int]
        self._library.sqlite3_vfs_unregister.argtypes = [c_void_p]
        self._original = self._library.sqlite3_vfs_find(None)
        self._open = _Open(self._original.contents.xOpen)
        self._delete = _Delete(self._original.contents.xDelete)
        self._names: dict[int, str] = {}
        self._new: set[int] = set()
        """Logs that were just made: their first sync is one of the folder, too."""
        self._wrapped: dict[int, _Methods] = {}
        self._callbacks: list[Any] = [_Open(self._on_open), _Delete(self._on_delete)]
        self._vfs = _Vfs.from_buffer_copy(self._original.contents)
        self._vfs.zName, self._vfs.pNext = _NAME, None
        self._vfs.xOpen, self._vfs.xDelete = (cast(function, c_void_p).value for function in self._callbacks)

    def start(self) -> None:
        self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)

    def stop(self) -> None:
        self._library.sqlite3_vfs_unregister(ctypes.byref(self._vfs))
        self._library.sqlite3_vfs_register(self._original, 1)

    def _on_open(self, vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        code = self._open(vfs, name, file, flags, out)
        slot = c_void_p.from_address(file)
        if code == 0 and name and slot.value:
            self._names[file] = ctypes.string_at(name).decode()
            if flags & _CREATE and self._names[file].endswith(_LOGS):
                self._new.add(file)
            slot.value = ctypes.addressof(self._methods(slot.value))
        return code

    def _on_delete(self, vfs: int, name: bytes, sync: int) -> int:
        code = self._delete(vfs, name, sync)
        self._recording.add("delete", name.decode())
        if sync:
            self._recording.add("sync folder", "")
        return code

    def _methods(self, original: int) -> _Methods:
        """The methods of a kind of file, with those that change it recorded first."""
        if original not in self._wrapped:
            plain = _Methods.from_address(original)
            wrapped = _Methods.from_buffer_copy(plain)
            close, write = _Close(plain.xClose), _Write(plain.xWrite)
            truncate, sync = _Truncate(plain.xTruncate), _Sync(plain.xSync)

            def on_close(file: int) -> int:
                self._names.pop(file, None)
                self._new.discard(file)
                return close(file)

            def on_write(file: int, data: int, size: int, at: int) -> int:
                self._recording.add("write", self._names[file], at, ctypes.string_at(data, size))
                return write(file, data, size, at)

            def on_truncate(file: int, size: int) -> int:
                self._recording.add("truncate", self._names[file], size)
                return truncate(file, size)

            def on_sync(file: int, flags: int) -> int:
                code = sync(file, flags)
                self._recording.add("sync", self._names[file])
                if file in self._new:
                    self._new.discard(file)
                    self._recording.add("sync folder", "")
                return code

            callbacks = [_Close(on_close), _Write(on_write), _Truncate(on_truncate), _Sync(on_sync)]
            self._callbacks += callbacks
            wrapped.xClose, wrapped.xWrite, wrapped.xTruncate, wrapped.xSync = (
                cast(function, c_void_p).value for function in callbacks
            )
            self._wrapped[original] = wrapped
        return self._wrapped[original]


def can_record() -> bool:
    """Whether this Python's SQLite is a library that can be reached."""
    return hasattr(ctypes.CDLL(getattr(_sqlite3, "__file__", None)), "sqlite3_vfs_register")


@contextmanager
def recorded(renamed: dict[str, str] | None = None) -> Iterator[Recording]:
    """Record every connection of this process that is opened and closed inside."""
    recording = Recording(renamed=renamed or {})
    recorder = _Recorder(recording)
    recorder.start()
    try:
        yield recording
    finally:
        recorder.stop()


def after_power_cut(recording: Recording, until: int, pick: random.Random) -> dict[str, bytes]:
    """The files of a disk that lost its power before step `until`."""
    ops = recording.ops[:until]
    synced = {op.file: number for number, op in enumerate(ops) if op.what == "sync"}
    named = max((number for number, op in enumerate(ops) if op.what == "sync folder"), default=-1)
    share = pick.choice((0.0, 0.5, 0.9, 1.0))
    files: dict[str, bytearray] = {}
    undeleted: set[str] = set()
    for number, op in enumerate(ops):
        durable = number < synced.get(op.file, -1)
        if op.file in undeleted:
            continue  # The name still stands for the old file; what came to the new one is not found.
        if op.what == "delete":
            if number < named or pick.random() < share:
                files.pop(op.file, None)
            else:
                undeleted.add(op.file)
        else:
            _apply(op, files.setdefault(op.file, bytearray()), lambda durable=durable: durable or pick.random() < share)
    return {name: bytes(content) for name, content in files.items() if name}


def _apply(op: Op, content: bytearray, survives: Callable[[], bool]) -> None:
    if op.what == "truncate" and survives():
        del content[op.at :]
    elif op.what == "write":
        for at, piece in _sectors(op):
            if survives():
                content.extend(bytes(max(0, at - len(content))))
                content[at : at + len(piece)] = piece


def _sectors(op: Op) -> Iterator[tuple[int, bytes]]:
    """The parts of a write by the sectors of the disk that they fall into."""
    at, end = op.at, op.at + len(op.data)
    while at < end:
        border = min(end, (at // SECTOR + 1) * SECTOR)
        yield at, op.data[at - op.at : border - op.at]
        at = border
