"""A compression as a transaction: planned, previewed, and only then appended to the log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import msgspec

from core.events import ContextCompressed, HeldText, Stub
from core.request.digest import digest_text, stub_text
from core.request.held import held_texts, released
from core.request.ledger import Ledger
from core.request.pieces import Piece, kept, tokens_of
from core.request.projection import Projection
from core.request.record import ledger_block

MINIMUM_SAVING = 0.1
"""A compression that frees less than this share of the history is not worth the cache it breaks."""

FORCED_SAVING = 0.4
"""Whoever asks for a compression wants room: fewer turns are kept until this share is freed, if it can be."""

WORTH_MASKING = 600
"""Bytes of a result below which a stub would hardly be shorter."""

WINDOW_LINE = (
    "<digest>\nOlder turns have left the window; recall(handle or exact name) brings back what was in them.\n"
    "turns so far: {}\n</digest>"
)

_NOTHING = "The history is too short for a compression to free anything."
_NOTHING_EVICTED = "The result is no longer than the line that would stand for it, so it stays."


class NothingToCompress(Exception):
    """The text says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What each policy leaves in place; see `core.config.ContextSettings`."""

    keep_turns: int = 8
    digest_tokens: int = 7_300
    window_turns: int = 100
    window_anchors: int = 1
    mask_turns: int = 10
    mask_batch: int = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of one compression. `keep_from` and `digest` are set when somebody edited a preview of it.

    `paragraph` is a model's, already checked. `force`: make room even where it hardly pays. `evicted`: results that
    leave with it, beside those that were evicted before.
    """

    policy: str = "auto"
    reason: str = "forced"
    force: bool = False
    instruction: str = ""
    paragraph: str = ""
    digest: str | None = None
    keep_from: int | None = None
    evicted: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Scale:
    """From our estimates to the provider's tokens: `fixed` is the estimate of system and tools."""

    fixed: int = 0
    ratio: float = 1.0

    def tokens(self, estimate: int) -> int:
        return round((self.fixed + estimate) * self.ratio)


def plan_compression(
    projection: Projection, ledger: Ledger, keeping: Keeping, wish: Wish, scale: Scale | None = None
) -> ContextCompressed:
    """The compression as the event that would be appended. Raises NothingToCompress when it would free too little."""
    scale = scale or Scale()
    plans: Iterable[ContextCompressed]
    match wish.policy:
        case "window":
            plans = [_window(projection, ledger, keeping, wish)]
        case "mask":
            plans = [_mask(projection, ledger, keeping, wish)]
        case "evict":
            plans = [_in_place(projection, ledger, wish)]
        case _:
            plans = (_digest(projection, ledger, keeping, wish, turns) for turns in _turns(keeping, wish))
    worth = 0.0 if wish.policy in ("window", "mask", "evict") else FORCED_SAVING if wish.force else MINIMUM_SAVING
    good = _first_worth(plans, worth)
    if good.tokens_after >= good.tokens_before or (not wish.force and _saving(good) < worth):
        raise NothingToCompress(_NOTHING if wish.policy != "evict" else _NOTHING_EVICTED)
    return _scaled(good, scale)


def _first_worth(plans: Iterable[ContextCompressed], worth: float) -> ContextCompressed:
    """The first plan that frees so large a share, made one after the other; else the one that frees most."""
    made = []
    for plan in plans:
        if _saving(plan) >= worth:
            return plan
        made.append(plan)
    return max(made, key=_saving)


def due_by_count(projection: Projection, policy: str, keeping: Keeping) -> str | None:
    """Why a policy that counts turns wants a compression now; None when it does not."""
    tail = projection.sent.tail
    turns = sum(piece.role == "assistant" for piece in tail)
    if policy == "summarize" and turns >= 2 * keeping.keep_turns:
        return f"every {keeping.keep_turns} turns"
    if policy == "window" and turns > keeping.window_turns + keeping.window_anchors:
        return f"more than {keeping.window_turns} turns"
    if policy == "mask" and len(_maskable(tail, keeping.mask_turns)) >= keeping.mask_batch:
        return f"{keeping.mask_batch} results to mask"
    return None


def floor_tokens(projection: Projection, keeping: Keeping) -> int:
    """About what the messages would come to right after a compression that keeps `keep_turns` turns; estimated."""
    sent = projection.sent
    tail = chain.from_iterable(_last_turns(sent.tail, keeping.keep_turns))
    kept_tokens = sum(piece.tokens for piece in tail)
    excess = sum(projection.parts.values()) - projection.stable_tokens - kept_tokens
    digest = sent.digest.tokens if sent.digest else min(keeping.digest_tokens, excess // 4)
    return projection.stable_tokens + digest + kept_tokens


def turn_tokens(projection: Projection, most: int) -> list[int]:
    """Estimated tokens of the latest turns that are sent word for word, at most `most`, oldest first."""
    turns = _last_turns(projection.sent.tail, most)
    return [sum(piece.tokens for piece in turn) for turn in reversed(turns) if turn]


def _turns(keeping: Keeping, wish: Wish) -> list[int]:
    if wish.keep_from is not None or not wish.force:
        return [keeping.keep_turns]
    return list(dict.fromkeys([keeping.keep_turns, max(1, keeping.keep_turns // 2), 4, 2, 1]))


def _saving(plan: ContextCompressed) -> float:
    """The share of the history that a compression frees; below zero when it would grow."""
    return 1 - plan.tokens_after / max(1, plan.tokens_before)


def _scaled(plan: ContextCompressed, scale: Scale) -> ContextCompressed:
    before, after = scale.tokens(plan.tokens_before), scale.tokens(plan.tokens_after)
    return msgspec.structs.replace(plan, tokens_before=before, tokens_after=after)


def _digest(projection: Projection, ledger: Ledger, keeping: Keeping, wish: Wish, turns: int) -> ContextCompressed:
    sent = projection.sent
    keep_from = _still_there(sent.tail, wish.keep_from) or _cut(sent.tail, turns)
    digest = wish.digest
    if digest is None:
        digest = digest_text(
            ledger, keep_from, tokens=keeping.digest_tokens, paragraph=wish.paragraph, instruction=wish.instruction
        )
    return _event(
        projection,
        ledger,
        wish,
        keep_from=keep_from,
        digest=digest,
        ledger_text=ledger_block(ledger, sent.upto, keep_from),
    )


def _window(projection: Projection, ledger: Ledger, keeping: Keeping, wish: Wish) -> ContextCompressed:
    """Anchors and the latest turns; a line stands for what falls out, and the users' words stay."""
    tail = projection.sent.tail
    first = _first_turns(tail, keeping.window_anchors)
    anchors = [piece.seq for turn in first for piece in turn]
    keep_from = _cut(tail, keeping.window_turns)
    gone = ledger.turns(keep_from or 0) - len(first)
    return _event(projection, ledger, wish, keep_from=keep_from, digest=WINDOW_LINE.format(gone), anchors=anchors)


def _mask(projection: Projection, ledger: Ledger, keeping: Keeping, wish: Wish) -> ContextCompressed:
    """Every turn stays, but old results are replaced by a line."""
    pinned = ledger.pinned()
    old = [seq for seq in _maskable(projection.sent.tail, keeping.mask_turns) if seq not in pinned]
    return _in_place(projection, ledger, wish, [Stub(seq=seq, text=stub_text(ledger, seq)) for seq in old])


def _in_place(projection: Projection, ledger: Ledger, wish: Wish, stubs: Sequence[Stub] = ()) -> ContextCompressed:
    """Nothing leaves but what was evicted and what the stubs stand for."""
    sent = projection.sent
    digest = sent.digest.text if sent.digest else ""
    return _event(projection, ledger, wish, keep_from=sent.upto, digest=digest, stubs=stubs)


def _event(
    projection: Projection,
    ledger: Ledger,
    wish: Wish,
    *,
    keep_from: int | None,
    digest: str = "",
    ledger_text: str = "",
    anchors: Sequence[int] = (),
    stubs: Sequence[Stub] = (),
) -> ContextCompressed:
    sent = projection.sent
    already = {piece.seq for piece in sent.held}
    held: list[HeldText] = held_texts(ledger, already, keep_from)
    gone = set(released(ledger, already))
    tail = kept(sent.tail, keep_from, frozenset(anchors))
    masked = {stub.seq: stub for stub in [*_evictions(projection, ledger, wish, tail), *stubs]}
    texts = {seq: stub.text for seq, stub in masked.items()}
    after = sum(piece.masked(texts).tokens for piece in tail)
    after += sum(piece.tokens for piece in sent.stable if piece.seq not in gone or piece is sent.task)
    after += sum(tokens_of(text) for text in (*(text.text for text in held), digest, ledger_text) if text)
    return ContextCompressed(
        policy=wish.policy,
        reason=wish.reason,
        digest=digest,
        keep_from=keep_from,
        tokens_before=sum(projection.parts.values()),
        tokens_after=after,
        held=held,
        released=sorted(gone),
        ledger=ledger_text,
        anchors=list(anchors),
        masked=list(masked.values()),
        instruction=wish.instruction,
        edited=wish.digest is not None,
    )


def _evictions(projection: Projection, ledger: Ledger, wish: Wish, tail: Sequence[Piece]) -> list[Stub]:
    wanted = (projection.evicted() | wish.evicted) - ledger.pinned()
    owners = [owner for piece in tail for owner in piece.owners if owner in wanted]
    return [Stub(seq=owner, text=stub_text(ledger, owner)) for owner in owners]


def _maskable(tail: Sequence[Piece], turns: int) -> list[int]:
    """The results older than the last `turns` turns that are worth a stub and are none yet, oldest first."""
    cut = _cut(tail, turns)
    old = [piece for piece in tail if cut is not None and piece.seq < cut]
    return [
        owner
        for piece in old
        for owner, block in zip(piece.owners, piece.blocks, strict=False)
        if len(block) > WORTH_MASKING and owner not in piece.stubbed
    ]


def _cut(tail: Sequence[Piece], turns: int) -> int | None:
    """The reply from which on the history stays: the last `turns` replies, at least one."""
    replies = [piece.seq for piece in tail if piece.role == "assistant"]
    return replies[-min(turns, len(replies))] if replies else None


def _still_there(tail: Sequence[Piece], keep_from: int | None) -> int | None:
    return keep_from if any(piece.seq == keep_from for piece in tail) else None


def _last_turns(tail: Sequence[Piece], turns: int) -> list[list[Piece]]:
    """The last turns, each a reply and what followed it; costs as much as they are long."""
    found: list[list[Piece]] = [[]]
    for piece in reversed(tail):
        found[-1].append(piece)
        if piece.role == "assistant":
            if len(found) == turns:
                break
            found.append([])
    return found


def _first_turns(tail: Sequence[Piece], turns: int) -> list[list[Piece]]:
    found: list[list[Piece]] = []
    for piece in tail:
        if piece.role == "assistant":
            if len(found) == turns:
                break
            found.append([])
        if found:
            found[-1].append(piece)
    return found
