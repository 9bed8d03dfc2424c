"""How long the model takes between calls: pauses measured on the longest real sessions, played on a virtual clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from core.simulator.policies.base import Policy, Reply, message_texts
from core.simulator.policies.places import read_line
from core.simulator.policies.surveyor.progress import Progress


@cache
def pauses() -> tuple[float, ...]:
    """Seconds after each of 1,158 calls, 35 hours in all."""
    return tuple(map(float, Path(__file__).with_name("pauses.txt").read_text(encoding="ascii").split()))


class Paced:
    """A policy that takes its time: before a reply, what the calls of the reply before it took, scaled to `hours`.

    How many calls there have been is in the policy's own line. A request that is sent again is answered at once, for
    its calls have taken their time already.
    """

    def __init__(self, policy: Policy, calls: int, hours: float) -> None:
        self._policy = policy
        self._pauses = [pauses()[place % len(pauses())] for place in range(calls)]
        self._scale = hours * 3_600 / sum(self._pauses)
        self._paid = -1

    def reply(self, request: Mapping[str, Any]) -> Reply:
        reply = self._policy.reply(request)
        before, answers = _calls(request)
        again, self._paid = self._paid == before + answers, before + answers
        pause = 0.0 if again else self._scale * sum(self._pauses[before : before + answers])
        return replace(reply, delay_s=reply.delay_s + pause)

    def sizes(self, request: Mapping[str, Any]) -> Sequence[int | None]:
        return self._policy.sizes(request)


def _calls(request: Mapping[str, Any]) -> tuple[int, int]:
    """How many calls came before the newest reply, and how many answers of its own the request brings."""
    messages = request["messages"]
    said = [text for message in messages[-2:] if message["role"] == "assistant" for text in message_texts(message)]
    progress, content = read_line(said, Progress), messages[-1].get("content", "")
    answers = 0 if isinstance(content, str) else sum(block.get("type") == "tool_result" for block in content)
    return progress.calls if progress else 0, answers
