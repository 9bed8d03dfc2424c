"""Output that is too long for the context: its head and tail, and a line that names the handle of the whole."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.tools.common import count

HEAD_CHARS = 4_000
TAIL_CHARS = 8_000
SNIFF_BYTES = 8_192

_CHUNK_BYTES = 1 << 20
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\b\x1b")
_SIGNATURES = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "gzip data",
    b"\x7fELF": "an ELF program",
    b"SQLite format 3": "an SQLite database",
}


@dataclass(frozen=True, slots=True)
class Capped:
    """`text` is what the model sees; `whole` says whether that is everything."""

    text: str
    whole: bool


def cap(text: str, handle: str, head: int = HEAD_CHARS, tail: int = TAIL_CHARS) -> Capped:
    """`text` if it has at most `head + tail` characters, else both ends around a line that names `handle`."""
    return _cap([text], handle, head, tail)


def cap_file(path: Path, handle: str, head: int = HEAD_CHARS, tail: int = TAIL_CHARS) -> Capped:
    """The same for a file of any size, read in pieces; binary content is described, not shown. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(SNIFF_BYTES)
    if is_binary(start):
        return Capped(f"[{describe_binary(start, path.stat().st_size)}; not shown]", whole=False)
    return _cap(_decoded(path), handle, head, tail)


def is_binary(start: bytes) -> bool:
    """Whether the first bytes of a file look like anything but text (UTF-16 with a byte order mark is text)."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return False
    controls = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in start)
    return 0 in start or controls * 10 > len(start)


def describe_binary(start: bytes, size: int) -> str:
    """`binary, a PNG image, 1,204 bytes, starting 89 50 4e 47 0d 0a 1a 0a`."""
    what = next((f"{name}, " for magic, name in _SIGNATURES.items() if start.startswith(magic)), "")
    return f"binary, {what}{count(size, 'byte')}, starting {start[:8].hex(' ')}"


def _decoded(path: Path) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _cap(chunks: Iterable[str], handle: str, head: int, tail: int) -> Capped:
    first, last, length, lines = "", "", 0, 0
    for chunk in chunks:
        if len(first) < head + tail:
            first += chunk[: head + tail - len(first)]
        last = (last + chunk[-tail:])[-tail:]
        length += len(chunk)
        lines += chunk.count("\n")
    if length <= head + tail:
        return Capped(first, whole=True)
    front, back = _front(first[:head]), _back(last)
    hidden_lines = lines - front.count("\n") - back.count("\n")
    mark = _mark(hidden_lines, length - len(front) - len(back), handle)
    return Capped(f"{front.rstrip(chr(10))}\n{mark}\n{back}", whole=False)


def _front(text: str) -> str:
    """Cut at the end of a line, unless that would cost more than a quarter."""
    end = text.rfind("\n") + 1
    return text[:end] if end > len(text) * 3 // 4 else text


def _back(text: str) -> str:
    start = text.find("\n") + 1
    return text[start:] if 0 < start < len(text) // 4 else text


def _mark(lines: int, characters: int, handle: str) -> str:
    what = f"{count(lines, 'line')}, {count(characters, 'character')}" if lines else count(characters, "character")
    return f'[… {what} left out; recall(handle="{handle}") returns the whole, with offset and limit …]'
