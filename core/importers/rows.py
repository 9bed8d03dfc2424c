"""A file of rows or one document, read under limits: nothing in it can fill the memory or end the import."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from core.clock import MICROSECONDS
from core.events import MOST_TOKENS

MAX_ROW: Final = 64 * 1024**2
"""Bytes of one row; a longer one is passed over without being held in memory."""
MAX_DOCUMENT: Final = 512 * 1024**2
"""Bytes of a format that is one JSON document and can only be read whole."""
MAX_PIPED: Final = 2 * 1024**3
"""Bytes that are read from a pipe."""
_QUOTED: Final = 2_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class ImportProblem(Exception):
    """A file can't be imported; the text says what it is and what was read."""


@dataclass(slots=True)
class Tally:
    """What was read so far. `unreadable`: rows that are no JSON object, too long, or cut off."""

    bytes: int = 0
    rows: int = 0
    unreadable: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    """Rows that only repeat what others say or tick along, by type: counted, not kept."""

    def leave_out(self, what: str) -> None:
        self.left_out[what] = self.left_out.get(what, 0) + 1


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that is no JSON object: why, and how it begins."""

    row: int
    why: str
    text: str


def rows_of(file: IO[bytes], tally: Tally) -> Iterator[tuple[int, dict[str, Any]] | Unreadable]:
    """Every row with its number; blank ones are passed over. Memory is that of one row."""
    decode = msgspec.json.Decoder().decode
    number = 0
    while line := file.readline(MAX_ROW + 1):
        number += 1
        tally.bytes += len(line)
        if len(line) > MAX_ROW and not line.endswith(b"\n"):
            yield _too_long(file, line, number, tally)
            continue
        if line.isspace():
            continue
        tally.rows += 1
        try:
            value = decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            value = _leniently(line)
        if isinstance(value, dict):
            yield number, value
        else:
            tally.unreadable += 1
            yield Unreadable(number, _why(value, line), line[:_QUOTED].decode("utf-8", "replace").strip())


def _too_long(file: IO[bytes], line: bytes, number: int, tally: Tally) -> Unreadable:
    size, head = len(line), line[:_QUOTED]
    while not line.endswith(b"\n") and (line := file.readline(1 << 20)):
        size += len(line)
    tally.bytes += size - MAX_ROW - 1
    tally.rows += 1
    tally.unreadable += 1
    return Unreadable(number, f"a row of {size:,} bytes, too long to be read", head.decode("utf-8", "replace"))


def _leniently(data: bytes) -> Any:
    """With the standard library, which takes NaN, lone surrogates and bytes that are no UTF-8; None: no JSON."""
    try:
        return json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _why(value: Any, line: bytes) -> str:
    if value is not None or line.strip() == b"null":
        return "no JSON object"
    return "no JSON" if line.endswith(b"\n") else "cut off in the middle of a row"


def readable_twice(path: Path, place: Path) -> Path:
    """A file as it is; what a pipe holds (`-`: standard input) is written down in `place` first.

    Raises ImportProblem where that is too much.
    """
    if str(path) != "-" and (path.is_file() or path.is_dir()):
        return path
    copy, left = place / "piped", MAX_PIPED
    with open(0 if str(path) == "-" else path, "rb", closefd=str(path) != "-") as pipe, copy.open("wb") as out:
        while piece := pipe.read(1 << 20):
            left -= len(piece)
            if left < 0:
                raise ImportProblem(f"{path} is more than {MAX_PIPED:,} bytes; up to so many are read from a pipe.")
            out.write(piece)
    return copy


def document_of(path: Path, tally: Tally) -> Any:
    """A file that is one JSON document. Raises ImportProblem."""
    size = path.stat().st_size
    if size > MAX_DOCUMENT:
        raise ImportProblem(f"{path} is one JSON document of {size:,} bytes; up to {MAX_DOCUMENT:,} can be read.")
    return parse(path.read_bytes(), str(path), tally)


def parse(data: bytes, what: str, tally: Tally) -> Any:
    """JSON that came whole, `what` it is in words. Raises ImportProblem."""
    tally.bytes += len(data)
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        pass
    value = _leniently(data)
    if value is None and data.strip() != b"null":
        raise ImportProblem(f"{what} is no JSON that can be read: it is damaged, or cut off.")
    return value


def time_us(value: Any) -> int | None:
    """A time as journal time: ISO 8601 (without a zone: UTC), seconds or milliseconds since the epoch; else None."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        try:
            return _sane((moment - _EPOCH) // _MICROSECOND)
        except OverflowError:
            return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e14:
        return _sane(int((value / 1_000 if value > 1e11 else value) * MICROSECONDS))
    return None


_LATEST_US: Final = 4_102_444_800 * MICROSECONDS
"""The year 2100: what lies outside of our times is no time of a session."""


def _sane(at_us: int) -> int | None:
    return at_us if 0 < at_us < _LATEST_US else None


def text_of(value: Any) -> str:
    """The text of a message's content: a string, or a list of blocks; what is no text is named in brackets."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(part for part in map(_part, value) if part)
    if isinstance(value, dict):
        return _part(value)
    return "" if value is None else str(value)


def _part(block: Any) -> str:
    if isinstance(block, str):
        return block
    if not isinstance(block, dict):
        return "" if block is None else str(block)
    for name in ("text", "output", "content", "thinking", "reasoning"):
        if isinstance(block.get(name), str):
            return str(block[name])
    if isinstance(block.get("content"), list):
        return text_of(block["content"])
    kind = block.get("type")
    return f"[{kind}]" if isinstance(kind, str) else ""


def number(value: Any) -> int | None:
    """A whole number that is not negative, else None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def tokens(value: Any) -> int | None:
    """A count of tokens, None where it is none that a reply can have."""
    count = number(value)
    return count if count is not None and count <= MOST_TOKENS else None


def words(value: Any, otherwise: str = "") -> str:
    """The value if it is a text."""
    return value if isinstance(value, str) else otherwise


def fields(value: Any) -> dict[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def dollars(value: Any) -> str | None:
    """A sum in US dollars as a decimal string, None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        return None
    return f"{value:.10f}".rstrip("0").rstrip(".") or "0"
