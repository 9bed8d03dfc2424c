"""Messages as bytes: each is encoded once, and cache markers go to the very blocks that are to carry them."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass

from core.request.pieces import Piece, Role

_MARK = b',"cache_control":{"type":"ephemeral"}}'


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the request: its role and encoded blocks; the first of them is block `start` of the request."""

    role: Role
    blocks: tuple[bytes, ...]
    start: int

    def encoded(self, marks: frozenset[int] = frozenset()) -> bytes:
        """The message as JSON, with a cache marker on those of its blocks that are among `marks`."""
        numbered = enumerate(self.blocks, start=self.start)
        blocks = (block[:-1] + _MARK if place in marks else block for place, block in numbered)
        return b'{"role":"' + self.role.encode() + b'","content":[' + b",".join(blocks) + b"]}"


class MessageList:
    """Pieces grouped into messages of alternating roles; every message but the last is sealed and encoded.

    Blocks are numbered from 0 over all messages.
    """

    def __init__(self) -> None:
        self.sealed: list[bytes] = []
        self._messages: list[Message] = []
        self._starts: list[int] = []
        self._open: Message | None = None
        self._hash = hashlib.sha256()

    def __len__(self) -> int:
        return len(self.sealed) + (self._open is not None)

    @property
    def last_role(self) -> Role | None:
        return self._open.role if self._open else None

    @property
    def block_count(self) -> int:
        return self._open.start + len(self._open.blocks) if self._open else 0

    def add(self, piece: Piece) -> None:
        """Extend the open message, or seal it and open the next one."""
        if self._open is not None and self._open.role == piece.role:
            self._open = Message(piece.role, (*self._open.blocks, *piece.blocks), self._open.start)
            return
        start = self.block_count
        if self._open is not None:
            self._seal(self._open)
        self._open = Message(piece.role, piece.blocks, start)

    def _seal(self, message: Message) -> None:
        encoded = message.encoded()
        self._hash.update(encoded)
        self.sealed.append(encoded)
        self._messages.append(message)
        self._starts.append(message.start)

    def digest(self) -> str:
        """SHA-256 of all messages without their markers, in hexadecimal; costs as much as the open one is long."""
        total = self._hash.copy()
        if self._open is not None:
            total.update(self._open.encoded())
        return total.hexdigest()

    def chunks(self, marks: list[int]) -> list[bytes]:
        """The encoded messages, with a cache marker on each block whose number is in `marks`."""
        chosen = frozenset(marks)
        chunks = list(self.sealed)
        for place in marks:
            index = bisect_right(self._starts, place) - 1
            if index >= 0 and (self._open is None or place < self._open.start):
                chunks[index] = self._messages[index].encoded(chosen)
        if self._open is not None:
            chunks.append(self._open.encoded(chosen))
        return chunks

    def blocks(self) -> list[bytes]:
        """Every block in order; costs as much as there are."""
        messages = [*self._messages, *((self._open,) if self._open else ())]
        return [block for message in messages for block in message.blocks]
