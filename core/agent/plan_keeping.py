"""The plan held against the log: a step is done when its check passed, and what is decided is not planned anew."""

from __future__ import annotations

from core.agent.facts import Facts
from core.events import PlanReassessed, PlanStep
from core.folds.words import one_line
from core.planning import open_points, undecided, unproven
from core.tools.base import ToolError

LINE = 60
"""Characters of a command where an end is told."""


class PlanKeeper:
    """`core.tools.plan.Keeper` over the facts of a session."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def judge(self, steps: list[PlanStep], reason: str) -> PlanReassessed | None:
        facts, old = self._facts, _steps(self._facts)
        if facts.proofs.compressed and (why := undecided(old, steps, reason)):
            raise ToolError(why)
        if why := unproven(old, steps, facts.proofs.proven):
            raise ToolError(why)
        before = next((step for step in old if step.status == "active"), None)
        after = {step.id: step for step in steps}
        ended = before is not None and (before.id not in after or after[before.id].status != "active")
        if not old or not (ended or reason.strip()):
            return None
        others = [step for step in old if before is None or step.id != before.id]
        kept = sum(step.id in after and after[step.id].intent == step.intent for step in others)
        proof = facts.proofs.proven(before.check) if before is not None else None
        verified = proof is not None and proof.passed and proof.current
        return PlanReassessed(
            step=before.id if before else "", reason=reason, verified=verified, kept=kept, changed=len(others) - kept
        )


def open_points_of(facts: Facts) -> tuple[str, ...]:
    """What a claim that all is done leaves open, by the log."""
    red = (f"{id} does not hold: {facts.constraints.by_id[id].body.text}" for id in facts.guards.green.red())
    return (*open_points(_steps(facts), facts.proofs.proven), *red)


def unverified_of(facts: Facts) -> str:
    """What of the end nobody has seen work; empty where there is nothing to see or it was seen."""
    return "; ".join(filter(None, (_unproven(facts), facts.docket.unjudged)))


def _unproven(facts: Facts) -> str:
    proofs = facts.proofs
    if proofs.failing:
        return f"`{one_line(proofs.failing, LINE)}` failed in its last run"
    return "no check has passed since the last change of a file" if proofs.changed and proofs.outdated else ""


def _steps(facts: Facts) -> list[PlanStep]:
    plan = facts.plan.at()
    return list(plan.steps) if plan else []
