"""Messages as bytes: each encoded once, bare and marked, so that a turn costs the same at call 1,158 as at call 1."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from core.request.pieces import Piece, Role

_MARK = b',"cache_control":{"type":"ephemeral"}}'


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the request. `bare` and `marked` differ only in the cache marker on the last block."""

    role: Role
    blocks: tuple[bytes, ...]

    @property
    def bare(self) -> bytes:
        return self._encoded(self.blocks)

    @property
    def marked(self) -> bytes:
        last = self.blocks[-1][:-1] + _MARK
        return self._encoded((*self.blocks[:-1], last))

    def _encoded(self, blocks: tuple[bytes, ...]) -> bytes:
        return b'{"role":"' + self.role.encode() + b'","content":[' + b",".join(blocks) + b"]}"


class MessageList:
    """Pieces grouped into messages of alternating roles; every message but the last is sealed and encoded."""

    def __init__(self) -> None:
        self.sealed: list[bytes] = []
        self._open: Message | None = None
        self._blocks: list[tuple[Role, tuple[bytes, ...]]] = []
        self._hash = hashlib.sha256()

    def __len__(self) -> int:
        return len(self.sealed) + (self._open is not None)

    @property
    def last_role(self) -> Role | None:
        return self._open.role if self._open else None

    def add(self, piece: Piece) -> None:
        """Extend the open message, or seal it and open the next one."""
        if self._open is not None and self._open.role == piece.role:
            self._open = Message(piece.role, (*self._open.blocks, *piece.blocks))
            return
        if self._open is not None:
            self._seal(self._open)
        self._open = Message(piece.role, piece.blocks)

    def _seal(self, message: Message) -> None:
        encoded = message.bare
        self._hash.update(encoded)
        self.sealed.append(encoded)
        self._blocks.append((message.role, message.blocks))

    def message(self, index: int) -> Message:
        """The message at that place, sealed or open."""
        if index < len(self._blocks):
            return Message(*self._blocks[index])
        if self._open is None or index > len(self._blocks):
            raise IndexError(index)
        return self._open

    def digest(self) -> str:
        """SHA-256 of all messages without their markers, in hexadecimal; costs as much as the open one is long."""
        total = self._hash.copy()
        if self._open is not None:
            total.update(self._open.bare)
        return total.hexdigest()

    def chunks(self, marks: list[int]) -> list[bytes]:
        """The encoded messages, those at `marks` with a cache marker on their last block."""
        chunks = list(self.sealed)
        if self._open is not None:
            chunks.append(self._open.bare)
        for index in marks:
            chunks[index] = self.message(index).marked
        return chunks
