"""Handing a part of the task to a session of its own, on a cheaper model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Protocol, runtime_checkable

import msgspec
from msgspec import Meta

from core.tools.base import Effect, Outcome, ToolContext, ToolError
from core.tools.common import Arguments

DELEGATES = "delegates"
"""The setting of a call's context that runs sessions for this one."""


class DelegateArguments(Arguments, frozen=True):
    task: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=20_000,
            description="All that is needed to do it and to see that it is done: nothing of this conversation is seen.",
        ),
    ]
    model: Annotated[str | None, Meta(description="One of the models named above; left out: the first.")] = None


@runtime_checkable
class Delegates(Protocol):
    """Runs sessions that work for this one. What a session is and may do follows from the `intent`."""

    def plan(self, call: str, model: str | None) -> dict[str, Any]:
        """The intent of a call. Raises ToolError for a model that is not offered."""
        ...

    def unfinished(self, intent: Mapping[str, Any]) -> bool: ...

    async def go_on(self, call: str, task: str, intent: Mapping[str, Any]) -> Outcome:
        """Begin the session, or go on with it, to its end. Raises ToolError, or LaidDown to be called again later."""
        ...

    async def cut(self, call: str, intent: Mapping[str, Any]) -> Outcome:
        """End it where it stands."""
        ...


class Delegate:
    """Offered where the configuration names `models` for it."""

    name: ClassVar[str] = "delegate"
    effect: ClassVar[Effect] = Effect.DELEGATE
    Arguments: ClassVar[type[msgspec.Struct]] = DelegateArguments

    def __init__(self, models: Sequence[str]) -> None:
        self.description = (
            "Have another agent on a cheaper model do a part of the task in this workspace, and get its report. For "
            "work that is easy to describe and to check: a survey of many files, a mechanical change, a search. It has "
            "your tools but can ask nobody, and sees nothing but what you tell it. Check what it did. Models: "
            f"{', '.join(models)}."
        )

    def prepare(self, arguments: DelegateArguments, context: ToolContext) -> dict[str, Any]:
        return _delegates(context).plan(context.call, arguments.model)

    async def run(self, arguments: DelegateArguments, context: ToolContext) -> Outcome:
        delegates = _delegates(context)
        return await delegates.go_on(context.call, arguments.task, delegates.plan(context.call, arguments.model))

    async def recover(self, arguments: DelegateArguments, intent: dict[str, Any], context: ToolContext) -> Outcome:
        """Go on with it; where that can't be, say so."""
        try:
            return await _delegates(context).go_on(context.call, arguments.task, intent)
        except ToolError as error:
            return Outcome(str(error), ok=False)

    def goes_on(self, intent: Mapping[str, Any], context: ToolContext) -> bool:
        return _delegates(context).unfinished(intent)

    async def cut(self, intent: Mapping[str, Any], context: ToolContext) -> Outcome:
        return await _delegates(context).cut(context.call, intent)


def _delegates(context: ToolContext) -> Delegates:
    delegates = context.settings.get(DELEGATES)
    if not isinstance(delegates, Delegates):
        raise ToolError("Nothing can be delegated here; do it yourself.")
    return delegates
