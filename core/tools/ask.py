"""Asking the user: the call waits for their answer, or for the time at which the default applies."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.events import HumanAnswered
from core.tools.base import Effect, Outcome, ToolContext
from core.tools.common import Arguments, Repeatable

REPLY = "reply"
"""The setting of a call's context that holds the user's answer."""


class AskHumanArguments(Arguments, frozen=True):
    question: Annotated[
        str, Meta(min_length=1, max_length=2_000, description="One question, with what is needed to answer it.")
    ]
    options: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=200)]],
        Meta(max_length=9, description="Answers to choose from."),
    ] = []
    default: Annotated[
        Annotated[str, Meta(max_length=400)] | None,
        Meta(description="What you will do when nobody answers in time; else you wait."),
    ] = None
    timeout_minutes: Annotated[
        int, Meta(ge=1, le=2_880, description="How long to wait before the default applies.")
    ] = 60


class AskHuman(Repeatable):
    name: ClassVar[str] = "ask_human"
    description: ClassVar[str] = (
        "Ask the user one question that only they can decide: a choice that is hard to take back, something that the "
        "task leaves open, a thing that you can't do. Give a default where you can go on without them. Not for what "
        "you can find out yourself."
    )
    effect: ClassVar[Effect] = Effect.STATE
    Arguments: ClassVar[type[msgspec.Struct]] = AskHumanArguments

    async def run(self, arguments: AskHumanArguments, context: ToolContext) -> Outcome:
        reply = context.settings.get(REPLY)
        if not isinstance(reply, HumanAnswered):
            return Outcome("Nobody can be asked here. Decide yourself, and say what you decided and why.", ok=False)
        if reply.by_default:
            return Outcome(f"Nobody answered in time, so your default applies: {reply.text}")
        return Outcome(f"The user answers: {reply.text}")
