"""What a control is: a name, its arguments, and a pure judgement of what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.agent.facts import Facts
from core.events import Draft
from core.journal.inbox import Command

ENDED = "The session has ended; resume it first, with guidance where its task is done."


class Refused(Exception):
    """The reason, as one plain sentence."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One control. `judge` gives the events that follow at once; `args` names its arguments for the help.

    `grants`: whether a command would give the agent more than it has, so that it has to come from the user for sure.
    """

    name: str
    args: tuple[str, ...]
    help: str
    judge: Callable[[Command, Facts], list[Draft]]
    grants: Callable[[Command, Facts], bool] = lambda command, facts: False


def text_of(command: Command, limit: int) -> str:
    """The text that a command brings, at most `limit` characters. Raises Refused."""
    text = command.args.get("text")
    if not isinstance(text, str) or not text.strip():
        raise Refused(f"{command.verb} needs a text.")
    if len(text) > limit:
        raise Refused(f"The text has {len(text):,} characters, more than {limit:,}; put it into a file and name that.")
    return text.strip()
