"""The context window: what fills it, in parts that add up to the total, and how its size went over the session."""

from __future__ import annotations

from textual.content import Content

from core.folds.context_usage import PARTS, ContextUsage, ContextWindow
from core.folds.view import Changes, SessionView
from tui.panes import figures
from tui.panes.bars import curve, stacked
from tui.panes.sheet import Sheet
from tui.panes.sheet_lines import MUTED, heading, spread

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
        return [*_total_lines(usage, width), *_legend_lines(usage, width), *_curve_lines(view.context, at, width)]


def colour_of(part: str) -> str:
    """The colour of a part of the window."""
    return f"$context-{part}" if part in LABELS else "$secondary"


def filling(usage: ContextUsage) -> dict[str, int]:
    """Tokens of everything in the window, the reserve and what is free included; adds up to the window if known."""
    parts = {name: usage.parts[name] for name in PARTS if usage.parts.get(name)}
    parts |= {name: count for name, count in usage.parts.items() if name not in PARTS and count}
    if usage.window is not None:
        room = max(0, usage.window - usage.total)
        parts |= {"reserve": min(usage.reserve, room), "free": usage.free or 0}
    return parts


def _total_lines(usage: ContextUsage, width: int) -> list[Content]:
    window = f" of {figures.tokens(usage.window)}" if usage.window else ", window unknown"
    total = Content("used  ") + Content.styled(f"{usage.total:,}", "bold") + Content.styled(f"{window} tokens", MUTED)
    how = Content.styled("measured" if usage.measured else "estimated", "$success" if usage.measured else MUTED)
    segments = [(count, colour_of(name)) for name, count in filling(usage).items()]
    return [spread(total, how, width), stacked(segments, width), Content("")]


def _legend_lines(usage: ContextUsage, width: int) -> list[Content]:
    parts = filling(usage)
    whole = sum(parts.values())
    lines = []
    for name, count in parts.items():
        left = Content.assemble(("■ ", colour_of(name)), LABELS.get(name, name))
        share = figures.percent(count / whole)
        lines.append(spread(left, Content(f"{count:>9,}") + Content.styled(f"{share:>6}", MUTED), width))
    return lines


def _curve_lines(context: ContextWindow, at: int | None, width: int) -> list[Content]:
    points = [(seq, float(usage.total)) for seq, usage in context.usage.points(at)]
    if len(points) < 2:
        return []
    cuts = [seq for seq, _before, _after in context.compressions if at is None or seq <= at]
    peak = f"over the session · highest {figures.tokens(int(max(size for _seq, size in points)))}"
    title = peak + (f" · ▼ {figures.plural(len(cuts), 'compression')}" if cuts else "")
    return [Content(""), heading(title), *curve(points, width, CURVE_ROWS, "$primary", marks=cuts)]
