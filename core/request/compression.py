"""A compression as a transaction: planned, previewed, and only then appended to the log."""

from __future__ import annotations

from core.events import ContextCompressed
from core.request.digest import digest_text, pinned_text
from core.request.ledger import Ledger
from core.request.pieces import BYTES_PER_TOKEN, Piece, kept
from core.request.projection import Projection

KEEP_TURNS = 10
MINIMUM_SAVING = 0.1
"""A compression that frees less than this share of the history is not worth the cache it breaks."""


class NothingToCompress(Exception):
    """The text says why, in one sentence."""


def plan_compression(
    projection: Projection, ledger: Ledger, *, reason: str, keep_turns: int = KEEP_TURNS, force: bool = False
) -> ContextCompressed:
    """The compression that keeps the last `keep_turns` replies verbatim, as the event that would be appended.

    A forced one keeps fewer turns when that many would leave nothing to free. Token counts are estimates.
    Raises NothingToCompress when it would free too little.
    """
    for keep in dict.fromkeys([keep_turns, *((keep_turns // 2, 2, 1) if force else ())]):
        body = _planned(projection, ledger, reason, keep)
        saved = body.tokens_before - body.tokens_after
        if saved > (0 if force else body.tokens_before * MINIMUM_SAVING):
            return body
    raise NothingToCompress("The history is too short for a compression to free anything.")


def _planned(projection: Projection, ledger: Ledger, reason: str, keep_turns: int) -> ContextCompressed:
    pieces = projection.pieces
    keep_from = _cut(pieces, keep_turns)
    pinned, digest = pinned_text(ledger), digest_text(ledger, keep_from)
    after = sum(piece.tokens for piece in kept(pieces, keep_from)) + (len(pinned) + len(digest)) // BYTES_PER_TOKEN
    return ContextCompressed(
        policy="digest",
        reason=reason,
        pinned=pinned,
        digest=digest,
        keep_from=keep_from,
        tokens_before=sum(piece.tokens for piece in pieces),
        tokens_after=after,
    )


def _cut(pieces: list[Piece], keep_turns: int) -> int | None:
    """The event of the reply from which on the history stays: the last `keep_turns` replies, at least one."""
    replies = [piece.seq for piece in pieces if piece.role == "assistant"]
    return replies[-min(keep_turns, len(replies))] if replies else None
