"""The projection: the events of the current branch as one request, grown event by event.

Between compressions the request is append-only to the byte, cache markers left out. Rebuilding from the log (after
a rewind, an undo, a restart) gives the same bytes as growing did; a property test compares them. In memory are the
words that are sent; of the others the history knows where they stand in the log.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from core.events import Event, ItemEvicted, ModelResponded, ToolFinished
from core.folds.asking import calls_of
from core.folds.branches import Branches, Column
from core.folds.fold import Handler
from core.request.archive import CHANGES, Archive
from core.request.entries import entry_of, result_block, results_of
from core.request.history import History
from core.request.messages import MessageList
from core.request.pieces import BYTES_PER_TOKEN, Compression, Piece, Sent, Switch

MAX_MARKS = 3
"""Markers on messages (the end of what is never rewritten, the end of the last answered request, the end of this
one); the fourth is on the system prompt."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the messages: fixed for a session unless the prompt, the tools or the model change."""

    model: str
    system: str
    tools: tuple[dict[str, Any], ...]
    max_tokens: int
    cached: bool = True
    thinking_budget: int = 0

    def encoded(self) -> bytes:
        """Everything up to and with `"messages":[`."""
        encode = msgspec.json.encode
        block: dict[str, Any] = {"type": "text", "text": self.system}
        if self.cached:
            block["cache_control"] = {"type": "ephemeral"}
        fields: dict[str, Any] = {"model": self.model, "max_tokens": self.max_tokens, "stream": True}
        if self.thinking_budget:
            fields["thinking"] = {"type": "enabled", "budget_tokens": self.thinking_budget}
        fields |= {"system": [block], "tools": list(self.tools)}
        return encode(fields)[:-1] + b',"messages":['

    def tools_json(self) -> bytes:
        """The tools as they are sent."""
        return msgspec.json.encode(list(self.tools))

    def part_tokens(self) -> dict[str, int]:
        """Estimated tokens of what stands before the messages."""
        system, tools = self.system.encode(), self.tools_json() if self.tools else b""
        return {"system": len(system) // BYTES_PER_TOKEN, "tools": len(tools) // BYTES_PER_TOKEN}


@dataclass(frozen=True, slots=True)
class Request:
    """A request ready to be sent: the body in chunks, and what the log keeps of it.

    `marks`: the numbers of the blocks that carry a cache marker. `changed_at`: the first block that differs from the
    last answered request (None: none before its end).
    """

    chunks: list[bytes]
    marks: list[int]
    digest: str
    size: int
    messages: int
    parts: dict[str, int]
    changed_at: int | None = None

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


class OpenHistory(Exception):
    """The branch can't be sent: a call has no result, or the model spoke last. A bug, never the user's doing."""


class Projection:
    """A fold: the current branch as messages. Feed it every event; ask for `request` when the model is to speak."""

    def __init__(self, branches: Branches, archive: Archive) -> None:
        self._branches = branches
        self.history = History(branches, archive)
        self._expected: list[str] = []
        self._results: dict[str, tuple[int, bytes]] = {}
        self._tail: list[Piece] = []
        self._answered = _Answered()
        self._before: _Answered | None = None
        self._evicted: Column[int] = Column()
        self.sent = Sent()
        self.parts: dict[str, int] = {}
        self._messages = MessageList()

    def handlers(self) -> dict[str, Handler]:
        return {
            **dict.fromkeys(("session.opened", "guidance.delivered"), self._said),
            "model.responded": self._responded,
            "tool.finished": self._finished,
            **dict.fromkeys(CHANGES, self._changed),
            "item.evicted": self._item_evicted,
            "head.moved": self._moved,
        }

    @property
    def complete(self) -> bool:
        """Whether every call has its result and it is the model's turn."""
        return not self._expected and self._messages.last_role == "user"

    @property
    def pieces(self) -> list[Piece]:
        """What is sent, in order."""
        return self.sent.pieces

    @property
    def stable_tokens(self) -> int:
        """Estimated tokens of the messages that a compression does not rewrite."""
        return sum(piece.tokens for piece in self.sent.stable)

    def readable_tokens(self, changed_at: int | None) -> int:
        """Estimated tokens of the messages up to the last marker of the answered request that precedes a change."""
        last = self._before or self._answered
        if changed_at is None:
            return last.tokens
        return last.stable_tokens if last.stable <= changed_at else 0

    def evicted(self) -> set[int]:
        """The events whose results are to leave with the next compression."""
        return set(self._evicted.within(self._branches.spans()))

    def request(self, head: Head) -> Request:
        """The request for the model's next turn. Raises OpenHistory when the history is not whole."""
        if not self.complete:
            raise OpenHistory("A call has no result yet, or the model spoke last.")
        return self.rebuilt(head, self._marks() if head.cached else [])

    def rebuilt(self, head: Head, marks: list[int]) -> Request:
        """The same with given cache markers, as the log keeps them."""
        first, chunks = head.encoded(), self._messages.chunks(marks)
        body = [first, *(piece for chunk in chunks for piece in (chunk, b","))]
        body[-1] = b"]}"
        digest = hashlib.sha256(first + self._messages.digest().encode()).hexdigest()
        fixed = head.part_tokens()
        return Request(
            chunks=body,
            marks=marks,
            digest=digest,
            size=sum(map(len, body)),
            messages=len(chunks),
            parts={**fixed, **self.parts},
            changed_at=self.changed_at,
        )

    def _marks(self) -> list[int]:
        """The end of what is never rewritten, the end of the last answered request, the end of this one."""
        stable = sum(len(piece.blocks) for piece in self.sent.stable)
        marks = {stable - 1, self._messages.block_count - 1}
        if self._answered.end:
            marks.add(self._answered.end - 1)
        return sorted(marks)

    @property
    def changed_at(self) -> int | None:
        """The first block that is not as it was in the last answered request; None: nothing but its end."""
        if self._before is None:
            return None
        now = self._messages.blocks()
        pairs = enumerate(zip(self._before.blocks, now, strict=False))
        same = next((place for place, (old, new) in pairs if old != new), min(len(self._before.blocks), len(now)))
        return None if same == self._before.end else same

    def _extend(self, piece: Piece) -> None:
        """The next piece of the history; the first one of all is the task."""
        self.history.said(piece)
        if self.sent.task is None:
            self.sent = Sent(task=piece, tail=self._tail)
        else:
            self._tail.append(piece)
        self._send(piece)

    def _send(self, piece: Piece) -> None:
        if piece.role == "assistant":
            self._answered.end = self._messages.block_count
        self.parts[piece.part] = self.parts.get(piece.part, 0) + piece.tokens
        self._messages.add(piece)

    def _resend(self, sent: Sent) -> None:
        """From here on this is sent, and what comes."""
        if self._before is None and self._answered.end:
            self._before = replace(self._answered, blocks=self._messages.blocks()[: self._answered.end])
        self._messages, self.parts, self._answered = MessageList(), {}, _Answered()
        self._tail = list(sent.tail)
        self.sent = replace(sent, tail=self._tail)
        for piece in self.sent.pieces:
            self._send(piece)

    def _said(self, event: Event) -> None:
        if isinstance(piece := entry_of(event), Piece):
            self._extend(piece)

    def _responded(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ModelResponded):
            return
        stable = self.sent.stable
        self._before = None
        self._answered.tokens = sum(self.parts.values())
        self._answered.stable = sum(len(piece.blocks) for piece in stable)
        self._answered.stable_tokens = sum(piece.tokens for piece in stable)
        self._said(event)
        self._expected = [call.use_id for call in calls_of(event.key or "", body)]
        self._results = {}

    def _finished(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ToolFinished) or body.use_id not in self._expected:
            return
        self._results[body.use_id] = event.seq, result_block(body)
        if len(self._results) == len(self._expected):
            owners, blocks = zip(*(self._results[use_id] for use_id in self._expected), strict=True)
            self._expected, self._results = [], {}
            self._extend(results_of(owners, blocks))

    def _changed(self, event: Event) -> None:
        """What is sent before a compression or another model says what is sent after it; undoing needs the log."""
        self.history.changed(event.seq)
        match entry_of(event):
            case Compression() as entry:
                self._resend(self.sent.compressed(entry))
            case Switch():
                self._resend(self.sent.for_another_model())
            case _:
                self._resend(self.history.sent())

    def _item_evicted(self, event: Event) -> None:
        if isinstance(event.body, ItemEvicted):
            self._evicted.append(event.seq, event.body.seq)

    def _moved(self, event: Event) -> None:
        self._expected, self._results = [], {}
        self._resend(self.history.sent())


@dataclass(slots=True)
class _Answered:
    """What the last answered request held: blocks up to its end, and tokens, also of its part that is never rewritten.

    `blocks` are only kept while the history is being rebuilt.
    """

    end: int = 0
    tokens: int = 0
    stable: int = 0
    stable_tokens: int = 0
    blocks: list[bytes] = field(default_factory=list)
