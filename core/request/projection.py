"""The projection: the events of the current branch as one request, grown event by event.

Between compressions the request is append-only to the byte, cache markers left out. Rebuilding from the log (after
a rewind, a compression, a restart) gives the same bytes as growing did; a property test compares them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from core.events import (
    ContextCompressed,
    ContextRestored,
    Event,
    GuidanceDelivered,
    ModelRequested,
    ModelResponded,
    SessionOpened,
    ToolFinished,
)
from core.folds.branches import Branches, Column
from core.folds.fold import Handler
from core.folds.state import calls_of
from core.request.messages import MessageList
from core.request.pieces import (
    BYTES_PER_TOKEN,
    HEAD_SEQ,
    Compression,
    Entry,
    Piece,
    Restoration,
    encode_block,
    resolve,
    text_block,
)

MAX_MARKS = 3
"""Markers on messages; the fourth is on the system prompt."""


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
    """A request ready to be sent: the body in chunks, and what the log keeps of it."""

    chunks: list[bytes]
    marks: list[int]
    digest: str
    size: int
    messages: int
    parts: dict[str, int]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


class OpenHistory(Exception):
    """The branch can't be sent: a call has no result, or the model spoke last. A bug, never the user's doing."""


class Projection:
    """A fold: the current branch as messages. Feed it every event; ask for `request` when the model is to speak."""

    def __init__(self, branches: Branches) -> None:
        self._branches = branches
        self._entries: Column[Entry] = Column()
        self._expected: list[str] = []
        self._results: dict[str, bytes] = {}
        self._requested_marks: dict[str, list[int]] = {}
        self._answered_mark: int | None = None
        self.pieces: list[Piece] = []
        self.parts: dict[str, int] = {}
        self._messages = MessageList()

    def handlers(self) -> dict[str, Handler]:
        return {
            "session.opened": self._opened,
            "guidance.delivered": self._guidance,
            "model.requested": self._requested,
            "model.responded": self._responded,
            "tool.finished": self._finished,
            "context.compressed": self._compressed,
            "context.restored": self._restored,
            "head.moved": self._moved,
        }

    @property
    def complete(self) -> bool:
        """Whether every call has its result and it is the model's turn."""
        return not self._expected and self._messages.last_role == "user"

    @property
    def entries(self) -> list[Entry]:
        """The entries of the current branch, oldest first."""
        return self._entries.within(self._branches.spans())

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
        parts = {**head.part_tokens(), **self.parts}
        return Request(body, marks, digest, sum(map(len, body)), len(chunks), parts)

    def _marks(self) -> list[int]:
        marks = {0, len(self._messages) - 1}
        if self._answered_mark is not None:
            marks.add(self._answered_mark)
        return sorted(marks)

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry.seq, entry)
        if isinstance(entry, Piece):
            self._send(entry)
        else:
            self._rebuild()

    def _send(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.parts[piece.part] = self.parts.get(piece.part, 0) + piece.tokens
        self._messages.add(piece)

    def _rebuild(self) -> None:
        self._messages, self.pieces, self.parts = MessageList(), [], {}
        self._answered_mark = None
        for piece in resolve(self.entries):
            self._send(piece)

    def _opened(self, event: Event) -> None:
        if isinstance(event.body, SessionOpened):
            self._add(Piece(event.seq, "user", "pinned", (text_block(task_text(event.body)),)))

    def _guidance(self, event: Event) -> None:
        if isinstance(event.body, GuidanceDelivered):
            part = "pinned" if event.body.standing else "text"
            self._add(Piece(event.seq, "user", part, (text_block(guidance_text(event.body)),)))

    def _requested(self, event: Event) -> None:
        if isinstance(event.body, ModelRequested) and event.body.purpose == "main" and event.key:
            self._requested_marks = {event.key: event.body.marks}

    def _responded(self, event: Event) -> None:
        body, marks = event.body, self._requested_marks.pop(event.key or "", None)
        if not isinstance(body, ModelResponded):
            return
        self._answered_mark = marks[-1] if marks else None
        self._add(Piece(event.seq, "assistant", "text", tuple(map(encode_block, body.content))))
        self._expected = [call.use_id for call in calls_of(event.key or "", body)]
        self._results = {}

    def _finished(self, event: Event) -> None:
        body = event.body
        if not isinstance(body, ToolFinished) or body.use_id not in self._expected:
            return
        self._results[body.use_id] = encode_block(result_block(body))
        if len(self._results) == len(self._expected):
            blocks = tuple(self._results[use_id] for use_id in self._expected)
            self._expected, self._results = [], {}
            self._add(Piece(event.seq, "user", "results", blocks))

    def _compressed(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ContextCompressed):
            pinned = Piece(HEAD_SEQ, "user", "pinned", (text_block(body.pinned),))
            digest = Piece(HEAD_SEQ, "user", "digest", (text_block(body.digest),))
            self._add(Compression(event.seq, (pinned, digest), body.keep_from))

    def _restored(self, event: Event) -> None:
        if isinstance(event.body, ContextRestored):
            self._add(Restoration(event.seq, event.body.seq))

    def _moved(self, event: Event) -> None:
        self._expected, self._results = [], {}
        self._rebuild()


def task_text(opened: SessionOpened) -> str:
    """The first words of the first message."""
    place = f"The workspace is {opened.workspace}; all paths are relative to it."
    tests = opened.settings.get("test_command")
    told = f"{place} Its tests are run with: {tests}" if tests else place
    return f"<task>\n{opened.task.strip()}\n</task>\n\n{told}"


def guidance_text(body: GuidanceDelivered) -> str:
    """A block that says whose words these are."""
    tag = {"user": "guidance", "notice": "notice", "guard": "nudge"}[body.source]
    attribute = ' standing="true"' if body.standing else ""
    return f"<{tag}{attribute}>\n{body.text}\n</{tag}>"


def result_block(body: ToolFinished) -> dict[str, Any]:
    """The tool_result of a call."""
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": body.use_id, "content": body.content}
    if not body.ok:
        block["is_error"] = True
    return block
