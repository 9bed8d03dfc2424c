"""The calls of the last reply that have no outcome yet: what the user was asked about them, and what they said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from core.events import ApprovalAnswered, ApprovalAsked, HumanAnswered, HumanAsked, ModelResponded
from core.folds.words import call_line, one_line


class PendingCall(Struct, frozen=True):
    """A tool_use of the last reply that has no outcome yet; `started` when its intent is in the log.

    `asked`: what the user was asked about it, `asked_us` when; `answer`: what they said. `question`, `reply`: the same
    of a call that is itself a question of the agent.
    """

    key: str
    use_id: str
    name: str
    arguments: dict[str, Any]
    started: bool = False
    intent: dict[str, Any] = field(default_factory=dict)
    cut: bool = False
    asked: ApprovalAsked | None = None
    asked_us: int = 0
    answer: ApprovalAnswered | None = None
    question: HumanAsked | None = None
    reply: HumanAnswered | None = None

    @property
    def waits(self) -> bool:
        """Whether it waits for the user's answer."""
        unanswered = self.question is not None and self.reply is None
        return unanswered or (self.asked is not None and self.answer is None)


def calls_of(attempt: str, reply: ModelResponded) -> list[PendingCall]:
    """The calls of a reply, keyed `<attempt>.<index>`; `cut` marks the last call of a reply cut at max_tokens."""
    uses = [block for block in reply.content if block.get("type") == "tool_use"]
    cut_at = len(uses) - 1 if reply.stop_reason == "max_tokens" else -1
    return [
        PendingCall(f"{attempt}.{index}", use["id"], use["name"], _arguments(use), cut=index == cut_at)
        for index, use in enumerate(uses)
    ]


def _arguments(use: dict[str, Any]) -> dict[str, Any]:
    arguments = use.get("input")
    return arguments if isinstance(arguments, dict) else {"input": arguments}


def changed(pending: Mapping[str, PendingCall], key: str | None, **changes: Any) -> dict[str, PendingCall]:
    """The same calls, with these fields of the one with that key changed."""
    return {use_id: replace(call, **changes) if call.key == key else call for use_id, call in pending.items()}


def asking(pending: Mapping[str, PendingCall]) -> list[PendingCall]:
    """Those that wait for an answer, in the order of the reply."""
    return [call for call in pending.values() if call.waits]


def waiting_words(waiting: Sequence[PendingCall]) -> str:
    """What the state says while they wait; empty where none does."""
    if not waiting:
        return ""
    more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
    first = waiting[0]
    line = one_line(first.question.question, 160) if first.question else call_line(first.name, first.arguments)
    return line + more
