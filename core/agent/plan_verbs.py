"""The control by which the user edits the plan; the agent is told."""

from __future__ import annotations

from typing import Any

import msgspec

from core.agent.facts import Facts
from core.agent.verb import ENDED, Refused, Verb
from core.events import Draft, GuidanceQueued, PlanChanged, PlanStep
from core.journal.inbox import Command
from core.planning import flaw

OPS = {"start": "active", "done": "done", "drop": "dropped", "todo": "todo"}
"""What the user says of a step, and the status that it then has."""
FORMS = "Say: start ID, done ID, drop ID, todo ID, add INTENT, or set ID INTENT."
LONGEST = 300


def _plan(command: Command, facts: Facts) -> list[Draft]:
    op, id, text = (str(command.args.get(name) or "").strip() for name in ("op", "id", "text"))
    plan = facts.plan.at()
    before = list(plan.steps) if plan else []
    if facts.state.finished is not None:
        raise Refused(ENDED)
    steps, said = _edited(before, op, id, text)
    if problem := flaw(steps):
        raise Refused(problem)
    words = f"The user changed the plan: {said}. This holds; go on with it."
    return [
        Draft(PlanChanged(steps=steps, reason=f"the user: {said}"), actor=command.actor),
        Draft(GuidanceQueued(text=words), key=command.id, actor=command.actor),
    ]


def _edited(steps: list[PlanStep], op: str, id: str, text: str) -> tuple[list[PlanStep], str]:
    """The steps after the edit, and the edit in words. Raises Refused."""
    if op == "add" and text and len(text) <= LONGEST:
        new = next(f"u{number}" for number in range(1, len(steps) + 2) if f"u{number}" not in {it.id for it in steps})
        return [*steps, PlanStep(id=new, intent=text)], f"step {new} is new, {text}"
    if op not in (*OPS, "set") or (op == "set" and not (text and len(text) <= LONGEST)):
        raise Refused(FORMS)
    if id not in {step.id for step in steps}:
        there = ", ".join(step.id for step in steps) or "none"
        raise Refused(f"The plan has no step {id!r}. There are: {there}.")
    if op == "set":
        return [
            msgspec.structs.replace(it, intent=text) if it.id == id else it for it in steps
        ], f"step {id} is now: {text}"
    status = OPS[op]
    others = [_rested(step) if status == "active" and step.id != id else step for step in steps]
    changed = [msgspec.structs.replace(step, status=status) if step.id == id else step for step in others]
    return changed, f"step {id} is {status}"


def _rested(step: PlanStep) -> PlanStep:
    """Only one step is under way."""
    return msgspec.structs.replace(step, status="todo") if step.status == "active" else step


PLAN = Verb("plan", ("op", "id", "text"), "edit the plan: start, done, drop, todo ID; add INTENT; set ID INTENT", _plan)


def parse_plan_words(words: list[str]) -> dict[str, Any]:
    """What is to be done with which step. Raises Refused."""
    op, rest = (words[0], words[1:]) if words else ("", [])
    if op == "add":
        return {"op": op, "text": " ".join(rest)}
    if op in (*OPS, "set") and rest:
        return {"op": op, "id": rest[0]} | ({"text": " ".join(rest[1:])} if rest[1:] else {})
    raise Refused(FORMS)
