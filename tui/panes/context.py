"""The context window: what fills it, in parts that add up to the total, and how its size went over the session."""

from __future__ import annotations

from bisect import bisect_left

from textual.content import Content

from core.folds.context_usage import PARTS, ContextUsage, ContextWindow
from core.folds.view import Changes, SessionView
from tui.panes import figures
from tui.panes.bars import curve
from tui.panes.sheet import Sheet
from tui.panes.sheet_lines import MUTED, heading, spread
from tui.widgets.gauge import Part, legend, stacked

CURVE_ROWS = 4
LABELS = {
    "system": "system prompt",
    "tools": "tool definitions",
    "pinned": "pinned by you",
    "digest": "digest of the past",
    "text": "conversation",
    "results": "tool results",
    "reserve": "kept for the reply",
    "free": "free",
}
ROOM = ("reserve", "free")
"""Not content, but room that is left."""


class ContextPane(Sheet):
    """The latest request's window, and the sizes of all before it with the compressions marked."""

    CONCERNS = Changes.CONTEXT
    LABEL = "Context"

    def summary(self, view: SessionView, at: int | None) -> str:
        usage = view.context.usage.at(at)
        return figures.percent(usage.total / usage.window) if usage.window else figures.tokens(usage.total)

    def lines(self, view: SessionView, at: int | None, width: int) -> list[Content]:
        usage = view.context.usage.at(at)
        if not usage.total:
            return [heading("No request yet.")]
        return [*_total_lines(usage, width), *legend(filling(usage), width), *_curve_lines(view.context, at, width)]


def filling(usage: ContextUsage) -> list[Part]:
    """Everything in the window, the reserve and what is free included; adds up to the window where that is known."""
    names = [*PARTS, *(name for name in usage.parts if name not in PARTS)]
    parts = [(name, usage.parts[name]) for name in names if usage.parts.get(name)]
    if usage.window is not None:
        room = max(0, usage.window - usage.total)
        parts += [("reserve", min(usage.reserve, room)), ("free", usage.free or 0)]
    return [Part(LABELS.get(name, name), count, _variable(name), empty=name in ROOM) for name, count in parts]


def _variable(name: str) -> str:
    return f"context-{name}" if name in LABELS else "secondary"


def _total_lines(usage: ContextUsage, width: int) -> list[Content]:
    window = f" of {usage.window:,}" if usage.window else ", window unknown"
    total = Content.styled(f"{usage.total:,}", "bold") + Content.styled(f"{window} tokens", MUTED)
    how = Content.styled("measured" if usage.measured else "estimated", "$success" if usage.measured else MUTED)
    return [spread(total, how, width), stacked(filling(usage), width), Content("")]


def _curve_lines(context: ContextWindow, at: int | None, width: int) -> list[Content]:
    points = context.usage.points(at)
    if len(points) < 2:
        return []
    seqs = [seq for seq, _usage in points]
    cuts = [seq for seq, _before, _after in context.compressions if at is None or seq <= at]
    marks = [bisect_left(seqs, seq) / len(seqs) for seq in cuts]
    highest = figures.tokens(max(usage.total for _seq, usage in points))
    title = "size, request by request" + (f" · ▲ {figures.plural(len(cuts), 'compression')}" if cuts else "")
    values = [float(usage.total) for _seq, usage in points]
    return [Content(""), heading(title), *curve(values, width, CURVE_ROWS, (highest, "0"), marks)]
