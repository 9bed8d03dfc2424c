"""A request body taken apart: blocks with their size, digest and cache marker.

A long session sends its whole history with every request. Messages that were already in the request before are
recognised by comparing bytes, so that a 4 MB body costs little more than what is new in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from core.simulator.errors import invalid

BYTES_PER_TOKEN = 4
IMAGE_TOKENS = 1_600
TTL_SECONDS = {"5m": 300, "1h": 3_600}


@dataclass(frozen=True, slots=True)
class Block:
    """One cacheable unit: 16 bytes of digest without its marker, tokens, and the marker's lifetime in seconds."""

    digest: bytes
    tokens: int
    ttl_s: int | None = None


@dataclass(slots=True)
class Message:
    """One message as received. `raw` are its bytes; `uses` and `results` the ids of its tool blocks, in order.

    `results_first`: no result comes after another block. `checked`: its blocks were once found to be well formed.
    """

    raw: msgspec.Raw
    value: dict[str, Any]
    blocks: tuple[Block, ...]
    uses: tuple[str, ...]
    results: tuple[str, ...]
    results_first: bool = True
    checked: bool = False

    @property
    def role(self) -> str:
        return str(self.value["role"])


@dataclass(slots=True)
class Prompt:
    """A request: `fields` are the decoded top-level values (messages included), `prefix` the blocks before messages."""

    fields: dict[str, Any]
    prefix: tuple[Block, ...]
    messages: list[Message]
    scripted_sizes: Sequence[int | None] = field(default_factory=tuple)

    def blocks(self) -> Iterator[Block]:
        """Every block in cache order: tools, system, messages; sizes scripted by a policy replace measured ones."""
        yield from self.prefix
        sizes = self.scripted_sizes
        for index, message in enumerate(self.messages):
            scripted = sizes[index] if index < len(sizes) else None
            yield from message.blocks if scripted is None else _resized(message.blocks, scripted)


class PromptReader:
    """Decodes bodies and remembers the messages of the last one."""

    def __init__(self) -> None:
        self._known: list[Message] = []

    def read(self, body: bytes) -> Prompt:
        """Raises ApiError (400) when the body is no JSON object or its parts have the wrong shape."""
        try:
            parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
            raws = msgspec.json.decode(parts.pop("messages", msgspec.Raw(b"[]")), type=list[msgspec.Raw])
            fields = {name: msgspec.json.decode(raw) for name, raw in parts.items()}
            messages = self._messages(raws)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise invalid(f"The request body is not valid JSON: {error}") from error
        fields["messages"] = [message.value for message in messages]
        prefix = _tool_blocks(fields.get("tools") or []) + _section_blocks(fields.get("system"), "system")
        if fields.get("cache_control") and messages:
            messages = [*messages[:-1], _marked(messages[-1], fields["cache_control"])]
        return Prompt(fields, prefix, messages)

    def _messages(self, raws: list[msgspec.Raw]) -> list[Message]:
        known = self._known
        self._known = [
            known[index] if index < len(known) and known[index].raw == raw else _message(raw, index)
            for index, raw in enumerate(raws)
        ]
        return self._known


def text_tokens(text: str) -> int:
    """Tokens of a text: a quarter of its UTF-8 bytes, rounded up."""
    return -(-_bytes(text) // BYTES_PER_TOKEN)


def block_tokens(block: dict[str, Any]) -> int:
    """Tokens of one content block in a prompt."""
    return -(-_block_bytes(block) // BYTES_PER_TOKEN)


def content_blocks(content: Any) -> list[dict[str, Any]]:
    """Message, system or result content as a list of blocks; a plain string is one text block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _message(raw: msgspec.Raw, index: int) -> Message:
    value = msgspec.json.decode(raw)
    if not isinstance(value, dict) or not isinstance(value.get("role"), str):
        raise invalid(f"messages.{index}: Input should be an object with a role and content")
    blocks = content_blocks(value.get("content"))
    is_result = [block.get("type") == "tool_result" for block in blocks]
    return Message(
        raw=raw.copy(),
        value=value,
        blocks=_section_blocks(blocks, value["role"]),
        uses=tuple(str(block.get("id")) for block in blocks if block.get("type") == "tool_use"),
        results=tuple(str(block.get("tool_use_id")) for block in blocks if block.get("type") == "tool_result"),
        results_first=all(is_result[: sum(is_result)]),
    )


def _marked(message: Message, marker: Any) -> Message:
    last = message.blocks[-1]
    blocks = (*message.blocks[:-1], Block(last.digest, last.tokens, _ttl(marker)))
    return replace(message, blocks=blocks)


def _resized(blocks: tuple[Block, ...], tokens: int) -> Iterator[Block]:
    """All of them on the first block, so that what a side request adds behind it leaves the sums before it alone."""
    for index, block in enumerate(blocks):
        yield Block(block.digest, 0 if index else tokens, block.ttl_s)


def _section_blocks(content: Any, section: str) -> tuple[Block, ...]:
    return tuple(_block(block, section, block_tokens(block)) for block in content_blocks(content))


def _tool_blocks(tools: Any) -> tuple[Block, ...]:
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        raise invalid("tools: Input should be a list of tool definitions")
    return tuple(_block(tool, "tools", -(-len(msgspec.json.encode(tool)) // BYTES_PER_TOKEN)) for tool in tools)


def _block(block: dict[str, Any], section: str, tokens: int) -> Block:
    bare = {name: value for name, value in block.items() if name != "cache_control"}
    digest = hashlib.blake2b(section.encode() + msgspec.json.encode(bare), digest_size=16).digest()
    marker = block.get("cache_control")
    return Block(digest, tokens, _ttl(marker) if marker else None)


def _ttl(marker: Any) -> int:
    if not isinstance(marker, dict) or marker.get("type") != "ephemeral":
        raise invalid("cache_control.type: Input should be 'ephemeral'")
    ttl = marker.get("ttl", "5m")
    if ttl not in TTL_SECONDS:
        raise invalid("cache_control.ttl: Input should be '5m' or '1h'")
    return TTL_SECONDS[ttl]


def _block_bytes(block: dict[str, Any]) -> int:
    match block.get("type"):
        case "text":
            return _bytes(block.get("text"))
        case "thinking":
            return _bytes(block.get("thinking"))
        case "tool_use":
            return _bytes(block.get("name")) + len(msgspec.json.encode(block.get("input")))
        case "tool_result":
            return sum(_block_bytes(part) for part in content_blocks(block.get("content", "")))
        case "image":
            return IMAGE_TOKENS * BYTES_PER_TOKEN
    return len(msgspec.json.encode(block))


def _bytes(text: Any) -> int:
    if not isinstance(text, str):
        return 0
    return len(text) if text.isascii() else len(text.encode())
