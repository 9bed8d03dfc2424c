"""Side requests: a ping that keeps the cache warm, a request for a paragraph. Neither is part of the conversation.

They come over the same wire with the same prefix, so what they are is told by their shape alone, and only here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from core.simulator.policies.base import Policy, Reply, message_texts, text_block, thinking_budget
from core.simulator.policies.summaries import Known, paragraph

COMPRESS_TAG = "<compress-request>"
"""Stands in the last text of a request for a paragraph."""

PONG = Reply([text_block("ok")], stop_reason="max_tokens", output_tokens=1)
"""All that one token of a reply can say."""


class Purpose(StrEnum):
    """What a request is for, as the product's own ledger calls it."""

    MAIN = "main"
    PING = "ping"
    DIGEST = "digest"


def purpose_of(request: Mapping[str, Any]) -> Purpose:
    """A ping leaves room for one token, thinking aside; a request for a paragraph ends with a text that has the tag."""
    if request.get("max_tokens", 0) - thinking_budget(request) == 1:
        return Purpose.PING
    messages = request.get("messages") or []
    last = message_texts(messages[-1])[-1:] if messages else []
    return Purpose.DIGEST if last and COMPRESS_TAG in last[0] else Purpose.MAIN


def summarise(request: Mapping[str, Any]) -> Reply:
    """A short paragraph in which everything is true."""
    return Reply([text_block(paragraph(Known.of(request)))])


class WithSides:
    """Any policy, with side requests answered in its place: it never sees them, so nothing of them can disturb it."""

    def __init__(self, policy: Policy, summarise: Callable[[Mapping[str, Any]], Reply] = summarise) -> None:
        self._policy = policy
        self._summarise = summarise

    def reply(self, request: Mapping[str, Any]) -> Reply:
        match purpose_of(request):
            case Purpose.PING:
                return PONG
            case Purpose.DIGEST:
                return self._summarise(request)
        return self._policy.reply(request)

    def sizes(self, request: Mapping[str, Any]) -> Sequence[int | None]:
        return self._policy.sizes(request)


def with_sides(policy: Policy) -> WithSides:
    """The policy as the server plays it."""
    return policy if isinstance(policy, WithSides) else WithSides(policy)
