"""Images and documents go out with the request, and only there: in the log and in memory a name stands for each."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Callable, Sequence

import msgspec

from core.models.assembly import Delta, Reply
from core.models.wire import Wire

_BLOCK = re.compile(
    rb'\{"type":"(image|document)","source":\{"type":"base64","media_type":"([a-z/+.-]+)","data":"blob:([0-9a-f]{64})"\}\}'
)
_SIGN = b'"data":"blob:'


class Illustrated:
    """A wire that puts the bytes in the place of their names; what its endpoint can't see is told in words.

    `blob` gives the bytes of a name, None when there are none; it blocks. What a message has become is kept while the
    message is sent again, so that a request costs what is new in it.
    """

    def __init__(self, wire: Wire, blob: Callable[[str], bytes | None]) -> None:
        self._wire = wire
        self._blob = blob
        self._kept: dict[bytes, bytes] = {}

    async def stream(self, body: Sequence[bytes], on_delta: Callable[[Delta], None]) -> Reply:
        """Send `body`, as the wire does. Raises what it raises."""
        return await self._wire.stream(await self._whole(body), on_delta)

    def has_new_key(self) -> bool:
        return self._wire.has_new_key()

    async def _whole(self, body: Sequence[bytes]) -> list[bytes]:
        known = self._kept
        if all(chunk in known or _SIGN not in chunk for chunk in body):
            self._kept = {chunk: known[chunk] for chunk in body if chunk in known}
        else:
            named = [chunk for chunk in body if _SIGN in chunk]
            self._kept = await asyncio.to_thread(lambda: {it: known.get(it) or self._filled(it) for it in named})
        return [self._kept.get(chunk, chunk) for chunk in body]

    def _filled(self, chunk: bytes) -> bytes:
        return _BLOCK.sub(self._block, chunk)

    def _block(self, found: re.Match[bytes]) -> bytes:
        kind, media_type, name = (part.decode() for part in found.groups())
        data = self._blob(name) if self._wire.endpoint.sees(kind) else None
        if data is None:
            gone = "this model takes none" if not self._wire.endpoint.sees(kind) else "it is not there any more"
            return msgspec.json.encode({"type": "text", "text": f"[{kind} ({media_type}), not shown: {gone}]"})
        source = {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
        return msgspec.json.encode({"type": kind, "source": source})
