"""The controls of constraints: declare one, lift one."""

from __future__ import annotations

from core.agent.declaring import declared
from core.agent.facts import Facts
from core.agent.verb import ENDED, Refused, Verb, text_of
from core.constraints.reading import FORMS, LIFTED, LONGEST, read_constraint
from core.events import ConstraintLifted, Draft, GuidanceQueued
from core.journal.inbox import Command


def _declare(command: Command, facts: Facts) -> list[Draft]:
    text = text_of(command, LONGEST)
    one = read_constraint(text)
    if one is None:
        raise Refused(f"{text[:60]!r} can't be checked exactly; say it as guidance, or in one of these forms: {FORMS}.")
    if facts.state.finished is not None:
        raise Refused(ENDED)
    standing = facts.constraints.standing()
    wanted = (one.kind, one.patterns)
    same = next((it for it in standing if (it.body.form, tuple(it.body.patterns)) == wanted), None)
    if same is not None:
        raise Refused(f"{same.id} says that already: {same.body.text}.")
    id = f"k{len(facts.constraints.by_id) + 1}"
    return [
        Draft(declared(one, "user"), key=id, actor=command.actor),
        Draft(GuidanceQueued(text=one.text, standing=True), key=command.id, actor=command.actor),
    ]


def _lift(command: Command, facts: Facts) -> list[Draft]:
    wanted = str(command.args.get("id") or "")
    one = facts.constraints.by_id.get(wanted)
    if one is None or not one.stands():
        there = ", ".join(f"{it.id} ({it.body.text})" for it in facts.constraints.standing()) or "none"
        raise Refused(f"No constraint {wanted!r} stands. There are: {there}.")
    text = f"{LIFTED} {one.body.text}"
    return [
        Draft(ConstraintLifted(), key=one.id, actor=command.actor),
        Draft(GuidanceQueued(text=text, standing=True), key=command.id, actor=command.actor),
    ]


CONSTRAINT_VERBS = (
    Verb("constraint", ("text",), "forbid something that is checked exactly, as in: never touch migrations/", _declare),
    Verb("lift", ("id",), "lift a constraint", _lift, grants=lambda *_: True),
)
