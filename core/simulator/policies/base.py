"""What plays the model: a policy answers a request by rules, from the request alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Block = dict[str, Any]


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
