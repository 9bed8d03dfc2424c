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

FORCED_SAVING = 0.4
"""Whoever asks for a compression wants room: fewer turns are kept until this share is freed, if it can be."""


class NothingToCompress(Exception):
    """The text says why, in one sentence."""


def plan_compression(
    projection: Projection, ledger: Ledger, *, reason: str, keep_turns: int = KEEP_TURNS, force: bool = False
) -> ContextCompressed:
    """The compression that keeps the last `keep_turns` replies verbatim, as the event that would be appended.

    A forced one keeps fewer turns where that many would leave little to free. Token counts are estimates.
    Raises NothingToCompress when it would free too little.
    """
    candidates = dict.fromkeys([keep_turns, *((keep_turns // 2, 4, 2, 1) if force else ())])
    plans = [_planned(projection, ledger, reason, keep) for keep in candidates if keep]
    worth = FORCED_SAVING if force else MINIMUM_SAVING
    good = next((plan for plan in plans if _saving(plan) >= worth), max(plans, key=_saving))
    if _saving(good) < (0.0 if force else worth) or good.tokens_after >= good.tokens_before:
        raise NothingToCompress("The history is too short for a compression to free anything.")
    return good


def _saving(plan: ContextCompressed) -> float:
    """The share of the history that a compression frees; below zero when it would grow."""
    return 1 - plan.tokens_after / max(1, plan.tokens_before)


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
