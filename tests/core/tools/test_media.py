"""Images and documents are what their bytes say, and what no endpoint would take is not passed on."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tools.media import Unfit, media_of

PDF = b"%PDF-1.7\n1 0 obj <</Type /Pages>> <</Type /Page>> <</Type/Page /X 1>>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08\x00\x20\x00\x10\x01\x01\x11\x00\xff\xd9"
GIF = b"GIF89a\x10\x00\x20\x00\x00\x00\x00,\x3b"


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "media_type", "size", "tokens"),
    [
        (png(1000, 750), "image/png", "1000x750", 1000),
        (png(8000, 8000), "image/png", "8000x8000", 1600),
        (JPEG, "image/jpeg", "16x32", 1),
        (GIF, "image/gif", "16x32", 1),
        (PDF, "application/pdf", "2 pages", 4000),
    ],
)
def test_what_it_is_and_weighs(data: bytes, media_type: str, size: str, tokens: int) -> None:
    media = media_of(data)
    assert (media.media_type, media.size, media.tokens) == (media_type, size, tokens)
    assert media.line == f"[{media.kind}, {media_type}, {size}, {len(data):,} bytes, about {tokens:,} tokens]"


@pytest.mark.parametrize(
    "data", [b"", b"<svg/>", png(9000, 1), png(0, 5), png(5, 5)[:-8], JPEG[:9], PDF[:-6], b"\x89PNG\r\n\x1a\n"]
)
def test_what_an_endpoint_would_refuse_is_unfit(data: bytes) -> None:
    with pytest.raises(Unfit):
        media_of(data)


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"%PDF-", b""]), st.binary(max_size=200))
def test_any_bytes_are_something_or_unfit(sign: bytes, rest: bytes) -> None:
    try:
        assert media_of(sign + rest).tokens > 0
    except Unfit as why:
        assert str(why)
