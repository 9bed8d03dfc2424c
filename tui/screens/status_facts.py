"""What the status line says: the facts of a session at a moment, the weightiest first. Pure text, no widgets."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from core.clock import MICROSECONDS
from core.folds.state import Status
from core.folds.totals import INTERVENTIONS
from core.folds.view import SessionView
from tui.panes import figures
from tui.safe import one_line

STATES = {
    "running": ("●", "$state-running"),
    "waiting": ("◌", "$state-waiting"),
    "paused": ("Ⅱ", "$state-paused"),
    "finished": ("✓", "$state-finished"),
    "stopped": ("■", "$state-paused"),
    "failed": ("✗", "$state-failed"),
}
REASONS = {
    "working": "",
    "operator": "by you",
    "budget": "budget used up",
    "turn_limit": "turn limit reached",
    "auth": "the key was refused",
    "config": "a setting is wrong",
    "provider": "the provider fails",
    "retry": "will try again",
    "done": "the task is done",
    "refusal": "the model declined",
    "context": "the window is full",
    "disk": "the disk is full",
    "error": "an error",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A piece of the status line. The higher its `weight`, the longer it stays when the line gets narrow."""

    content: Content
    weight: int


def facts(view: SessionView, at: int | None, now_us: int, *, trouble: str | None = None) -> list[Fact]:
    """All facts in the order of reading."""
    bill, budget = view.costs.total.at(at), view.costs.budget.at(at)
    calls, start_us = view.tool_calls.count(at), view.timeline.at_us(1)
    hours = max(0, now_us - start_us) / MICROSECONDS / 3600
    money = figures.spent(bill) + (f" / {figures.usd(budget)}" if budget else "")
    rate = f"{calls / hours:,.0f}/h" if hours > 1 / 60 else ""
    pieces = [
        Fact(state_content(view.state.status.at(at), now_us, trouble), 100),
        _fact("", figures.elapsed(now_us - start_us), 90),
        _fact("", figures.plural(calls, "call"), 80),
        _fact("", rate, 30),
        _fact("context ", _context(view, at), 75),
        _fact("cache ", figures.percent(bill.hit_rate), 50),
        _fact("spent ", money, 85),
        _fact("", _interventions(view, at), 20),
        _fact("persisted to ", f"#{view.last_seq:,}", 40),
    ]
    return [piece for piece in pieces if piece.content]


def _fact(label: str, value: str, weight: int) -> Fact:
    return Fact(Content.assemble((label, "$muted"), value) if value else Content(""), weight)


def _context(view: SessionView, at: int | None) -> str:
    usage = view.context.usage.at(at)
    if not usage.window:
        return figures.tokens(usage.total)
    share = figures.percent(usage.total / usage.window)
    return f"{share} {figures.tokens(usage.total)}/{figures.tokens(usage.window)}"


def _interventions(view: SessionView, at: int | None) -> str:
    last = view.last_seq if at is None else at
    marks = view.timeline.marks
    count = sum(mark.kind == "human" and mark.text in INTERVENTIONS and mark.seq <= last for mark in marks)
    return figures.plural(count, "intervention")


def state_content(status: Status, now_us: int, trouble: str | None) -> Content:
    """The state in words and why; what keeps the runner from working comes before everything."""
    if trouble:
        return Content.styled(f"✗ {one_line(trouble)}", "bold $state-failed")
    glyph, style = STATES.get(status.state, ("?", "$muted"))
    why = REASONS.get(status.reason, status.reason)
    if status.until_us is not None and status.state == "waiting":
        left_s = max(0, status.until_us - now_us) // MICROSECONDS
        why = f"tries again in {left_s} s" if left_s else "tries again now"
    content = Content.styled(f"{glyph} {status.state}", f"bold {style}")
    return content + (Content.styled(f" · {one_line(why)}", style) if why else Content(""))


def position_content(view: SessionView, seq: int, *, replay: bool) -> Content:
    """`REPLAY 00:41:12 #812` or `LOOKING BACK …`: that what is shown is not now."""
    time = figures.elapsed(view.timeline.at_us(seq) - view.timeline.at_us(1))
    word = "REPLAY" if replay else "LOOKING BACK"
    return Content.styled(f" {word} {time} #{seq:,} ", "bold $match-foreground on $match-background")
