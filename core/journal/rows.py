"""One event as one row: its columns, the hash chain over them, and blobs as they are stored.

The chain is integrity, not authenticity: it names the first event that a disk or a hand has changed.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from sys import intern
from typing import Any, Final, NamedTuple

import msgspec

from core.events import Body, Draft, Event, ModelRequested, ToolFinished, clean_text, decode_body, encode_body
from core.journal.errors import JournalError

COLUMNS: Final = "seq, parent, node, kind, key, at_us, actor, body, chain"
INSERT: Final = f"INSERT INTO event({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
"""Takes what `stored` gives."""
GENESIS: Final = bytes(32)
_ABSENT: Final = b"\xff\xff\xff\xff"
_LENGTH = struct.Struct(">I")
_A_HASH: Final = GENESIS.hex()
_COMPRESS_FROM: Final = 256
_COMPRESS_BODY_FROM: Final = 512
_BODY_LEVEL: Final = 6


class Row(NamedTuple):
    """An event with its `body` as JSON text; `chain` is 32 bytes. Long bodies are stored compressed, see `stored`."""

    seq: int
    parent: int | None
    node: int | None
    kind: str
    key: str | None
    at_us: int
    actor: str
    body: str
    chain: bytes = GENESIS


def stored(row: Row) -> tuple[Any, ...]:
    """The columns of a row as SQLite keeps them; a body in TEXT is plain, one in BLOB compressed."""
    data = row.body.encode()
    if len(data) < _COMPRESS_BODY_FROM:
        return row
    return row._replace(body=zlib.compress(data, _BODY_LEVEL))  # type: ignore[arg-type]


def load(columns: Sequence[Any]) -> Row:
    """The row of stored columns. Raises ValueError when its body can't be unpacked."""
    row = Row._make(columns)
    return row if isinstance(row.body, str) else row._replace(body=text_of(row.body))


def text_of(body: str | bytes) -> str:
    """The JSON text of a stored body. Raises ValueError when it can't be unpacked."""
    if isinstance(body, str):
        return body
    try:
        return zlib.decompress(body).decode()
    except (zlib.error, TypeError) as error:  # TypeError: damage can make a number of it.
        raise ValueError(f"a compressed body is damaged: {error}") from error


def link(previous: bytes, row: Row) -> bytes:
    """SHA-256 of the previous link and every column, each with its length before it."""
    digest = hashlib.sha256(previous)
    for value in row[:-1]:
        if value is None:
            digest.update(_ABSENT)
        else:
            data = str(value).encode()
            digest.update(_LENGTH.pack(len(data)) + data)
    return digest.digest()


def event(row: Row, body: Body) -> Event:
    """The event of a row whose body is decoded."""
    return Event(
        seq=row.seq,
        parent=row.parent,
        node=row.node,
        kind=intern(row.kind),
        key=row.key,
        at_us=row.at_us,
        actor=intern(row.actor),
        body=body,
        chain=row.chain,
    )


def decode(row: Row) -> Event:
    """The event of a stored row. Raises msgspec.DecodeError when its body is no JSON."""
    return event(row, decode_body(row.kind, row.body))


class Prepared(NamedTuple):
    """A draft whose body is encoded; `body` is what the text decodes to."""

    kind: str
    key: str | None
    actor: str
    body: Body
    text: str


def prepare(draft: Draft) -> Prepared:
    """Encode a draft; lone surrogates, valid in JSON but in no UTF-8, are replaced. Raises JournalError, ValueError."""
    body, kind = draft.body, draft.body.KIND
    if not kind:
        raise ValueError(f"{type(body).__name__} has no kind and can't be recorded")
    try:
        text = encode_body(body)
    except UnicodeEncodeError:
        body = msgspec.convert(clean_text(msgspec.to_builtins(body)), type(body))
        text = encode_body(body)
    except RecursionError as error:
        raise JournalError(f"A {kind} event is nested too deeply to be recorded.") from error
    return Prepared(kind, clean_text(draft.key), clean_text(draft.actor), body, text)


def hash_of(data: bytes) -> str:
    """The name of a blob: SHA-256 of its raw bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def blobs_of(body: Body) -> set[str]:
    """The blobs that an event of ours can't be told without: whole outputs, the fixed parts of requests."""
    names: tuple[str | None, ...] = ()
    if isinstance(body, ToolFinished):
        names = (body.blob,)
    elif isinstance(body, ModelRequested):
        names = (body.system, body.tools)
    return {name for name in names if name and len(name) == len(_A_HASH)}


def pack(data: bytes) -> tuple[str, int, str, bytes]:
    """A blob as its row (hash, raw size, codec, data), compressed when that pays."""
    if len(data) >= _COMPRESS_FROM:
        packed = zlib.compress(data)
        if len(packed) < len(data) * 9 // 10:
            return hash_of(data), len(data), "zlib", packed
    return hash_of(data), len(data), "raw", data


def unpack(size: int, codec: str, data: bytes) -> bytes:
    """The raw bytes of a blob row, never more than `size`. Raises ValueError when they don't fit together."""
    try:
        if codec == "zlib":
            data = zlib.decompressobj().decompress(data, size + 1)
    except (zlib.error, TypeError, OverflowError) as error:
        raise ValueError(f"it can't be unpacked: {error}") from error
    if codec not in ("zlib", "raw"):
        raise ValueError(f"unknown codec {codec}")
    if len(data) != size:
        raise ValueError("wrong size")
    return data
