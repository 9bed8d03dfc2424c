"""Re-anchoring: objective, constraints and current step, said again where a long context has diluted them."""

from __future__ import annotations

from core.agent.facts import Facts
from core.events import PlanStep
from core.request.pieces import BYTES_PER_TOKEN

LONGEST_OBJECTIVE = 1_200
LONGEST_CONSTRAINTS = 4_000
"""Characters; what is longer stands at the beginning of the request anyway, and is named there."""
AFTER_COMPRESSION = 2_000
"""Tokens between the head and the end from which a compression is followed by a reminder."""


def anchor_due(facts: Facts, every: int) -> bool:
    """Whether to remind before the next request: after a compression or a finished step, or `every` tokens back."""
    anchors = facts.anchors
    if anchors.compressed_since:
        return tokens_since(facts, 0, AFTER_COMPRESSION) >= AFTER_COMPRESSION
    if anchors.step_ended_since:
        return tokens_since(facts, anchors.last, AFTER_COMPRESSION) >= AFTER_COMPRESSION
    return tokens_since(facts, anchors.last, every) >= every


def tokens_since(facts: Facts, seq: int, enough: int) -> int:
    """Tokens that stand after event `seq` in the request; counted from the end, no further than `enough`."""
    found = 0.0
    for piece in reversed(facts.projection.sent.tail):
        if piece.seq <= seq or found >= enough:
            break
        found += sum(map(len, piece.blocks)) / BYTES_PER_TOKEN * facts.window.ratio
    return int(found)


def anchor_text(facts: Facts) -> str:
    """The reminder: who said what stands in it word for word; it adds nothing."""
    ledger = facts.ledger
    lines = ["What you are here for, repeated:", _clipped(ledger.task, LONGEST_OBJECTIVE)]
    standing = dict.fromkeys(body.text for _, body in ledger.guidance() if body.standing and body.source == "user")
    if standing:
        lines += ["Standing guidance of the user:", _clipped("\n".join(f"- {text}" for text in standing))]
    plan = ledger.plan()
    active = next((step for step in plan.steps if step.status == "active"), None) if plan else None
    if active is not None:
        lines.append(_step(active))
    return "\n".join(lines)


def _step(step: PlanStep) -> str:
    check = f" (check: {step.check})" if step.check else ""
    return f"The current step is {step.id}: {step.intent}{check}"


def _clipped(text: str, limit: int = LONGEST_CONSTRAINTS) -> str:
    return text if len(text) <= limit else text[:limit] + " … (the whole of it is at the beginning)"
