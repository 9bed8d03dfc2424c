"""What is left at the prompt when a screen is left: how the session stands, what it came to, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from core.clock import MICROSECONDS
from core.folds.view import SessionView
from core.folds.words import one_line
from core.journal.lease import holder
from tui.panes import figures
from tui.safe import safe_text
from tui.terminal import last_words

LONGEST = 200
ENDED = ("finished", "stopped", "failed")
GOING_ON = ("running", "waiting")
"""Its time goes on, though nothing may have been written for a while."""


class Far(Protocol):
    """A session on another machine: whether anybody runs it there, and how to come back to it, by its state."""

    @property
    def held(self) -> bool: ...

    def way_back(self, state: str) -> str: ...


def part(
    view: SessionView,
    folder: Path | None,
    *,
    now_us: int,
    driven: bool,
    elsewhere: Far | None = None,
) -> None:
    """Leave a few lines at the prompt. `driven`: it was run in this process, and its launcher tells the way back.

    `elsewhere`: it is a session on another machine.
    """
    state = view.state.status.last.state
    here = driven or (folder is not None and holder(folder) is not None)
    held = state not in ENDED and (here if elsewhere is None else elsewhere.held)
    lines = [standing(view, now_us if held and state in GOING_ON else None)]
    if elsewhere is not None:
        lines.append(elsewhere.way_back(state))
    elif folder is not None and not driven:
        lines.append(way_back(state, folder.name[:10], held=held))
    last_words("\n".join(lines))


def standing(view: SessionView, now_us: int | None = None) -> str:
    """`demo: paused (operator). 35 calls in 0:02:57, $1.14 of $5.`, as of `now_us` or of its last event."""
    status, bill, budget = view.state.status.last, view.costs.total.last, view.costs.budget.last
    why = "" if status.reason in ("working", "done") else f" ({status.reason.replace('_', ' ')})"
    detail = f": {one_line(status.detail, LONGEST).rstrip('.')}" if status.detail else ""
    elapsed_us = (now_us or view.timeline.at_us(view.last_seq)) - view.timeline.at_us(1)
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
