"""What is left at the prompt when a screen is left: how the session stands, what it came to, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.clock import MICROSECONDS
from core.folds.view import SessionView
from core.folds.words import one_line
from core.journal.lease import holder
from tui.panes import figures
from tui.safe import safe_text
from tui.terminal import last_words

LONGEST = 200
ENDED = ("finished", "stopped", "failed")


def part(
    view: SessionView, folder: Path | None, *, driven: bool, elsewhere: Callable[[str], str] | None = None
) -> None:
    """Leave a few lines at the prompt. `driven`: it was run in this process, and its launcher tells the way back.

    `elsewhere` says, by the state, how to come back to a session on another machine.
    """
    state, lines = view.state.status.last.state, [standing(view)]
    if elsewhere is not None:
        lines.append(elsewhere(state))
    elif folder is not None and not driven:
        held = state not in ENDED and holder(folder) is not None
        lines.append(way_back(state, folder.name[:10], held=held))
    last_words("\n".join(lines))


def standing(view: SessionView) -> str:
    """`demo: paused (operator). 35 calls in 0:02:57, $1.14 of $5.`"""
    status, bill, budget = view.state.status.last, view.costs.total.last, view.costs.budget.last
    why = "" if status.reason in ("working", "done") else f" ({status.reason.replace('_', ' ')})"
    detail = f": {one_line(status.detail, LONGEST).rstrip('.')}" if status.detail else ""
    elapsed_us = view.timeline.at_us(view.last_seq) - view.timeline.at_us(1)
    spent = figures.spent(bill) + (f" of {figures.limit(budget)}" if budget else "")
    name = safe_text(one_line(view.totals.name, 60)) or "Session"
    calls = figures.plural(view.tool_calls.count(), "call")
    return f"{name}: {status.state}{why}{safe_text(detail)}. {calls} in {_clock(elapsed_us)}, {spent}."


def way_back(state: str, short: str, *, held: bool) -> str:
    """How to go on with a session in that state; `held`: whether somebody runs it now."""
    if held:
        return f"Come back: longwatch attach {short}   Stop it: longwatch send {short} stop"
    again = f"Look at it: longwatch replay {short}   Report: longwatch report {short}"
    if state == "finished":
        return again
    return f"Go on: longwatch resume {short}   {again}"


def _clock(us: int) -> str:
    minutes, seconds = divmod(max(0, us) // MICROSECONDS, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
