"""What a request itself says of the work so far, as a paragraph; and how a model may get it wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.simulator.policies.base import Reply, message_texts, text_block

_STEP = re.compile(r"^\W*\[(todo|active|done|dropped)\] ([^:\s]+): (.+)$", re.MULTILINE)
_OPEN = ("todo", "active")
_LONGEST_WORDS = 160
_PAGES = 60
"""So often a paragraph that is too long says itself again."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known: (id, intent) of each open step of the plan, calls by tool name, the model's last words."""

    steps: tuple[tuple[str, str], ...] = ()
    calls: tuple[tuple[str, int], ...] = ()
    words: str = ""

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Known:
        """From a request: the newest `plan` call, and plan lines in what a compression left behind."""
        steps: dict[str, tuple[str, str]] = {}
        calls: Counter[str] = Counter()
        words = ""
        for message in request["messages"]:
            texts = "\n".join(message_texts(message))
            if message["role"] == "user":
                steps |= {name: (status, intent) for status, name, intent in _STEP.findall(texts)}
                continue
            words = texts or words
            for use in _uses(message):
                calls[use["name"]] += 1
                steps = _planned(use["input"]) if use["name"] == "plan" else steps
        still_open = tuple((name, intent) for name, (status, intent) in steps.items() if status in _OPEN)
        return cls(still_open, tuple(sorted(calls.items())), words.strip().partition("\n")[0][:_LONGEST_WORDS])


def paragraph(known: Known) -> str:
    """A few sentences: what was done, what was said last, which steps are open."""
    done = ", ".join(f"{name} {count}x" for name, count in known.calls) or "none"
    said = f" The last words were: {known.words}" if known.words else ""
    steps = "; ".join(f"{name} ({intent})" if intent else name for name, intent in known.steps)
    return f"Calls in sight: {done}.{said} {f'Open steps of the plan: {steps}.' if steps else 'No step is open.'}"


def _uses(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content")
    return [block for block in content if block.get("type") == "tool_use"] if isinstance(content, list) else []


def _planned(arguments: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    steps = [step for step in arguments.get("steps") or () if isinstance(step, Mapping)]
    return {str(step.get("id")): (str(step.get("status", "todo")), str(step.get("intent", ""))) for step in steps}


def _says(text: str, stop_reason: str | None = None) -> Reply:
    return Reply([text_block(text)], stop_reason)


def _empty(known: Known) -> Reply:
    return Reply([])


def _refuses(known: Known) -> Reply:
    return _says("I'm sorry, but I can't help with summarising this conversation.")


def _invents(known: Known) -> Reply:
    return _says(f"{paragraph(known)} The cause lies in src/payments/gateway_v2/retry_policy.py.")


def _drops(known: Known) -> Reply:
    return _says(paragraph(replace(known, steps=known.steps[:-1])))


def _truncates(known: Known) -> Reply:
    text = paragraph(known)
    return _says(text[: len(text) // 2], "max_tokens")


def _too_long(known: Known) -> Reply:
    return _says(" ".join([paragraph(known)] * _PAGES))


def _paraphrases(known: Known) -> Reply:
    """Says what the steps are about, and names none of them."""
    about = tuple((f"the one about {intent.lower()[:20]}", "") for _, intent in known.steps)
    return _says(paragraph(replace(known, steps=about, words="")))


FLAWS: dict[str, Callable[[Known], Reply]] = {
    "empty": _empty,
    "refuses": _refuses,
    "invents": _invents,
    "drops": _drops,
    "truncates": _truncates,
    "too-long": _too_long,
    "paraphrases": _paraphrases,
}
"""What a model that summarises may do wrong, by name."""


def flawed(flaw: str) -> Callable[[Mapping[str, Any]], Reply]:
    """A summariser with one flaw. Raises KeyError when there is none of that name."""
    write = FLAWS[flaw]
    return lambda request: write(Known.of(request))
