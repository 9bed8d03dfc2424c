"""What a guard's signal becomes in the log: shown, said to the agent, or a pause. Pure."""

from __future__ import annotations

from collections.abc import Callable

from core.config import GuardSettings
from core.events import Draft, GuardRaised, GuidanceDelivered
from core.folds.guards.finding import Ladder, Limits
from core.folds.guards.watch import Due

TOLD = 3
"""Events that a nudge names."""
ADVICE = {
    "repetition": "The answer will not change by asking again. Use what it said, or do something else.",
    "cycle": "Leave this circle: say what you expected of it, what came instead, and take another step.",
    "failure": "Take another approach: say what you take for the cause, check that first, then try differently.",
    "oscillation": "You undo and redo the same change. Decide which state is right and why, before you edit it again.",
    "stagnation": "Say what is still missing for the current step, and take the one action that brings it nearer.",
    "monologue": "Go on with a tool call, or say in one sentence what keeps you from it.",
    "chanting": "Your last reply repeated itself and was cut. Answer briefly and differently.",
    "arguments": "Read the error, which lists the fields that the tool takes, and send exactly these.",
    "step": "Finish it, split it, or drop it.",
    "constraint": "The user forbids this. Undo what you changed, exactly, and keep to it from here on.",
    "forbidden": "The user forbids this, in every form. Do what you can without it, and say what you could not do.",
    "drift": "Say in one sentence how this serves the task. If it does not, go back to the step that does.",
    "red": "The user wants these to stay green. Make them pass before you go on with anything else.",
}
REASSESS = (
    "Before anything else, call `plan`: keep what is done and decided, and change the step that does not come on, "
    "with the reason."
)


def drafts(due: Due, number: int, usd_of: Callable[[str], str | None]) -> list[Draft]:
    """The signal, and what it says to the agent; the pause is the runner's to write, for it knows who is there."""
    finding, rung = due
    raised = GuardRaised(
        guard=finding.guard,
        rung=rung,
        subject=finding.subject,
        times=finding.times,
        text=finding.text,
        evidence=list(finding.evidence),
        marks=list(finding.marks),
    )
    made = [Draft(raised, key=f"g{number}", actor="system")]
    if rung in ("nudge", "reassess"):
        text = nudge(due)
        made.append(Draft(GuidanceDelivered(text=text, source="guard", usd=usd_of(text)), actor="system"))
    return made


def nudge(due: Due) -> str:
    """What the agent is told: what was seen, where, and what to do about it."""
    finding, rung = due
    shown = ", ".join(f"#{seq}" for seq in finding.evidence[-TOLD:])
    where = f" (last: {shown})" if shown else ""
    lines = [f"Automatic notice, not from the user: {finding.text}{where}.", ADVICE[finding.guard]]
    return "\n".join([*lines, REASSESS] if rung == "reassess" else lines)


def pause_detail(due: Due, number: int) -> str:
    """Why it stands, and how to let it go on."""
    return f"{due.finding.text}; if that is fine: guard-ok g{number}"


def limits_of(settings: GuardSettings) -> Limits:
    """The thresholds as they are configured."""
    return Limits(
        enabled=settings.enabled,
        **{guard: Ladder(*getattr(settings, guard)) for guard in ADVICE},
        step_minutes=settings.step_minutes,
        step_calls=settings.step_calls,
    )
