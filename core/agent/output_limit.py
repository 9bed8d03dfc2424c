"""How long the next reply may be: small where small replies are the rule, larger after a cut one or for a long step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.agent.facts import Spoken

USUAL = 8_192
SMALL = 4_096
LONG = 32_768
LARGEST = 65_536
PROVEN = 10
"""Replies that must have been small before the limit is lowered."""
MARGIN = 0.5
"""Small means this share of the small limit: a reply twice as long as the longest still fits."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The `max_tokens` of a request, thinking included, and why."""

    tokens: int
    reason: str


def output_limit(recent: Sequence[Spoken], most: int, *, long_step: bool = False, thinking: int = 0) -> Limit:
    """The limit of the next reply, at most `most`; `recent` are the latest replies, oldest first.

    `thinking`: tokens that the model may think; vendors count them as output, so they come on top.
    """
    last = recent[-1] if recent else None
    if last is not None and last.stop_reason == "max_tokens":
        limit = Limit(max(USUAL, 2 * last.limit), "the last reply was cut")
    elif long_step:
        limit = Limit(LONG + thinking, "the step is marked long")
    elif last is not None and last.calls and _always_small(recent):
        longest = max(reply.output for reply in recent)
        limit = Limit(SMALL + thinking, f"the last {len(recent)} replies needed at most {longest:,}")
    else:
        limit = Limit(USUAL + thinking, "")
    most = min(most, LARGEST)
    return limit if limit.tokens <= most else Limit(most, limit.reason or "the model's maximum")


def _always_small(recent: Sequence[Spoken]) -> bool:
    return len(recent) >= PROVEN and all(reply.output <= SMALL * MARGIN for reply in recent)
