"""Images and documents as a result of a call: what they really are, whether an endpoint takes them, what they weigh."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from msgspec import Struct

LARGEST_IMAGE = 3_750_000
"""Bytes; in base64 that is the 5 MB of the Messages API."""
LARGEST_DOCUMENT = 10_000_000
LONGEST_SIDE = 8_000
"""Pixels."""
MOST = 4
"""Images and documents of one result; each stays in the context."""
_PIXELS_PER_TOKEN = 750
_DEAREST_IMAGE = 1_600
_TOKENS_PER_PAGE = 2_000
_PAGE = re.compile(rb"/Type\s*/Page(?![a-zA-Z])")


class Media(Struct, frozen=True):
    """`kind` is `image` or `document`; `tokens` an estimate of what it adds to each prompt."""

    kind: str
    media_type: str
    data: bytes
    size: str
    tokens: int

    @property
    def line(self) -> str:
        """What is shown of it."""
        return f"[{self.kind}, {self.media_type}, {self.size}, {len(self.data):,} bytes, about {self.tokens:,} tokens]"


class Unfit(Exception):
    """Why data can't be passed to a model, as the rest of a sentence."""


def media_of(data: bytes) -> Media:
    """What the bytes are, whatever anybody says of them. Raises Unfit for what an endpoint would refuse."""
    if data.startswith(b"%PDF-"):
        return _document(data)
    for media_type, (sign, sides, whole) in _IMAGES.items():
        if sign(data):
            return _image(data, media_type, sides, whole)
    raise Unfit("it is none of PNG, JPEG, GIF and PDF")


def _document(data: bytes) -> Media:
    if len(data) > LARGEST_DOCUMENT:
        raise Unfit(f"it has more than {LARGEST_DOCUMENT:,} bytes")
    if b"%%EOF" not in data[-2048:]:
        raise Unfit("it is cut off")
    pages = max(1, len(_PAGE.findall(data)))
    size = f"{pages} page{'' if pages == 1 else 's'}"
    return Media("document", "application/pdf", data, size, pages * _TOKENS_PER_PAGE)


def _image(
    data: bytes, media_type: str, sides: Callable[[bytes], tuple[int, int]], whole: Callable[[bytes], bool]
) -> Media:
    if len(data) > LARGEST_IMAGE:
        raise Unfit(f"it has more than {LARGEST_IMAGE:,} bytes")
    try:
        width, height = sides(data)
    except (struct.error, IndexError, ValueError):
        raise Unfit("it is damaged") from None
    if not whole(data) or not (0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE):
        raise Unfit(f"it is cut off, or a side of it has more than {LONGEST_SIDE:,} pixels")
    tokens = max(1, min(width * height // _PIXELS_PER_TOKEN, _DEAREST_IMAGE))
    return Media("image", media_type, data, f"{width}x{height}", tokens)


def _png_sides(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _gif_sides(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack("<HH", data[6:10])
    return width, height


def _jpeg_sides(data: bytes) -> tuple[int, int]:
    """From the first frame header; its segments before it are passed over."""
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    raise ValueError("no frame")


_IMAGES: dict[str, tuple[Callable[[bytes], bool], Callable[[bytes], tuple[int, int]], Callable[[bytes], bool]]] = {
    "image/png": (lambda it: it.startswith(b"\x89PNG\r\n\x1a\n"), _png_sides, lambda it: b"IEND" in it[-16:]),
    "image/jpeg": (lambda it: it.startswith(b"\xff\xd8\xff"), _jpeg_sides, lambda it: b"\xff\xd9" in it[-64:]),
    "image/gif": (lambda it: it[:6] in (b"GIF87a", b"GIF89a"), _gif_sides, lambda it: b"\x3b" in it[-16:]),
}
