"""What the list says of a session: its group, its state and why, and what can be opened. Pure text, no widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from textual.content import Content

from core.clock import MICROSECONDS
from core.journal.trash import DAY_US, Trashed
from core.overview import Overview
from tui.panes import figures
from tui.safe import one_line
from tui.screens.status_facts import REASONS, STATES
from tui.session_rows import Opening, SessionRow

Group = Literal["needs you", "running", "paused", "broken", "ended", "trash"]
GROUPS: tuple[Group, ...] = get_args(Group)

SAID: Mapping[Group, str] = {
    "needs you": "waiting for you",
    "running": "running",
    "paused": "paused by you",
    "broken": "interrupted or damaged",
    "ended": "at its end",
    "trash": "deleted",
}
"""Groups in a sentence: no session is so."""
ENDED = ("finished", "stopped", "failed")
SILENT_S = 30
"""So long without a sign of life of its runner, and a running session is said to be silent."""
SHORT = {
    "operator": "by you", "turn_limit": "turns", "auth": "key", "config": "setting", "refusal": "declined",
    "history": "history", "malformed": "replies", "done": "", "working": "", "none": "",
}  # fmt: skip
"""Reasons in a column, where they differ from their own word."""


def group_of(row: SessionRow) -> Group:
    """Which filter shows it; who waits for the user is no longer merely paused."""
    summary = row.overview.summary
    if row.trashed is not None:
        return "trash"
    if summary.state == "running":
        return "needs you" if row.overview.figures.asking else "running"
    if summary.state == "paused":
        return "paused" if summary.reason == "operator" else "needs you"
    return "ended" if summary.state in ENDED else "broken"


def silent_s(overview: Overview, now_us: int) -> int:
    """Seconds since a running session's runner gave a sign of life, 0 while that is recent."""
    if overview.summary.state != "running" or not overview.trace.beat_ns:
        return 0
    silent = (now_us - overview.trace.beat_ns // 1000) // MICROSECONDS
    return silent if silent >= SILENT_S else 0


def state_style(row: SessionRow, now_us: int) -> tuple[str, str]:
    """Glyph and colour."""
    group, overview = group_of(row), row.overview
    if group == "needs you":
        return "▲", "bold $state-waiting"
    if group == "trash":
        return "·", "$muted"
    if overview.figures.waiting and group == "running":
        return STATES["waiting"]
    if silent_s(overview, now_us):
        return "●", "$state-paused"
    return STATES.get(overview.summary.state, ("?", "$muted"))


def state_words(row: SessionRow, now_us: int) -> str:
    """At most 19 cells: `running`, `needs you · budget`, `paused · by you`, `silent · 4m`."""
    overview, summary = row.overview, row.overview.summary
    if row.trashed is not None:
        return f"deleted · {days_left(row.trashed, now_us)}d left"
    if silent := silent_s(overview, now_us):
        return f"silent · {figures.ago(silent * MICROSECONDS)}"
    if summary.state == "running" and overview.figures.asking:
        return "needs you · asks"
    if summary.state == "running":
        return "waiting · retry" if overview.figures.waiting else "running"
    state = "needs you" if group_of(row) == "needs you" else summary.state
    why = SHORT.get(summary.reason, summary.reason) if summary.reason else ""
    return f"{state} · {one_line(why)}" if why else state


def why(row: SessionRow, now_us: int) -> str:
    """The state in a sentence or so."""
    overview, summary = row.overview, row.overview.summary
    if row.trashed is not None:
        left = figures.plural(days_left(row.trashed, now_us), "day")
        return f"deleted {ago(now_us - row.trashed.at_us)} · {figures.size(row.size)} · goes for good in {left}"
    if summary.state == "interrupted":
        return f"its runner went away without a last word {ago(now_us - overview.active_us)}; nothing of it is lost"
    if summary.state == "running":
        return _liveness(overview, now_us)
    told = REASONS.get(summary.reason, summary.reason)
    runner = " · its runner waits" if summary.held else ""
    parts = [part for part in (summary.state, told, summary.detail) if part]
    return " · ".join([*parts, ago(now_us - overview.active_us)]) + runner


def _liveness(overview: Overview, now_us: int) -> str:
    if not overview.trace.beat_ns:
        return "its runner lives"
    beat_us = now_us - overview.trace.beat_ns // 1000
    last = f"last event {ago(now_us - overview.active_us)}"
    waits = "waits to try a failed request again · " if overview.figures.waiting else ""
    waits = "asks before a call; enter shows it · " if overview.figures.asking else waits
    return f"{waits}heartbeat {ago(beat_us)} · {last}"


def days_left(trashed: Trashed, now_us: int) -> int:
    """Whole days until it goes for good, the last one counted."""
    return max(0, -(-(trashed.until_us - now_us) // DAY_US))


def ago(microseconds: int) -> str:
    """`12m ago`, `now`."""
    words = figures.ago(microseconds)
    return words if words == "now" else f"{words} ago"


def spent(overview: Overview) -> str:
    """At most 8 cells: `$0.26`, `≥ $0.26` where some replies had no price."""
    cost = figures.cents(overview.usd)
    return f"≥ {cost}" if overview.figures.unpriced else cost


def fullness(overview: Overview) -> str:
    """How full the context is, `–` before the first request; in tokens where the window is unknown."""
    tokens, window = overview.figures.context, overview.figures.window
    if not tokens:
        return "–"
    if not window:
        return figures.tokens(tokens)
    return figures.percent(tokens / window) if tokens * 200 >= window else "<1%"


def natural(row: SessionRow) -> Opening | None:
    """What enter does: a running one is watched, an ended one replayed, one that stands still looked at as it stands.

    Nothing that costs money: going on has its own key. None where there is nothing to open.
    """
    allowed = openings(row)
    if not allowed:
        return None
    ended = group_of(row) in ("ended", "trash") and not row.overview.summary.held
    return "replay" if ended else "watch"


def natural_words(row: SessionRow) -> str:
    """What enter does, in a word: `look` where there is no runner to watch."""
    opening = natural(row)
    return "look" if opening == "watch" and not row.overview.summary.held else opening or "why"


def openings(row: SessionRow) -> tuple[Opening, ...]:
    """The ways in which it can be opened now."""
    summary = row.overview.summary
    if summary.state == "damaged":
        return ()
    if row.trashed is not None:
        return ("replay",)
    if row.box:
        return ("watch", "replay")
    resumable = not summary.held and summary.state != "running"
    return ("watch", "resume", "replay") if resumable else ("watch", "replay")


def detail_lines(row: SessionRow, now_us: int, size: int) -> tuple[Content, Content, Content]:
    """The session under the cursor: what is the matter with it, its task, and where it lives."""
    summary = row.overview.summary
    glyph, style = state_style(row, now_us)
    damaged = summary.state == "damaged"
    told = "can't be opened; D moves it to the trash as it is" if damaged and not row.trashed else why(row, now_us)
    first = Content.assemble((f"{glyph} {one_line(row.name)}", f"{style} bold"), f"  {one_line(told)}")
    second = Content.styled(one_line(summary.detail), "$error") if damaged else Content(one_line(summary.task))
    return first, second, where(row, size)


def where(row: SessionRow, size: int) -> Content:
    """Id, model, size of its context, how long it lasted, its bytes on the disk (0: not known), and its workspace."""
    overview, summary = row.overview, row.overview.summary
    numbers = overview.figures
    context = f"context {figures.tokens(numbers.context)}" if numbers.context else ""
    context += f" of {figures.window(numbers.window)}" if numbers.context and numbers.window else ""
    lasted = figures.elapsed(overview.lasted_us) if numbers.started_us else ""
    place = f"{row.box}:{overview.id[:10]}" if row.box else overview.id[:10]
    taken = f"{figures.size(size)} on disk" if size else ""
    parts = (place, summary.model, context, lasted, taken, summary.workspace)
    return Content.styled(" · ".join(one_line(part) for part in parts if part), "$muted")
