"""The plan as the model keeps it: always whole, always checkable, with one step under way."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Protocol, runtime_checkable

import msgspec
from msgspec import Meta

from core.events import Body, PlanChanged, PlanReassessed, PlanStep
from core.planning import flaw
from core.tools.base import Effect, Outcome, ToolContext, ToolError
from core.tools.common import Arguments, Repeatable

_MARKS = {"todo": "[ ]", "active": "[>]", "done": "[x]", "dropped": "[-]"}


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Annotated[str, Meta(min_length=1, max_length=20, description="Short and stable, e.g. `3` or `3a`.")]
    intent: Annotated[str, Meta(min_length=1, max_length=300, description="What the step achieves.")]
    check: Annotated[
        str,
        Meta(max_length=300, description="How one can see that it is done; a command in backticks must have passed."),
    ] = ""
    status: Literal["todo", "active", "done", "dropped"] = "todo"
    after: Annotated[list[str], Meta(max_length=10, description="Ids of steps that have to be done first.")] = []
    minutes: Annotated[int, Meta(ge=1, le=240)] | None = None
    note: Annotated[str, Meta(max_length=300, description="Outcome, or why it was dropped.")] = ""


class PlanArguments(Arguments, frozen=True):
    steps: Annotated[list[Step], Meta(min_length=1, description="The whole plan, in order; 40 steps at most.")]
    reason: Annotated[str, Meta(max_length=400, description="Why the plan changes now.")] = ""


KEEPER = "plan keeper"
"""The setting of a call's context that knows what the log says about the plan."""


@runtime_checkable
class Keeper(Protocol):
    """Judges a plan by what the session has done."""

    def judge(self, steps: list[PlanStep], reason: str) -> PlanReassessed | None:
        """What looking at the plan again came to, None where nothing was looked at. Raises ToolError."""
        ...


class Plan(Repeatable):
    name: ClassVar[str] = "plan"
    description: ClassVar[str] = (
        "Set the plan: pass all steps each time, finished ones too, with their ids unchanged. Steps of 15-30 minutes, "
        "each with an observable check; at most one is active. Call it once the task is understood, whenever a step "
        "begins or ends (done only after its check has passed), and when the approach changes."
    )
    effect: ClassVar[Effect] = Effect.STATE
    Arguments: ClassVar[type[msgspec.Struct]] = PlanArguments

    async def run(self, arguments: PlanArguments, context: ToolContext) -> Outcome:
        steps = [PlanStep(**msgspec.structs.asdict(step)) for step in arguments.steps]
        if problem := flaw(steps):
            raise ToolError(problem)
        keeper = context.settings.get(KEEPER)
        again = keeper.judge(steps, arguments.reason) if isinstance(keeper, Keeper) else None
        body = PlanChanged(steps=steps, reason=arguments.reason)
        events: list[tuple[Body, str | None]] = [(body, None), *([(again, None)] if again else [])]
        return Outcome(plan_text(steps), events=tuple(events))


def plan_text(steps: list[PlanStep]) -> str:
    """The plan as lines: a heading with the count of finished steps, then one line a step."""
    kept = [step for step in steps if step.status != "dropped"]
    done = sum(step.status == "done" for step in kept)
    return "\n".join([f"plan: {done} of {len(kept)} done", *map(_line, steps)])


def _line(step: PlanStep) -> str:
    check = f" · check: {step.check}" if step.check else ""
    note = f" · {step.note}" if step.note else ""
    return f"{_MARKS[step.status]} {step.id}. {step.intent}{check}{note}"
