"""The constraints that the user declared: which stand, and how often each was kept from being broken, or was broken.

A rewind takes back what the agent did, not what its user forbade, so they belong to no branch.
"""

from __future__ import annotations

from msgspec import Struct, field

from core.events import ConstraintBroken, ConstraintDeclared, ConstraintLifted, Event
from core.folds.fold import Handler


class Declared(Struct):
    """One constraint `id`, declared by event `seq`. `lifted`: the event that lifted it."""

    id: str
    seq: int
    body: ConstraintDeclared
    lifted: int | None = None
    broken: list[int] = field(default_factory=list)
    prevented: list[int] = field(default_factory=list)

    def stands(self, at: int | None = None) -> bool:
        """Whether it held as of event `at`."""
        begun = at is None or self.seq <= at
        return begun and (self.lifted is None or (at is not None and at < self.lifted))


class Constraints:
    """In the order in which they were declared."""

    def __init__(self) -> None:
        self.by_id: dict[str, Declared] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "constraint.declared": self._declared,
            "constraint.lifted": self._lifted,
            "constraint.broken": self._broken,
        }

    def standing(self, at: int | None = None) -> list[Declared]:
        """Those that hold as of event `at`."""
        return [one for one in self.by_id.values() if one.stands(at)]

    def _declared(self, event: Event) -> None:
        if isinstance(event.body, ConstraintDeclared) and event.key:
            self.by_id[event.key] = Declared(event.key, event.seq, event.body)

    def _lifted(self, event: Event) -> None:
        if isinstance(event.body, ConstraintLifted) and (one := self.by_id.get(event.key or "")) is not None:
            one.lifted = event.seq

    def _broken(self, event: Event) -> None:
        body = event.body
        if isinstance(body, ConstraintBroken) and (one := self.by_id.get(body.constraint)) is not None:
            (one.prevented if body.prevented else one.broken).append(event.seq)
