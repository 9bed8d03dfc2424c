"""What the status line says: the facts of a session at a moment. Pure text, no widgets."""

from __future__ import annotations

from decimal import Decimal

from textual.content import Content

from core.clock import MICROSECONDS
from core.folds.state import Status
from core.folds.totals import INTERVENTIONS
from core.folds.view import SessionView
from tui.panes import figures
from tui.panes.cost import cache_left_s, next_usd
from tui.safe import one_line
from tui.widgets.status_line import Field

FIELDS = (
    Field("state", 24, rank=1, grow=True),
    Field("elapsed", 8, rank=2),
    Field("calls", 11, rank=5, right=True),
    Field("rate", 7, rank=9, right=True),
    Field("context", 16, rank=4),
    Field("cache", 9, rank=6),
    Field("spent", 15, rank=3),
    Field("next", 12, rank=8),
    Field("steered", 16, rank=10),
    Field("persisted", 19, rank=7),
)
"""Rank 1 stays longest when the line gets narrow. At 78 cells the four weightiest are there, the rest in the tabs."""

STATES = {
    "running": ("●", "$state-running"),
    "waiting": ("◌", "$state-waiting"),
    "paused": ("‖", "$state-paused"),
    "finished": ("✓", "$state-finished"),
    "stopped": ("■", "$state-paused"),
    "failed": ("✗", "$state-failed"),
    "interrupted": ("✗", "$state-failed"),
    "damaged": ("✗", "$state-failed"),
}
REASONS = {
    "working": "",
    "none": "",
    "operator": "by you",
    "budget": "budget used up",
    "turn_limit": "turn limit",
    "auth": "the key was refused",
    "config": "a setting is wrong",
    "provider": "the provider fails",
    "retry": "will try again",
    "done": "task done",
    "refusal": "the model declined",
    "context": "the window is full",
    "disk": "the disk is full",
    "error": "an error",
}


def facts(view: SessionView, at: int | None, now_us: int, real_us: int) -> dict[str, str]:
    """Every field but the state, by name. The cache ages with `real_us`, also while the session's `now_us` stands."""
    bill, budget = view.costs.total.at(at), view.costs.budget.at(at)
    calls, running_us = view.tool_calls.count(at), max(0, now_us - view.timeline.at_us(1))
    hours = running_us / MICROSECONDS / 3600
    return {
        "elapsed": figures.elapsed(running_us),
        "calls": figures.plural(calls, "call"),
        "rate": f"{calls / hours:,.0f}/h" if hours > 1 / 60 else "",
        "context": _context(view, at),
        "cache": f"cache {figures.percent(bill.hit_rate)}",
        "spent": figures.spent(bill) + (f" / {figures.limit(budget)}" if budget else ""),
        "next": "" if (usd := _next(view, at, real_us)) is None else f"next {figures.usd(usd)}",
        "steered": _interventions(view, at),
        "persisted": f"persisted to #{view.last_seq:,}",
    }


def _next(view: SessionView, at: int | None, real_us: int) -> Decimal | None:
    return next_usd(view.rent.next_call.at(at), cache_left_s(view, at, real_us))


def _context(view: SessionView, at: int | None) -> str:
    usage = view.context.usage.at(at)
    if not usage.window:
        return f"ctx {figures.tokens(usage.total)}"
    return f"ctx {figures.percent(usage.total / usage.window)} of {figures.window(usage.window)}"


def _interventions(view: SessionView, at: int | None) -> str:
    last = view.last_seq if at is None else at
    marks = view.timeline.marks
    count = sum(mark.kind == "human" and mark.text in INTERVENTIONS and mark.seq <= last for mark in marks)
    return figures.plural(count, "intervention")


def state_content(
    view: SessionView, at: int | None, now_us: int, *, replay: bool, trouble: str | None, interrupted: str = ""
) -> Content:
    """The state in words and why. What is not now says so first; what keeps the runner from working before all.

    `interrupted` says why a session that reads as running no longer is.
    """
    if trouble:
        return Content.styled(f"✗ {one_line(trouble)}", "bold $state-failed")
    if at is None and interrupted:
        return state_words(Status("interrupted", "", one_line(interrupted)), now_us)
    status = state_words(view.state.status.at(at), now_us)
    if at is None:
        return status
    return Content.styled(f"{'REPLAY' if replay else 'PAST'} #{at:,}", "bold reverse") + Content(" ") + status


def state_words(status: Status, now_us: int) -> Content:
    """`● running`, `‖ paused · by you`, `◌ waiting · tries again in 12 s`, and the detail where there is one."""
    glyph, style = STATES.get(status.state, ("?", "$muted"))
    why = REASONS.get(status.reason, status.reason)
    if status.state == "waiting" and status.until_us is not None:
        left_s = max(0, status.until_us - now_us) // MICROSECONDS
        why = f"{left_s} s" if left_s else "trying again"
    parts = [(f"{glyph} {status.state}", f"bold {style}"), (f" · {why}" if why else "", style)]
    return Content.assemble(*parts, (f" · {one_line(status.detail)}" if status.detail else "", "$muted"))
