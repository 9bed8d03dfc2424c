"""The items of the context: what each block that is sent is, how long it has been there, and what carrying it costs."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec
from msgspec.structs import replace

from core.events import (
    ContextCompressed,
    ContextRestored,
    Event,
    GuidanceDelivered,
    HeadMoved,
    ItemEvicted,
    ItemPinned,
    ItemUnpinned,
    ModelResponded,
    SessionOpened,
    ToolFinished,
    ToolStarted,
    is_aside,
)
from core.folds.branches import FOREVER, Branches, Column, Span
from core.folds.context_usage import ContextWindow
from core.folds.costs import MILLION
from core.folds.fold import Handler, Ordinals, Series
from core.folds.pages import Pages
from core.folds.rows import Rows, Words
from core.folds.words import call_line, one_line

BYTES_PER_TOKEN = 4
HEAD = ("task", "held", "ledger")
"""What stands before the digest and is never rewritten by a compression."""

_LABEL = 120


class Block(msgspec.Struct, frozen=True):
    """An item as the log has it: estimated tokens of ours, and the turn with which it came.

    `since` is the event that put it where it is; `reply` the reply that a result belongs to; `absent` the turns that
    it was out of the context meanwhile.
    """

    seq: int
    since: int
    kind: str
    label: str
    tokens: int
    turn: int
    reply: int = 0
    masked: bool = False
    absent: int = 0


class _Came(Protocol):
    """The blocks in the order in which they came, by their events."""

    def append(self, seq: int, item: Block) -> None: ...
    def within(self, spans: Sequence[Span]) -> list[Block]: ...


class _Sizes:
    """The same without labels, a few bytes each: turn and reply follow from where the replies stand in the log."""

    def __init__(self, replies: Ordinals) -> None:
        self._replies = replies
        self._kinds: Words[str] = Words()
        self._column: Column[tuple[int, int]] = Column.packed(Rows(2, tuple, lambda *row: row))

    def append(self, seq: int, item: Block) -> None:
        self._column.append(seq, (self._kinds.number(item.kind), item.tokens))

    def within(self, spans: Sequence[Span]) -> list[Block]:
        return [self._block(seq, *row) for seq, row in self._column.pairs(spans)]

    def _block(self, seq: int, number: int, tokens: int) -> Block:
        kind, turn = self._kinds.word(number), self._replies.at(seq)
        return Block(seq, seq, kind, "", tokens, turn, self._replies.seq(turn) if kind == "result" else 0)


class ContextItem(msgspec.Struct, frozen=True):
    """One block of the next request. `kind`: task, held, ledger, digest, reply, result, or whose guidance it is.

    `tokens` in the provider's, `age` in turns, `usd`: what reading it with every turn has cost so far. `masked`: a stub
    stands for it. `pinned` and `evicted` are in force from the next compression on.
    """

    seq: int
    kind: str
    label: str
    tokens: int
    age: int
    usd: Decimal
    masked: bool
    pinned: bool
    evicted: bool


class _Base(msgspec.Struct, frozen=True):
    """The blocks as of an event that changed more than the end; those since `start` follow as they came."""

    start: int = 0
    blocks: tuple[Block, ...] = ()


class ContextItems:
    """The blocks on the current branch as of any event. A reply or a result costs the same at any length.

    Without `history` their sizes alone are known: no labels, and not what carrying them has cost.
    """

    def __init__(self, branches: Branches, window: ContextWindow, history: bool = True) -> None:
        self._branches = branches
        self._history = history
        self._window = window
        self._bases: Series[_Base] = Series(_Base())
        self._turns = Ordinals()
        self._added: _Came = Column() if history else _Sizes(self._turns)
        self._marks: Column[tuple[int, str]] = Column()
        self._rates: Pages[Decimal] = Pages((Decimal(0),))
        self._lines: dict[str, str] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._opened,
            "guidance.delivered": self._guided,
            "model.responded": self._replied,
            "tool.started": self._started,
            "tool.finished": self._finished,
            "context.compressed": self._compressed,
            "context.restored": self._restored,
            "head.moved": self._moved,
            **dict.fromkeys(("item.pinned", "item.unpinned", "item.evicted"), self._marked),
        }

    def blocks(self, at: int | None = None) -> list[Block]:
        """The blocks of the context as of event `at`, in the order in which they are sent."""
        base = self._bases.at(at)
        return [*base.blocks, *self._added.within([Span(base.start, FOREVER if at is None else at)])]

    def items(self, at: int | None = None) -> list[ContextItem]:
        """The same for people; costs as much as the context is long."""
        return self._priced(self.blocks(at), at)

    def dearest(self, count: int, at: int | None = None) -> list[ContextItem]:
        """The `count` items that cost most rent so far, the dearest first; only these are made."""
        ratio, now, rates = self._window.ratios.at(at), self._turns.at(at), dict[int, Decimal]()

        def worth(block: Block) -> tuple[Decimal, int]:
            since = block.turn + block.absent
            if (rate := rates.get(since)) is None:
                rate = rates[since] = self._carried(block, now)
            return block.tokens * rate, round(block.tokens * ratio)

        return self._priced(heapq.nlargest(count, self.blocks(at), key=worth), at)

    def latest(self, count: int, at: int | None = None) -> list[ContextItem]:
        """The last `count` items, in the order in which they are sent."""
        return self._priced(self.blocks(at)[-count:], at)

    def tokens(self, blocks: Iterable[Block], at: int | None = None) -> int:
        """Blocks in the provider's tokens."""
        return round(sum(block.tokens for block in blocks) * self._window.ratios.at(at))

    def tokens_of(self, text: str, at: int | None = None) -> int:
        """A text in the provider's tokens, as far as they were calibrated as of event `at`."""
        return round((_size(text) // BYTES_PER_TOKEN + 1) * self._window.ratios.at(at))

    def carriage(self, since: int, until: int | None = None) -> Decimal:
        """Dollars per token for reading it with each turn from `since` to `until` but the first, which wrote it."""
        now = self._turns.at(until)
        return self._rates[now] - self._rates[min(now, self._turns.at(since) + 1)]

    def since_anchor(self, at: int | None = None) -> int:
        """Tokens since objective and constraints were said last: in an anchor, else at the head of the request."""
        tail: list[Block] = []
        for block in reversed(self.blocks(at)):
            if block.kind in ("anchor", "task") or _made(block):
                break
            tail.append(block)
        return self.tokens(tail, at)

    def _priced(self, blocks: list[Block], at: int | None) -> list[ContextItem]:
        ratio, now, marks = self._window.ratios.at(at), self._turns.at(at), self._marks_at(at)
        exact = Decimal(f"{ratio:.6f}")
        return [
            ContextItem(
                block.seq,
                block.kind,
                block.label,
                round(block.tokens * ratio),
                now - block.turn,
                block.tokens * exact * self._carried(block, now),
                block.masked,
                marks.get(block.seq) == "item.pinned",
                marks.get(block.seq) == "item.evicted",
            )
            for block in blocks
        ]

    def _carried(self, block: Block, now: int) -> Decimal:
        """Dollars per token for every turn but the first, with which it was written."""
        return self._rates[now] - self._rates[min(now, block.turn + block.absent + 1)]

    def _marks_at(self, at: int | None) -> dict[int, str]:
        return dict(self._marks.within(self._branches.spans(at)))

    def _add(self, event: Event, kind: str, label: str, size: int, reply: int = 0) -> None:
        tokens = size // BYTES_PER_TOKEN + 1
        block = Block(event.seq, event.seq, kind, self._label(label), tokens, self._turns.last, reply)
        self._added.append(event.seq, block)

    def _label(self, text: str) -> str:
        return one_line(text, _LABEL) if self._history else ""

    def _opened(self, event: Event) -> None:
        if isinstance(event.body, SessionOpened):
            self._add(event, "task", event.body.task, _size(event.body.task))

    def _guided(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered):
            self._add(event, event.body.source, event.body.text, _size(event.body.text))

    def _replied(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ModelResponded):
            return
        if self._history:
            rate = Decimal(body.price.row.get("cache_read", "0")) / MILLION
            self._rates.append(self._rates[-1] + rate)
        self._turns.add(event.seq)
        self._add(event, "reply", _said(body), len(msgspec.json.encode(body.content)))

    def _started(self, event: Event) -> None:
        if isinstance(event.body, ToolStarted) and event.key:
            self._lines[event.key] = call_line(event.body.name, event.body.arguments)

    def _finished(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ToolFinished) and not is_aside(event.key):
            line = self._lines.pop(event.key or "", body.name)
            self._add(event, "result", line, _size(body.content), self._turns.seq(self._turns.last))

    def _marked(self, event: Event) -> None:
        if isinstance(event.body, ItemPinned | ItemUnpinned | ItemEvicted):
            self._marks.append(event.seq, (event.body.seq, event.kind))

    def _rebase(self, event: Event, blocks: Iterable[Block], tail: Sequence[Block] = ()) -> None:
        """From here on these are the blocks. A tail that is as it came is not kept a second time."""
        start = tail[0].seq if tail else event.seq
        if list(tail) == self._added.within([Span(start, event.seq)]):
            self._bases.append(event.seq, _Base(start, tuple(blocks)))
        else:
            self._bases.append(event.seq, _Base(event.seq, (*blocks, *tail)))

    def _compressed(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ContextCompressed):
            return
        before, released = self.blocks(), set(body.released)
        head = {kind: [block for block in before if block.kind == kind] for kind in HEAD}
        held = [block for block in head["held"] if block.seq not in released]
        self._rebase(
            event,
            [
                *head["task"],
                *held,
                *(self._new(event, "held", text.text, text.seq) for text in body.held),
                *head["ledger"],
                *([self._new(event, "ledger", body.ledger)] if body.ledger else []),
                *([self._new(event, "digest", body.digest)] if body.digest else []),
            ],
            _tail(before, body),
        )

    def _new(self, event: Event, kind: str, text: str, seq: int | None = None) -> Block:
        size = _size(text) // BYTES_PER_TOKEN + 1
        return Block(event.seq if seq is None else seq, event.seq, kind, self._label(text), size, self._turns.last)

    def _restored(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ContextRestored) or not self._branches.visible(body.seq):
            return
        now = self.blocks()
        away = self._turns.last - self._turns.at(body.seq)
        still = {(block.seq, block.kind) for block in now}
        back = [
            block if (block.seq, block.kind) in still else replace(block, absent=block.absent + away)
            for block in self.blocks(body.seq - 1)
        ]
        self._rebase(event, [*back, *(block for block in now if block.seq > body.seq and not _made(block))])

    def _moved(self, event: Event) -> None:
        if isinstance(event.body, HeadMoved):
            self._rebase(event, self.blocks(event.body.to))


def _tail(before: list[Block], body: ContextCompressed) -> list[Block]:
    """What stays verbatim: anchors, then everything from `keep_from` on; stubs take the place of masked results."""
    start = FOREVER if body.keep_from is None else body.keep_from
    anchors, stubs = set(body.anchors), {stub.seq: stub.text for stub in body.masked}
    stays = [
        block
        for block in before
        if not _made(block)
        and block.kind != "task"
        and (block.seq >= start or block.seq in anchors or block.reply in anchors)
    ]
    return [
        replace(block, tokens=_size(stubs[block.seq]) // BYTES_PER_TOKEN + 1, masked=True)
        if block.seq in stubs
        else block
        for block in stays
    ]


def _made(block: Block) -> bool:
    """Whether a compression put it there."""
    return block.kind in ("held", "ledger", "digest")


def _said(body: ModelResponded) -> str:
    texts = [str(block.get("text", "")) for block in body.content if block.get("type") == "text"]
    calls = [str(block.get("name", "")) for block in body.content if block.get("type") == "tool_use"]
    return next((text for text in texts if text.strip()), "") or ", ".join(calls) or "thinking"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
