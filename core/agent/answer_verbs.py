"""The control that answers a question of the agent."""

from __future__ import annotations

import re
from typing import Any

from core.agent.facts import Facts
from core.agent.verb import Refused, Verb
from core.events import Draft, HumanAnswered
from core.folds.asking import PendingCall
from core.journal.inbox import Command

LONGEST = 10_000
_CALL = re.compile(r"r\d+\.\d+\.\d+")


def _answer(command: Command, facts: Facts) -> list[Draft]:
    call = _meant(command, facts)
    text = command.args.get("text")
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise Refused(f"An answer is a text of at most {LONGEST:,} characters, or the number of an option.")
    options = call.question.options if call.question else []
    text = text.strip()
    chosen = options[int(text) - 1] if text.isdecimal() and 0 < int(text) <= len(options) else text
    place = f"{'screen' if command.viewer else 'send'}, {command.origin or 'unknown'}"
    return [Draft(HumanAnswered(text=chosen, place=place), key=call.key, actor=command.actor)]


def _meant(command: Command, facts: Facts) -> PendingCall:
    """The question that is meant; without an id the only one. Raises Refused."""
    waiting, wanted = facts.state.questions, str(command.args.get("id") or "")
    found = [call for call in waiting if not wanted or call.key == wanted]
    if not waiting:
        raise Refused("The agent asks nothing.")
    if len(found) != 1:
        raise Refused(f"Say which: {', '.join(call.key for call in waiting)} wait for an answer.")
    return found[0]


ANSWER = Verb(
    "answer",
    ("id", "text"),
    "answer what the agent asks, in words or by an option's number",
    _answer,
    grants=lambda *_: True,
)


def parse_answer_words(words: list[str]) -> dict[str, Any]:
    """An id first where it looks like one; the rest is the answer."""
    if words and _CALL.fullmatch(words[0]):
        return {"id": words[0], "text": " ".join(words[1:])}
    return {"text": " ".join(words)}
