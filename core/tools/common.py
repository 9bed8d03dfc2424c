"""What most tools share: the base of their arguments, and the verbs of a tool that may simply run again."""

from __future__ import annotations

from typing import Any

import msgspec

from core.tools.base import RERUN, Outcome, Rerun, ToolContext


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every tool's arguments: named, complete, and strict about names the tool doesn't know."""


class Repeatable:
    """Reads, and changes that only become real with their outcome's events: a crash before that left no trace."""

    def prepare(self, arguments: Any, context: ToolContext) -> dict[str, Any]:
        return {}

    async def recover(self, arguments: Any, intent: dict[str, Any], context: ToolContext) -> Outcome | Rerun:
        return RERUN


def handle_of(context: ToolContext) -> str:
    """The name under which `recall` gives the whole output of this call."""
    return f"out:{context.call}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 line`, `1,204 lines`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
