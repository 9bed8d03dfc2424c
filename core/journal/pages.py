"""The pages of a database and its write-ahead log, read without SQLite, which gives up where a page is broken.

Nothing here is trusted: a page that makes no sense yields nothing, and whoever uses a record checks it by its hash.
The layout is that of sqlite.org/fileformat2.html: table leaf pages, overflow pages, records, log frames.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

HEADER_BYTES: Final = 100
_TABLE_LEAF: Final = 0x0D
_WAL_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_WAL_MAGICS: Final = (0x377F0682, 0x377F0683)
_INTEGER_BYTES: Final = (0, 1, 2, 3, 4, 6, 8)
_LARGEST_RECORD: Final = 1 << 30

Record = tuple[int, list[Any]]
"""A rowid and its columns."""
PageSource = Callable[[int], bytes]
"""A page by its number from 1; empty when there is none."""


class Frame(NamedTuple):
    """A page in the write-ahead log. `applied`: SQLite reads it; `current`: it belongs to the log as it is now."""

    page: int
    commits: bool
    data: bytes
    applied: bool
    current: bool


def pages_of(data: bytes, size: int, newer: Mapping[int, bytes] | None = None) -> PageSource:
    """The pages of a file's bytes, with those of a log laid over them."""
    overlay = newer or {}

    def page(number: int) -> bytes:
        return overlay.get(number) or data[(number - 1) * size : number * size]

    return page


def records(page: bytes, number: int, source: PageSource) -> Iterator[Record]:
    """The records of a table leaf page; nothing for any other page, and none that does not fit together."""
    for rowid, payload in payloads(page, number, source):
        with suppress(IndexError, ValueError, OverflowError):
            yield rowid, columns_of(payload)


def payloads(page: bytes, number: int, source: PageSource) -> Iterator[tuple[int, bytes]]:
    """The same before their columns are told apart."""
    start = HEADER_BYTES if number == 1 else 0
    if len(page) < start + 8 or page[start] != _TABLE_LEAF:
        return
    cells = int.from_bytes(page[start + 3 : start + 5], "big")
    for at in range(start + 8, min(start + 8 + 2 * cells, len(page) - 1), 2):
        place = int.from_bytes(page[at : at + 2], "big")
        with suppress(IndexError, ValueError):
            yield _cell(page, place, source)


def read_frames(path: Path, size: int) -> list[Frame]:
    """Every whole frame of a write-ahead log, in the order of the file; none when there is no log."""
    try:
        data = path.read_bytes()
    except OSError:
        return []
    if len(data) < _WAL_HEADER.size + _FRAME.size + size:
        return []
    magic, *_, salt1, salt2, sum1, sum2 = _WAL_HEADER.unpack_from(data)
    order = ">" if magic & 1 else "<"
    state = _checksum(order, data[: _WAL_HEADER.size - 8], (0, 0))
    valid = magic in _WAL_MAGICS and state == (sum1, sum2)
    salts = (salt1, salt2) if valid else _FRAME.unpack_from(data, _WAL_HEADER.size)[2:4]
    found: list[tuple[Frame, bool]] = []
    for at in range(_WAL_HEADER.size, len(data) - _FRAME.size - size + 1, _FRAME.size + size):
        number, commit, *rest = _FRAME.unpack_from(data, at)
        body = data[at + _FRAME.size : at + _FRAME.size + size]
        current = tuple(rest[:2]) == tuple(salts)
        if valid and current:
            state = _checksum(order, data[at : at + 8] + body, state)
        valid = valid and current and state == tuple(rest[2:])
        found.append((Frame(number, bool(commit), body, False, current), valid))
    return _applied(found)


def _applied(found: Sequence[tuple[Frame, bool]]) -> list[Frame]:
    """SQLite reads up to the last commit before the first frame that does not hold."""
    last = max((index for index, (frame, valid) in enumerate(found) if valid and frame.commits), default=-1)
    return [frame._replace(applied=index <= last) for index, (frame, _) in enumerate(found)]


def _checksum(order: str, data: bytes, state: tuple[int, int]) -> tuple[int, int]:
    first, second = state
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def _cell(page: bytes, place: int, source: PageSource) -> tuple[int, bytes]:
    length, place = _varint(page, place)
    rowid, place = _varint(page, place)
    if length > _LARGEST_RECORD:
        raise ValueError("no record is so long")
    usable = len(page)
    local = _local(length, usable)
    payload = page[place : place + local]
    if local < length:
        following = int.from_bytes(page[place + local : place + local + 4], "big")
        payload += _overflow(following, length - local, usable, source)
    if len(payload) != length:
        raise ValueError("the record is cut off")
    return _signed(rowid), payload


def _local(length: int, usable: int) -> int:
    """How many bytes of a record stand in its leaf page."""
    most = usable - 35
    if length <= most:
        return length
    least = (usable - 12) * 32 // 255 - 23
    rest = least + (length - least) % (usable - 4)
    return rest if rest <= most else least


def _overflow(number: int, length: int, usable: int, source: PageSource) -> bytes:
    pieces = []
    while length > 0:
        page = source(number) if number else b""
        if len(page) < usable:
            raise ValueError("a page of the record is missing")
        piece = page[4 : 4 + min(length, usable - 4)]
        pieces.append(piece)
        length -= len(piece)
        number = int.from_bytes(page[:4], "big")
    return b"".join(pieces)


def columns_of(payload: bytes) -> list[Any]:
    """The columns of a record. Raises ValueError or IndexError when they don't fit together."""
    head, place = _varint(payload, 0)
    kinds = []
    while place < head:
        kind, place = _varint(payload, place)
        kinds.append(kind)
    ends = [head]
    for kind in kinds:
        ends.append(ends[-1] + _width(kind))
    if place != head or ends[-1] != len(payload):
        raise ValueError("the columns do not fill the record")
    return [_value(kind, payload[start:end]) for kind, (start, end) in zip(kinds, pairwise(ends), strict=True)]


def _width(kind: int) -> int:
    if kind < len(_INTEGER_BYTES):
        return _INTEGER_BYTES[kind]
    return 8 if kind == 7 else 0 if kind < 12 else (kind - 12) // 2


def _value(kind: int, data: bytes) -> Any:
    if kind == 0:
        return None
    if kind < len(_INTEGER_BYTES):
        return int.from_bytes(data, "big", signed=True)
    if kind in (8, 9):
        return kind - 8
    if kind < 12:
        raise ValueError("no journal holds such a column")
    return data.decode() if kind % 2 else data


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        byte = data[place + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + index + 1
    return value << 8 | data[place + 8], place + 9


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
