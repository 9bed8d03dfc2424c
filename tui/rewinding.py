"""What a rewind would leave behind, change, keep and cost: facts from the folds and words for them. No widgets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.clock import MICROSECONDS
from core.folds.checkpoints import Checkpoint
from core.folds.rent import NextCall
from core.folds.view import SessionView
from core.folds.words import call_line
from core.protocols import RestorePreview
from core.workspace.base import FileFate
from tui.panes import figures

STATUS = {"A": "back", "D": "goes", "M": "", "T": "type"}
"""What becomes of a file, beside its lines."""


@dataclass(frozen=True, slots=True)
class Between:
    """What would be left behind by going back to a checkpoint; `usd` is all that was spent since, on every branch.

    What `commands` did outside the workspace stays done, and what `fetches` asked of others; `allowed` of the commands
    ran because the user allowed them.
    """

    turns: int
    calls: int
    usd: Decimal | None
    commands: tuple[str, ...]
    allowed: int
    fetches: tuple[str, ...]


def between(view: SessionView, boundary: int) -> Between:
    """Everything on the current branch after a boundary."""
    spans = [span for span in view.branches.spans() if span.last > boundary]

    def left_behind(seq: int) -> bool:
        return seq > boundary and any(first <= seq <= last for first, last in spans)

    rows = view.tool_calls.rows
    since = rows[bisect_right(rows, boundary, key=lambda call: call.seq) :]
    calls = [call for call in since if left_behind(call.seq)]
    commands = [call for call in calls if call.effect in ("command", "delegate")]
    before, after = view.costs.total.at(boundary), view.costs.total.last
    return Between(
        turns=sum(map(left_behind, view.costs.turns())),
        calls=len(calls),
        usd=after.usd - before.usd if after.unpriced == before.unpriced else None,
        commands=tuple(call_line(call.name, call.arguments) for call in commands),
        allowed=sum(view.approvals.get(call.key) is not None for call in commands),
        fetches=tuple(call_line(call.name, call.arguments) for call in calls if call.effect == "network"),
    )


@dataclass(frozen=True, slots=True)
class WayBack:
    """What the next request costs from there: `tokens` of a prefix that is read from the cache or written anew.

    `expired`: its cache is known to be gone.
    """

    tokens: int
    call: NextCall
    expired: bool


def way_back(view: SessionView, checkpoint: Checkpoint, now_us: int) -> WayBack:
    """The price of going on from a checkpoint. Its prefix was sent last with the request that led to it."""
    return _way(view, checkpoint.boundary, now_us - checkpoint.at_us)


def way_to(view: SessionView, node: int, left: int, now_us: int) -> WayBack:
    """The price of going on from the end of a branch, which event `left` left."""
    return _way(view, node, now_us - view.timeline.at_us(left))


def _way(view: SessionView, node: int, age_us: int) -> WayBack:
    tokens, call = view.rent.back_at(node)
    ttl_s = view.cache.lifetime.last.ttl_s
    return WayBack(tokens, call, ttl_s is not None and age_us > ttl_s * MICROSECONDS)


def since_words(lost: Between) -> str:
    """`10 turns, 10 calls, $0.312`."""
    return ", ".join((figures.plural(lost.turns, "turn"), figures.plural(lost.calls, "call"), figures.usd(lost.usd)))


def price_words(way: WayBack) -> str:
    """What the next request costs after it."""
    if not way.tokens:
        return "nothing was sent yet"
    if way.call.cold is None or way.call.warm is None:
        return f"unknown: {figures.tokens(way.tokens)} tokens are sent again"
    cold, warm = figures.usd(way.call.cold), figures.usd(way.call.warm)
    if way.expired:
        return f"next call {cold}: the cache expired, {figures.tokens(way.tokens)} are written anew"
    return f"next call {warm} from the cache, {cold} with {figures.tokens(way.tokens)} written anew"


def stays_words(lost: Between) -> str:
    """What can't be undone; empty where there is nothing."""
    found = []
    if lost.commands:
        allowed = f" ({lost.allowed:,} allowed by you)" if lost.allowed else ""
        found.append(figures.plural(len(lost.commands), "command") + allowed)
    if lost.fetches:
        found.append(figures.plural(len(lost.fetches), "network call"))
    return f"{' and '.join(found)}: {'; '.join((*lost.commands, *lost.fetches))}" if found else ""


def fate_words(fate: FileFate) -> str:
    """`inventory/load.py +12 −3`, `notes.txt goes −4`."""
    lines = [f"+{fate.added:,}"] if fate.added else []
    lines += [f"−{fate.removed:,}"] if fate.removed else []
    return " ".join(part for part in (fate.path, STATUS.get(fate.status, ""), *lines) if part)


def split(preview: RestorePreview) -> tuple[Sequence[FileFate], Sequence[FileFate]]:
    """The files that calls changed, and those that were changed by hand."""
    by_hand = [fate for fate in preview.files if fate.path in preview.by_hand]
    return [fate for fate in preview.files if fate.path not in preview.by_hand], by_hand


def files_words(fates: Sequence[FileFate]) -> str:
    """`2 files: …`."""
    if not fates:
        return "none differs"
    return f"{figures.plural(len(fates), 'file')}: {' · '.join(map(fate_words, fates))}"
