"""A reply on the wire: the events of the Anthropic Messages stream, and the same reply as one JSON message."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from core.simulator.invoice import Invoice, PriceList
from core.simulator.policies.base import Block, Reply
from core.simulator.prompt import text_tokens

_DELTA_CHARS = 24
_DELTAS = {"text": ("text_delta", "text"), "thinking": ("thinking_delta", "thinking")}


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of the stream and the tokens that were generated for it."""

    event: str
    data: bytes
    tokens: int = 0

    def encode(self) -> bytes:
        return b"event: %b\ndata: %b\n\n" % (self.event.encode(), self.data)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A reply on its way out: the message's head, the bill of its prompt, at most `limit` tokens of it.

    With `prices`, the usage says what it cost.
    """

    message_id: str
    model: str
    invoice: Invoice
    reply: Reply
    limit: int
    prices: PriceList | None = None

    @property
    def measured(self) -> int:
        """Tokens of the whole reply by its text."""
        return sum(text_tokens(_body(block)) for block in self.reply.blocks)

    @property
    def half_of_last_block(self) -> int:
        """The limit at which the last block ends half way."""
        return self.measured - text_tokens(_body(self.reply.blocks[-1])) // 2

    @property
    def is_cut(self) -> bool:
        return self._size > self.limit

    @property
    def output_tokens(self) -> int:
        return max(1, min(self._size, self.limit))

    @property
    def _size(self) -> int:
        """Tokens of the whole reply as they are billed: scripted or measured."""
        return self.measured if self.reply.output_tokens is None else self.reply.output_tokens

    @property
    def _sent(self) -> int:
        """How much of `measured` goes out."""
        return self.limit * self.measured // self._size if self.is_cut else self.measured

    @property
    def billed(self) -> Invoice:
        """The bill of the whole request."""
        return replace(self.invoice, output_tokens=self.output_tokens)

    @property
    def stop_reason(self) -> str:
        return "max_tokens" if self.is_cut else self.reply.stops_for

    def frames(self) -> Iterator[Frame]:
        """The stream, in the order of the real API."""
        yield _frame("message_start", message=self._head())
        yield _frame("ping")
        left = self._sent
        for index, block in enumerate(self.reply.blocks):
            if left <= 0:
                break
            yield from _block_frames(index, block, left)
            left -= text_tokens(_body(block))
        stop = {"stop_reason": self.stop_reason, "stop_sequence": None}
        yield _frame("message_delta", delta=stop, usage=self.billed.usage(self.prices))
        yield _frame("message_stop")

    def message(self) -> dict[str, Any]:
        """The reply to a request that did not ask for a stream; cut arguments are lost in it, as in the real API."""
        content, left = [], self._sent
        for block in self.reply.blocks:
            size = text_tokens(_body(block))
            if left > 0:
                content.append(_whole(block) if size <= left else _shortened(block, left))
            left -= size
        stop = {"stop_reason": self.stop_reason, "stop_sequence": None}
        return self._head() | {"content": content, "usage": self.billed.usage(self.prices)} | stop

    def _head(self) -> dict[str, Any]:
        return {
            "id": self.message_id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": self.invoice.usage(),
        }


def error_frame(envelope: dict[str, Any]) -> Frame:
    """An `error` event in the middle of a stream."""
    return Frame("error", msgspec.json.encode(envelope))


def _frame(event: str, tokens: int = 0, **fields: Any) -> Frame:
    return Frame(event, msgspec.json.encode({"type": event, **fields}), tokens)


def _body(block: Block) -> str:
    """What of a block is streamed as deltas."""
    if block["type"] == "tool_use":
        return msgspec.json.encode(block["input"]).decode()
    return str(block[block["type"]])


def _whole(block: Block) -> Block:
    return block | {"signature": _signature(block)} if block["type"] == "thinking" else block


def _shortened(block: Block, tokens: int) -> Block:
    if block["type"] == "tool_use":
        return block | {"input": {}}
    return _whole(block | {block["type"]: _body(block)[: tokens * 4]})


def _signature(block: Block) -> str:
    return str(block.get("signature") or base64.b64encode(hashlib.sha256(_body(block).encode()).digest()).decode())


def _block_frames(index: int, block: Block, limit: int) -> Iterator[Frame]:
    kind, body = block["type"], _body(block)
    if text_tokens(body) > limit:
        body = body[: max(1, limit * 4 - 1)]
    empty: Block = block | {"input": {}} if kind == "tool_use" else {"type": kind, kind: ""}
    if kind == "thinking":
        empty["signature"] = ""
    yield _frame("content_block_start", index=index, content_block=empty)
    delta, name = _DELTAS.get(kind, ("input_json_delta", "partial_json"))
    for start in range(0, len(body), _DELTA_CHARS):
        piece = body[start : start + _DELTA_CHARS]
        yield _frame("content_block_delta", text_tokens(piece), index=index, delta={"type": delta, name: piece})
    if kind == "thinking":
        signed = {"type": "signature_delta", "signature": _signature(block)}
        yield _frame("content_block_delta", index=index, delta=signed)
    yield _frame("content_block_stop", index=index)
