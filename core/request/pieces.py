"""The bricks of a request: blocks encoded to JSON once and kept as bytes, and what a compression leaves of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

BYTES_PER_TOKEN = 4
"""The estimate before a provider has counted: bytes of JSON for one token."""

Role = Literal["user", "assistant"]
_encode = msgspec.json.Encoder().encode


def encode_block(block: Mapping[str, Any]) -> bytes:
    """One content block as JSON; the same block always gives the same bytes."""
    return _encode(block)


def text_block(text: str) -> bytes:
    return _encode({"type": "text", "text": text})


def tokens_of(text: str) -> int:
    """The estimate for a text that is not encoded yet."""
    return len(text.encode()) // BYTES_PER_TOKEN + 1


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event adds to the history: blocks of one role. `part` is what it counts as in the window.

    `owners`: the event of each block where they come from several (the results of one reply); `stubbed` are those of
    them that a stub stands for.
    """

    seq: int
    role: Role
    part: str
    blocks: tuple[bytes, ...]
    owners: tuple[int, ...] = ()
    stubbed: frozenset[int] = frozenset()

    @property
    def text(self) -> str:
        """The words of a piece that is one text block."""
        return str(msgspec.json.decode(self.blocks[0])["text"])

    @property
    def tokens(self) -> int:
        """Estimated; an image or a document weighs what its line says."""
        return sum(map(len, self.blocks)) // BYTES_PER_TOKEN + 1 + sum(map(_shown_tokens, self.blocks))

    def masked(self, stubs: Mapping[int, str]) -> Piece:
        """The same with the results of the events in `stubs` replaced by these texts."""
        new = self.stubbed.union(owner for owner in self.owners if owner in stubs)
        if new == self.stubbed:
            return self
        pairs = zip(self.blocks, self.owners, strict=True)
        return replace(self, stubbed=new, blocks=tuple(_stubbed(block, stubs.get(owner)) for block, owner in pairs))

    def without_thinking(self) -> Piece:
        """The same for another model, which can't read the thinking of the one before it."""
        blocks = tuple(block for block in self.blocks if not _thinks(block))
        return self if len(blocks) == len(self.blocks) else replace(self, blocks=blocks or (text_block(THOUGHT),))


_SHOWN = re.compile(rb"\\[(?:image|document), [a-z/]+, [0-9x a-z]+, [0-9,]+ bytes, about ([0-9,]+) tokens\\]")


def _shown_tokens(block: bytes) -> int:
    """Tokens of the images and documents in a block: their bytes are no part of it."""
    if b'"data":"blob:' not in block:
        return 0
    return sum(int(number.replace(b",", b"")) for number in _SHOWN.findall(block))


THOUGHT = "(thinking, left out)"
"""Stands for a reply that was nothing but thinking."""


def _thinks(block: bytes) -> bool:
    return b"thinking" in block and msgspec.json.decode(block).get("type") in ("thinking", "redacted_thinking")


def _stubbed(block: bytes, stub: str | None) -> bytes:
    return block if stub is None else _encode({**msgspec.json.decode(block), "content": stub})


@dataclass(frozen=True, slots=True)
class Compression:
    """A compression as it is applied to what was sent before; see `core.events.ContextCompressed`."""

    seq: int
    held: tuple[Piece, ...]
    released: frozenset[int]
    ledger: Piece | None
    digest: Piece | None
    keep_from: int | None
    anchors: frozenset[int]
    stubs: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Restoration:
    """The compression at event `of` is undone."""

    seq: int
    of: int


@dataclass(frozen=True, slots=True)
class Switch:
    """Another model answers from here on."""

    seq: int


Entry = Piece | Compression | Restoration | Switch


@dataclass(frozen=True, slots=True)
class Sent:
    """What is sent, in order: the task, texts held for good, the ledger, the digest, and the tail word for word.

    Everything before the digest is never rewritten but by a release, so a compression finds it in the cache.
    What happened before event `upto` has gone into the head.
    """

    task: Piece | None = None
    held: tuple[Piece, ...] = ()
    ledger: tuple[Piece, ...] = ()
    digest: Piece | None = None
    tail: Sequence[Piece] = field(default_factory=list)
    upto: int = 0

    @property
    def stable(self) -> tuple[Piece, ...]:
        """What compressions don't rewrite."""
        return (*((self.task,) if self.task else ()), *self.held, *self.ledger)

    @property
    def pieces(self) -> list[Piece]:
        return [*self.stable, *((self.digest,) if self.digest else ()), *self.tail]

    def compressed(self, by: Compression) -> Sent:
        return Sent(
            task=self.task,
            held=(*(piece for piece in self.held if piece.seq not in by.released), *by.held),
            ledger=(*self.ledger, by.ledger) if by.ledger else self.ledger,
            digest=by.digest,
            tail=[piece.masked(by.stubs) for piece in kept(self.tail, by.keep_from, by.anchors)],
            upto=by.seq if by.keep_from is None else max(self.upto, by.keep_from),
        )

    def for_another_model(self) -> Sent:
        return replace(self, tail=[piece.without_thinking() for piece in self.tail])


def kept(pieces: Sequence[Piece], keep_from: int | None, anchors: frozenset[int] = frozenset()) -> list[Piece]:
    """The pieces that stay when everything before event `keep_from` (None: everything) leaves but for the anchors."""
    return [piece for piece in pieces if piece.seq in anchors or (keep_from is not None and piece.seq >= keep_from)]


def resolve(entries: Sequence[Entry]) -> Sent:
    """What is sent after these entries of a branch, compressions and their undoing applied in order."""
    sent, tail = Sent(), []
    before: dict[int, Sent] = {}
    for entry in entries:
        match entry:
            case Piece() if sent.task is None:
                sent = replace(sent, task=entry)
            case Piece():
                tail.append(entry)
            case Compression(seq):
                before[seq] = replace(sent, tail=tail)
                sent = before[seq].compressed(entry)
                tail = list(sent.tail)
            case Switch():
                tail = [piece.without_thinking() for piece in tail]
                before = {of: earlier.for_another_model() for of, earlier in before.items()}
            case Restoration(_, of) if of in before:
                sent = before[of]
                tail = [*sent.tail, *(piece for piece in tail if piece.seq > of)]
    return replace(sent, tail=tail)
