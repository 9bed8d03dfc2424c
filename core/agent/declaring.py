"""Constraints in the user's words, as the events that declare them. Pure."""

from __future__ import annotations

from typing import Literal

from core.constraints.reading import Constraint, constraints_in
from core.events import ConstraintDeclared, Draft
from core.folds.constraints import Constraints

Source = Literal["task", "guidance", "config", "user"]


def declarations(text: str, source: Source, standing: Constraints) -> list[Draft]:
    """The constraints that a text declares and that do not stand yet, as events."""
    known = {(one.body.form, tuple(one.body.patterns)) for one in standing.standing() if one.body.form}
    told = {one.body.text for one in standing.by_id.values() if not one.body.form}
    new = [
        one
        for one in constraints_in(text)
        if (one.kind, one.patterns) not in known and not (one.kind is None and one.text in told)
    ]
    first = len(standing.by_id) + 1
    return [
        Draft(declared(one, source), key=f"k{number}", actor="system") for number, one in enumerate(new, start=first)
    ]


def declared(one: Constraint, source: Source) -> ConstraintDeclared:
    """A constraint as an event."""
    return ConstraintDeclared(text=one.text, form=one.kind or "", patterns=list(one.patterns), source=source)
