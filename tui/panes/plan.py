"""The plan: its steps, which is worked on, and the check that each must pass."""

from __future__ import annotations

from textual.content import Content

from core.events import PlanStep
from core.folds.view import Changes, SessionView
from tui.panes.sheet import Sheet
from tui.panes.sheet_lines import MUTED, paragraph, sentence
from tui.safe import safe_text

_MARKS = {
    "done": ("✓", "$success", MUTED),
    "active": ("●", "$primary", "bold"),
    "todo": ("○", MUTED, ""),
    "dropped": ("×", MUTED, f"{MUTED} strike"),
}


class PlanPane(Sheet):
    """Steps with their marks; the active one shows its check."""

    CONCERNS = Changes.PLAN | Changes.BRANCH
    LABEL = "Plan"

    def summary(self, view: SessionView, at: int | None) -> str:
        plan = view.plan.at(at)
        steps = [step for step in plan.steps if step.status != "dropped"] if plan else []
        return f"{sum(step.status == 'done' for step in steps)}/{len(steps)}" if steps else ""

    def lines(self, view: SessionView, at: int | None, width: int) -> list[Content]:
        plan = view.plan.at(at)
        if plan is None or not plan.steps:
            return sentence("No plan yet. The agent writes one when the task is long.", width)
        return [line for step in plan.steps for line in step_lines(step, width)]


def step_lines(step: PlanStep, width: int) -> list[Content]:
    """A step: its mark and intent; what must be true at its end unless it is done."""
    glyph, colour, style = _MARKS[step.status]
    lines = paragraph(safe_text(step.intent), width, indent=2, style=style, first=Content.styled(f"{glyph} ", colour))
    if step.check and step.status in ("active", "todo"):
        lines += paragraph(f"check: {safe_text(step.check)}", width, indent=2, style=MUTED)
    if step.note:
        lines += paragraph(safe_text(step.note), width, indent=2, style=f"{MUTED} italic")
    return lines
