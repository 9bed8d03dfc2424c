"""The plan: its steps, what each took, whether its check passed since the last change, and why the plan was changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from textual.app import ComposeResult
from textual.content import Content

from core.folds.checks import Tested
from core.folds.step_costs import Reassessment, StepCost
from core.folds.view import Changes, SessionView
from tui.messages import PlaceWanted
from tui.panes import figures
from tui.panes.pane import READING, Pane, foreign
from tui.panes.sheet_lines import MUTED, paragraph, within
from tui.safe import one_line, safe_text
from tui.widgets.line_list import LineList
from tui.widgets.wrapping import wrap

MARKS = {
    "done": ("✓", "$success", ""),
    "active": ("●", "$primary", "bold"),
    "todo": ("○", MUTED, ""),
    "dropped": ("×", MUTED, f"{MUTED} strike"),
}
NO_PLAN = "No plan yet. The agent writes one when the task is long; g asks for one."
UNTOLD = "The transcript tells no plan. 1 shows what was said, 2 what was done."
BESIDE = 34
"""Cells of the figures beside a step; from `ROOMY` cells on they stand there, else below it."""
ROOMY = 84
GUTTER = 1
"""Cells that stay free beside the scroll bar, as in the other panes."""
REASONS = 3
"""Re-assessments of a step that are told, the latest; the rest are counted."""


class PlanRow(NamedTuple):
    """A step, a re-assessment or a sentence. `seq` is where it happened, None where nothing did yet."""

    seq: int | None
    step: StepCost | None = None
    tested: Tested | None = None
    reason: Reassessment | None = None
    text: str = ""


class PlanRows:
    """What the list shows, made for a width when it is looked at."""

    def __init__(self) -> None:
        self.rows: list[PlanRow] = []
        self.start_us = 0
        self._made: dict[tuple[int, int], list[Content]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def show(self, rows: list[PlanRow], start_us: int) -> int:
        """From here on these; how many of the first ones are as they were."""
        pairs = enumerate(zip(self.rows, rows, strict=False))
        common = next((index for index, (old, new) in pairs if old != new), min(len(self.rows), len(rows)))
        self.rows, self.start_us = rows, start_us
        self._made.clear()
        return common

    def text(self, index: int) -> str:
        row = self.rows[index]
        return row.step.step.intent if row.step else row.reason.reason if row.reason else row.text

    def height(self, index: int, width: int) -> int:
        return len(self.render(index, width))

    def render(self, index: int, width: int) -> list[Content]:
        made = self._made.get((index, width))
        if made is None:
            lines = self._lines(self.rows[index], width - GUTTER)
            made = self._made[index, width] = [within(line, width) for line in lines]
        return made

    def _lines(self, row: PlanRow, width: int) -> list[Content]:
        if row.step is not None:
            return step_lines(row.step, row.tested, width)
        if row.reason is not None:
            time = figures.elapsed(row.reason.at_us - self.start_us)
            return paragraph(f"{time}  {one_line(row.reason.reason)}", width, indent=4, style=MUTED, first=_AGAIN)
        return paragraph(row.text, width, style=MUTED)


_AGAIN = Content.styled("  ↻ ", "$accent")


def plan_rows(view: SessionView, at: int | None) -> list[PlanRow]:
    """The steps, each with the latest reasons for which the plan was changed while it was active."""
    steps = view.step_costs.at(at)
    if not steps:
        nothing = UNTOLD if foreign(view) else NO_PLAN
        said = PlanRow(None, text=nothing if view.last_seq else READING)
        return [said, *_constraints(view, at), *_drift(view, at)]
    return [*_rows(view, steps, at), *_constraints(view, at), *_drift(view, at)]


def _constraints(view: SessionView, at: int | None) -> Iterator[PlanRow]:
    """What is forbidden, and whether that was kept."""
    for one in view.constraints.standing(at):
        broken = sum(seq <= (at or seq) for seq in one.broken)
        prevented = sum(seq <= (at or seq) for seq in one.prevented)
        fate = f"broken {broken} times" if broken else "held" if one.body.form else "can't be checked"
        more = f", {figures.plural(prevented, 'call')} kept from running" if prevented else ""
        yield PlanRow(one.seq, text=f"{one.id} {one_line(one.body.text)} · {fate}{more}")


def _drift(view: SessionView, at: int | None) -> Iterator[PlanRow]:
    """How far the latest calls are from the work before, where that is measured, and what makes it so."""
    measured = view.drift.series.at(at)
    if measured is not None:
        reasons = f": {'; '.join(map(one_line, measured.reasons))}" if measured.score >= measured.threshold else ""
        text = f"drift {measured.score:.1f}, from {measured.threshold:g} on it is signalled{reasons}"
        yield PlanRow(measured.evidence[-1] if measured.evidence else None, text=text)


def _rows(view: SessionView, steps: list[StepCost], at: int | None) -> Iterator[PlanRow]:
    for step in steps:
        yield PlanRow(step.since or step.done, step, view.checks.tested(step.step.check, at))
        hidden = len(step.reassessed) - REASONS
        if hidden > 0:
            yield PlanRow(step.reassessed[0].seq, text=f"    {figures.plural(hidden, 'earlier re-assessment')}")
        yield from (PlanRow(reason.seq, reason=reason) for reason in step.reassessed[-REASONS:])
    rest = view.step_costs.elsewhere(at)
    if rest.turns:
        yield PlanRow(None, text=f"Outside of these steps: {figures.spend(rest)}")


def step_lines(cost: StepCost, tested: Tested | None, width: int) -> list[Content]:
    """A step: its mark and intent, its status and what it took, the check and how that went."""
    step = cost.step
    glyph, colour, style = MARKS[step.status]
    mark, roomy = Content.styled(f"{glyph} ", colour), width >= ROOMY
    room = width - BESIDE - 2 if roomy else width
    lines = paragraph(safe_text(step.intent), room, indent=2, style=style, first=mark)
    took = figures.spend(cost.spend)
    status = Content.assemble((step.status, f"bold {colour}"), (f"  {took}" if took else "", MUTED))
    if roomy:
        lines[0] = lines[0].pad_right(max(0, width - BESIDE - lines[0].cell_length)) + status
    else:
        lines.append(Content("  ") + status)
    lines += _check(cost, tested, width)
    if step.note:
        lines += paragraph(safe_text(step.note), width, indent=2, style=f"{MUTED} italic")
    return lines


def _check(cost: StepCost, tested: Tested | None, width: int) -> list[Content]:
    """What must be true at its end, and whether it is, as far as the log shows."""
    step = cost.step
    if not step.check or (tested is None and step.status in ("done", "dropped")):
        return []
    glyph, style, words = _OUTCOMES[tested and (tested.passed, tested.current)]
    outcome = Content.styled(f"  {words}" if words else "", style)
    text = Content.styled(f"{glyph} ", style) + Content.styled(one_line(step.check), MUTED) + outcome
    return [Content("  ") + line for line in wrap(text, max(8, width - 2))]


_OUTCOMES = {
    None: ("check:", MUTED, ""),
    (True, True): ("✓", "$success", "passed"),
    (True, False): ("~", "$warning", "passed, files changed since"),
    (False, True): ("✗", "$error", "fails"),
    (False, False): ("✗", "$error", "failed, files changed since"),
}
"""Whether the check's command passed, and whether that still holds. None: no command of its words has run."""


class PlanPane(Pane):
    """A list of steps; enter shows where one began, or why the plan was changed."""

    CONCERNS = Changes.PLAN | Changes.BRANCH | Changes.TOOLS | Changes.COST
    LABEL = "Plan"

    def __init__(self, *, id: str, key: str = "") -> None:
        super().__init__(id=id, key=key)
        self._rows = PlanRows()
        self._active: int | None = None

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield LineList(self._rows)

    @property
    def line_list(self) -> LineList:
        return self.query_one(LineList)

    def summary(self, view: SessionView, at: int | None) -> str:
        plan = view.plan.at(at)
        steps = [step for step in plan.steps if step.status != "dropped"] if plan else []
        return f"{sum(step.status == 'done' for step in steps)}/{len(steps)}" if steps else ""

    def draw(self, view: SessionView, at: int | None, changes: Changes) -> None:
        rows = plan_rows(view, at)
        common = self._rows.show(rows, view.timeline.at_us(1))
        if common < len(rows) or common < len(self._rows):
            self.line_list.reset(common=common)
        active = next((i for i, row in enumerate(rows) if row.step and row.step.step.status == "active"), None)
        if active != self._active or self.line_list.top_item is None:
            self._active = active
            if self.line_list.cursor is None:
                self.line_list.stay_at(max(0, (active or 0) - 1))

    def on_line_list_item_opened(self, event: LineList.ItemOpened) -> None:
        event.stop()
        seq = self._rows.rows[event.index].seq if event.index < len(self._rows) else None
        if seq is not None:
            self.post_message(PlaceWanted(seq))

    def on_line_list_follow_changed(self, event: LineList.FollowChanged) -> None:
        event.stop()
