"""What a policy does next: words, calls, and where they bring it; and the calls that every policy makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from core.simulator.policies.base import Call, Reply, text_block
from core.simulator.policies.places import progress_line

Place = TypeVar("Place", bound=Any)
MAX_TRIES = 3


@dataclass(frozen=True, slots=True)
class Step(Generic[Place]):
    """`progress` names the step that understands the answers; a step without calls and with `final` ends the turn."""

    text: str
    progress: Place
    calls: Sequence[Call] = field(default_factory=tuple)
    thinking: str = ""
    final: bool = False

    def reply(self, request: Mapping[str, Any]) -> Reply:
        """The step as the model says it: its thinking where that was not switched off, and the place at the end."""
        thinks = self.thinking and (request.get("thinking") or {}).get("type") != "disabled"
        thinking = [{"type": "thinking", "thinking": self.thinking}] if thinks else []
        words = text_block(f"{self.text}\n\n{progress_line(self.progress)}")
        return Reply([*thinking, words, *(call.block() for call in self.calls)])


def remember(text: str, topic: str, category: str = "fact") -> Call:
    return Call("remember", {"text": text, "category": category, "topic": topic})


def run(command: str, timeout: int = 300) -> Call:
    return Call("run_command", {"command": command, "timeout": timeout})


def read(path: str, offset: int = 1) -> Call:
    return Call("read_file", {"path": path} | ({"offset": offset} if offset > 1 else {}))


def count(number: int, noun: str) -> str:
    """`1 finding`, `4,000 findings`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
