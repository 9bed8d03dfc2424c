"""The bricks of a request: blocks encoded to JSON once, and kept as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

BYTES_PER_TOKEN = 4
"""The estimate before a provider has counted: bytes of JSON for one token."""

HEAD_SEQ = 0
"""The place of what a compression puts first: before every event, so that the next compression replaces it."""

Role = Literal["user", "assistant"]
_encode = msgspec.json.Encoder().encode


def encode_block(block: dict[str, Any]) -> bytes:
    """One content block as JSON; the same block always gives the same bytes."""
    return _encode(block)


def text_block(text: str) -> bytes:
    return _encode({"type": "text", "text": text})


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event adds to the history: blocks of one role. `part` is what it counts as in the window."""

    seq: int
    role: Role
    part: str
    blocks: tuple[bytes, ...]

    @property
    def tokens(self) -> int:
        """Estimated."""
        return sum(map(len, self.blocks)) // BYTES_PER_TOKEN + 1


@dataclass(frozen=True, slots=True)
class Compression:
    """From here on: `head` (pinned, digest), then what was there from event `keep_from` on."""

    seq: int
    head: tuple[Piece, ...]
    keep_from: int | None


@dataclass(frozen=True, slots=True)
class Restoration:
    """The compression at event `of` is undone."""

    seq: int
    of: int


Entry = Piece | Compression | Restoration


def resolve(entries: list[Entry]) -> list[Piece]:
    """The pieces that are sent after these entries of a branch, compressions and their undoing applied in order."""
    sent: list[Piece] = []
    before: dict[int, list[Piece]] = {}
    for entry in entries:
        match entry:
            case Piece():
                sent.append(entry)
            case Compression(seq, head, keep_from):
                before[seq] = sent
                sent = [*head, *kept(sent, keep_from)]
            case Restoration(_, of):
                if of in before:
                    sent = [*before[of], *(piece for piece in sent if piece.seq > of)]
    return sent


def kept(pieces: list[Piece], keep_from: int | None) -> list[Piece]:
    """The pieces that stay verbatim when everything before event `keep_from` is compressed away."""
    return [] if keep_from is None else [piece for piece in pieces if piece.seq >= keep_from]
