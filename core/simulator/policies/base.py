"""What plays the model: a policy answers a request by rules, from the request alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Block = dict[str, Any]

_TURNS_SO_FAR = re.compile(r"^\W*turns so far: (\d+)\W*$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: blocks in the wire's form; a `tool_use` may lack its id, a `thinking` block its signature.

    `stop_reason` None means what follows from the blocks; `output_tokens` None means measured; `delay_s` is what the
    model takes before its first token, in seconds of the clock.
    """

    blocks: Sequence[Block]
    stop_reason: str | None = None
    output_tokens: int | None = None
    delay_s: float = 0.0

    @property
    def stops_for(self) -> str:
        if self.stop_reason is not None:
            return self.stop_reason
        return "tool_use" if any(block["type"] == "tool_use" for block in self.blocks) else "end_turn"


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that a policy wants to make."""

    name: str
    input: dict[str, Any] = field(default_factory=dict)

    def block(self) -> Block:
        return {"type": "tool_use", "name": self.name, "input": self.input}


class Policy(Protocol):
    """A pure function of the request's messages and offered tools, without memory of its own."""

    def reply(self, request: Mapping[str, Any]) -> Reply:
        """The next reply; `request` is the decoded body."""
        ...

    def sizes(self, request: Mapping[str, Any]) -> Sequence[int | None]:
        """Scripted tokens of each message in the prompt; None, or a missing place, means measured."""
        ...


def text_block(text: str) -> Block:
    return {"type": "text", "text": text}


def message_texts(message: Mapping[str, Any]) -> list[str]:
    """The texts of a message's own text blocks; what tools answered is not among them."""
    content = message.get("content", "")
    if isinstance(content, str):
        return [content]
    return [str(block.get("text", "")) for block in content if block.get("type") == "text"]


def thinking_budget(request: Mapping[str, Any]) -> int:
    """Tokens that the model may think, beside its reply."""
    thinking = request.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, Mapping) else None
    return budget if isinstance(budget, int) else 0


def turns_compressed(messages: Sequence[Mapping[str, Any]]) -> int:
    """Replies that a compression took out of the request, as its last line `turns so far: N` at the start says."""
    found = _TURNS_SO_FAR.findall("\n".join(message_texts(messages[0]))) if messages else []
    return int(found[-1]) if found else 0
