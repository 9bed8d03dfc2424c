"""The controller of the plan: whether a plan can be one, whether a step may be done, what is still open. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from core.events import PlanStep
from core.folds.proofs import Proven, command_of

MOST_STEPS = 40
Prove = Callable[[str], Proven | None]


def flaw(steps: Sequence[PlanStep]) -> str:
    """Why these steps are no plan, as a sentence for whoever wrote them; empty where they are one."""
    if not steps:
        return "A plan has at least one step."
    if len(steps) > MOST_STEPS:
        return f"A plan has at most {MOST_STEPS} steps, not {len(steps)}: plan the next hours, not everything."
    twice = [id for id, times in Counter(step.id for step in steps).items() if times > 1]
    if twice:
        return f"Step ids must be unique; {twice[0]!r} is used more than once."
    active = [step.id for step in steps if step.status == "active"]
    if len(active) > 1:
        return f"At most one step can be active; {', '.join(active)} are."
    return _order_flaw(steps)


def _order_flaw(steps: Sequence[PlanStep]) -> str:
    """What is wrong with the order that `after` asks for."""
    before = {step.id: list(step.after) for step in steps}
    for step in steps:
        missing = [id for id in step.after if id not in before]
        if missing:
            return f"Step {step.id} waits for {missing[0]!r}, which is no step of the plan."
    if cycle := _cycle(before):
        return f"Steps wait for each other in a circle: {' after '.join(cycle)}."
    over = {step.id for step in steps if step.status in ("done", "dropped")}
    for step in steps:
        early = [id for id in step.after if id not in over] if step.status in ("active", "done") else []
        if early:
            return f"Step {step.id} can't be {step.status} before step {early[0]} is done."
    return ""


def _cycle(before: dict[str, list[str]]) -> list[str]:
    """Steps that wait for each other, the first one again at the end; empty where none do."""
    settled: set[str] = set()
    for start in before:
        path, todo = [start], [iter(before[start])]
        while todo and start not in settled:
            following = next(todo[-1], None)
            if following is None:
                settled.add(path.pop())
                todo.pop()
            elif following in path:
                return [*path[path.index(following) :], following]
            elif following not in settled:
                path.append(following)
                todo.append(iter(before[following]))
    return []


def unproven(old: Sequence[PlanStep], new: Sequence[PlanStep], prove: Prove) -> str:
    """Why a step that is called done is not, as a sentence; empty where each has its proof, or needs none.

    A check that names a command in backticks has to have passed after the last change of a file.
    """
    done = {step.id for step in old if step.status == "done"}
    for step in new:
        command = command_of(step.check)
        if step.status != "done" or step.id in done or not command:
            continue
        proof = prove(step.check)
        if proof is None:
            return f"Step {step.id} is not verified: its check has not run. Run `{command}` first."
        if not proof.passed:
            return f"Step {step.id} is not verified: its check failed in its last run (#{proof.seq}). Mend that first."
        if not proof.current:
            since = f"files changed after its check had passed (#{proof.seq})"
            return f"Step {step.id} is not verified: {since}. Run `{command}` again."
    return ""


def undecided(old: Sequence[PlanStep], new: Sequence[PlanStep], reason: str) -> str:
    """Why a plan that was decided is not made anew right after a compression; empty where that does not happen."""
    intents = {step.id: step.intent for step in new}
    kept = all(intents.get(step.id) == step.intent for step in old if step.status != "dropped")
    if not old or kept or reason.strip():
        return ""
    active = next((step.id for step in old if step.status == "active"), old[0].id)
    return (
        f"The plan is decided and still holds; only the context was shortened. Go on with step {active}. "
        "To change the plan all the same, give the reason."
    )


def open_points(steps: Sequence[PlanStep], prove: Prove) -> list[str]:
    """What a claim that all is done leaves open, one sentence each."""
    points = [f"step {step.id} is {step.status}: {step.intent}" for step in steps if step.status in ("todo", "active")]
    for step in steps:
        proof = prove(step.check) if step.status == "done" and command_of(step.check) else None
        if proof is not None and not (proof.passed and proof.current):
            why = "failed in its last run" if not proof.passed else "passed before the last change of a file"
            points.append(f"the check of step {step.id} {why}: {command_of(step.check)}")
    return points
